"""Every table of the thread store keeps tenants apart, whoever adds one, and each role can do its work and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, LiteralString

import psycopg
import pytest
from psycopg import errors, sql

from aeterna.postgres.pool import SESSION, Limits
from aeterna.threads.adapters.database import DATABASE

if TYPE_CHECKING:
    from collections.abc import Iterator

JOBS: Final = "aeterna_threads_jobs"
SERVICE: Final = DATABASE.names.role
# The only table that is of no tenant: one row that names the revision.
OF_NO_TENANT: Final = "schema_version"
RELATIONS: Final[LiteralString] = """
SELECT relname::text, relkind::text, relrowsecurity AND relforcerowsecurity,
       EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid),
       coalesce('security_invoker=true' = ANY (reloptions), false)
FROM pg_class
WHERE relnamespace = 'threads'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relname <> 'schema_version'
ORDER BY 1
"""
ROWS: Final[LiteralString] = """
WITH opened AS (
    INSERT INTO threads.threads (tenant, thread_id, digest, created_by, last_seq)
    VALUES ('acme', 't-1', decode(repeat('00', 32), 'hex'), 'ada', 1)
)
INSERT INTO threads.events
    (tenant, thread_id, seq, born, kind, said, message_id, role, parts, metadata, digest, author, created_at)
VALUES ('acme', 't-1', 1, '1970-01-01', 'message', true, 'm-1', 'user', '[]', '{}', decode(repeat('00', 32), 'hex'),
        'ada', now())
"""


def connected(dsn: str, role: str, tenant: str | None = None) -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection that acts as a role, in a transaction of a tenant or of none."""
    connection = psycopg.connect(dsn)
    connection.execute(SESSION["configure_connection"], Limits().parameters(DATABASE.names, role))
    connection.commit()
    if tenant is not None:
        connection.execute("SELECT set_config('aeterna.tenant', %s, true)", [tenant])
    return connection


@pytest.fixture
def kept(database: str) -> str:
    """Return a database in which acme has one thread with one message."""
    with psycopg.connect(database) as owner:
        owner.execute(ROWS)
    return database


def relations(dsn: str) -> Iterator[tuple[str, str, bool, bool, bool]]:
    """Return every table, partition and view: name, kind, bound by row-level security, with a policy, as who asks."""
    with psycopg.connect(dsn) as owner:
        yield from owner.execute(RELATIONS).fetchall()


def readable(dsn: str, role: str) -> list[str]:
    """Return the tables and views that a role may read."""
    with psycopg.connect(dsn) as owner:
        return [
            name
            for name, *_ in relations(dsn)
            if owner.execute("SELECT has_any_column_privilege(%s, %s, 'SELECT')", (role, f"threads.{name}")).fetchone()
            == (True,)
        ]


def unguarded(dsn: str) -> list[str]:
    """Return the relations through which a tenant could see another one's rows."""
    return [
        name
        for name, kind, bound, policy, invoker in relations(dsn)
        if not (invoker if kind == "v" else kind in {"r", "p"} and bound and policy)
    ]


def test_every_table_is_bound_by_row_level_security_and_has_a_policy(database: str) -> None:
    assert unguarded(database) == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE threads.forgotten (tenant text)",
        "CREATE TABLE threads.forgotten (tenant text); ALTER TABLE threads.forgotten ENABLE ROW LEVEL SECURITY",
        "CREATE TABLE threads.forgotten (LIKE threads.runners); ALTER TABLE threads.forgotten FORCE ROW LEVEL SECURITY",
        "CREATE VIEW threads.forgotten AS SELECT * FROM threads.threads",
        "CREATE MATERIALIZED VIEW threads.forgotten AS SELECT * FROM threads.threads",
    ],
)
def test_a_table_that_forgets_is_found(database: str, statement: LiteralString) -> None:
    """The test above can fail."""
    with psycopg.connect(database) as owner:
        owner.execute(statement)

    assert unguarded(database) == ["forgotten"]


def test_a_transaction_that_forgets_the_tenant_sees_nothing_anywhere(kept: str) -> None:
    seen: dict[str, object] = {}
    with connected(kept, SERVICE) as connection:
        for name in readable(kept, SERVICE):
            query = sql.SQL("SELECT count(*) FROM threads.{}").format(sql.Identifier(name))
            seen[name] = connection.execute(query).fetchone()

    assert set(seen.values()) == {(0,)}
    assert {"threads", "events", "messages", "runners", "steps"} <= seen.keys()


def test_a_transaction_that_forgets_the_tenant_writes_nothing(kept: str) -> None:
    with connected(kept, SERVICE) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(ROWS)


def test_partitions_are_reached_by_nobody_directly(kept: str) -> None:
    """A partition's own policy would not be that of the whole."""
    partitions = {name for name, *_ in relations(kept) if name.startswith("events_")}

    assert len(partitions) > 2
    assert partitions & {*readable(kept, SERVICE), *readable(kept, JOBS)} == set()


def test_the_log_cannot_be_changed_by_who_serves(database: str) -> None:
    with psycopg.connect(database) as owner:
        granted = owner.execute(
            "SELECT privilege_type FROM information_schema.role_table_grants "
            "WHERE table_schema = 'threads' AND table_name = 'events' AND grantee = %s ORDER BY 1",
            [SERVICE],
        ).fetchall()

    assert granted == [("INSERT",), ("SELECT",)]


def test_a_job_sees_every_tenant(kept: str) -> None:
    with connected(kept, JOBS) as connection:
        assert connection.execute("SELECT tenant FROM threads.events").fetchall() == [("acme",)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO threads.threads (tenant, thread_id, digest, created_by) VALUES ('acme', 't', '', 'me')",
        "UPDATE threads.threads SET title = 'mine'",
        "UPDATE threads.threads SET last_seq = 7",
        "UPDATE threads.threads SET state = 'TASK_STATE_FAILED'",
        "UPDATE threads.events SET parts = '[]'",
        "INSERT INTO threads.events SELECT * FROM threads.events",
        "INSERT INTO threads.messages SELECT * FROM threads.messages",
        "TRUNCATE threads.events",
        "DROP TABLE threads.events_other",
        "ALTER TABLE threads.events DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE threads.events DETACH PARTITION threads.events_other",
        "CREATE TABLE threads.mine ()",
        "UPDATE threads.schema_version SET version_num = '0000'",
    ],
)
def test_a_job_can_do_no_more_than_its_work(kept: str, statement: LiteralString) -> None:
    with connected(kept, JOBS) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


def test_no_function_that_acts_as_the_owner_is_open_to_everybody(database: str) -> None:
    """Nor does one look for its tables where its caller says."""
    with psycopg.connect(database) as owner:
        loose = owner.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'threads'::regnamespace AND prosecdef AND ("
            "has_function_privilege('public', oid, 'EXECUTE') "
            "OR NOT EXISTS (SELECT FROM unnest(proconfig) AS one WHERE one LIKE 'search_path=pg_catalog%'))"
        ).fetchall()

    assert loose == []


@pytest.mark.parametrize("role", [SERVICE, JOBS])
def test_neither_role_owns_logs_in_or_passes_by_the_policies(database: str, role: str) -> None:
    with psycopg.connect(database) as owner:
        powers = owner.execute(
            "SELECT rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolreplication, "
            "EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid), "
            "EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid) FROM pg_roles WHERE rolname = %s",
            [role],
        ).fetchone()

    assert powers == (False, False, False)


ENDED: Final[LiteralString] = "UPDATE threads.threads SET state = 'TASK_STATE_COMPLETED' WHERE thread_id = 't-1'"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE threads.threads SET last_seq = 2 WHERE thread_id = 't-1'",
        "UPDATE threads.threads SET state = 'TASK_STATE_WORKING' WHERE thread_id = 't-1'",
        "UPDATE threads.threads SET state = NULL WHERE thread_id = 't-1'",
    ],
)
def test_nothing_follows_the_end_of_a_task(kept: str, statement: LiteralString) -> None:
    with connected(kept, SERVICE, "acme") as connection:
        connection.execute(ENDED)

        with pytest.raises(errors.CheckViolation, match="the task has ended"):
            connection.execute(statement)


TASK_OF_TODAY: Final[LiteralString] = """
INSERT INTO threads.threads
    (tenant, thread_id, digest, created_by, born, ttl, expires_at, agent, context_id, state, last_seq)
VALUES ('acme', 'task', decode(repeat('00', 32), 'hex'), 'ada', current_date, '1 hour', now() + interval '1 hour',
        'planner', 'c-1', %s, 1)
"""
NEXT_OF_TASK: Final[LiteralString] = """
INSERT INTO threads.events (tenant, thread_id, seq, born, kind, payload, author, created_at)
VALUES ('acme', 'task', 2, current_date, 'status', '{}', 'planner', now())
"""


@pytest.mark.parametrize("state", ["TASK_STATE_COMPLETED", "TASK_STATE_WORKING"])
def test_no_row_goes_beyond_the_end_of_a_tasks_log(kept: str, state: str) -> None:
    """A row that comes before the move of `last_seq`, which an ended task refuses, would be read all the same."""
    with connected(kept, SERVICE, "acme") as connection:
        connection.execute(TASK_OF_TODAY, (state,))

        with pytest.raises(errors.CheckViolation, match="do not follow"):
            connection.execute(NEXT_OF_TASK)


ADDED: Final[LiteralString] = """
INSERT INTO threads.events
    (tenant, thread_id, seq, born, kind, message_id, role, parts, metadata, digest, author, created_at)
SELECT 'acme', %s, seq, %s::date, 'message', 'n-' || seq, 'user', '[]', '{}', decode(repeat('00', 32), 'hex'), 'ada',
       now()
FROM unnest(%s::bigint[]) AS seq
"""


@pytest.mark.parametrize(
    ("thread", "born", "places"),
    [
        ("t-1", "1970-01-01", [3]),
        ("t-1", "1970-01-01", [2, 4]),
        ("t-1", "1970-01-01", [7, 8]),
        ("t-1", "2026-01-01", [2]),
        ("nowhere", "1970-01-01", [1]),
    ],
    ids=["one too far", "a gap", "far away", "in another partition", "of no thread"],
)
def test_a_row_that_does_not_follow_its_thread_is_refused(kept: str, thread: str, born: str, places: list[int]) -> None:
    with connected(kept, SERVICE, "acme") as connection, pytest.raises(errors.CheckViolation):
        connection.execute(ADDED, (thread, born, places))


def test_a_place_in_a_log_is_taken_once(kept: str) -> None:
    with connected(kept, SERVICE, "acme") as connection, pytest.raises(errors.UniqueViolation):
        connection.execute(ADDED, ("t-1", "1970-01-01", [1]))


def test_a_thread_whose_rows_are_not_all_there_is_found(kept: str) -> None:
    with psycopg.connect(kept) as owner:
        owner.execute("UPDATE threads.threads SET last_seq = 3")

    with connected(kept, JOBS) as connection:
        gaps = connection.execute("SELECT * FROM threads.find_gaps('1970-01-01')").fetchall()

    assert gaps == [("acme", "t-1", 3, 1, 1)]
