"""Tenants stay apart even where our own code forgets: PostgreSQL itself refuses, whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from aeterna.postgres.fitness import require_schema
from aeterna.postgres.pool import SESSION, Limits
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.errors import RoleUnavailableError, RoleUnboundError

if TYPE_CHECKING:
    from collections.abc import Generator

    from fixtures.fix_postgres import Postgres

CONFIGURE = SESSION["configure_connection"]

ROW: LiteralString = """
    INSERT INTO threads.threads (tenant, thread_id, digest, created_by)
    VALUES (%s, 't-1', decode(repeat('00', 32), 'hex'), 'ada')
"""
MESSAGE: LiteralString = """
    INSERT INTO threads.messages (tenant, thread_id, seq, message_id, role, parts, digest, author, created_at)
    VALUES (%s, 't-1', 1, 'm-1', 'user', '[]', decode(repeat('00', 32), 'hex'), 'ada', now())
"""


def as_service(dsn: str, tenant: str | None = None) -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection as the service has it, in a transaction of a tenant, or of none."""
    connection = psycopg.connect(dsn, autocommit=True)
    connection.execute(CONFIGURE, Limits().parameters(DATABASE.names))
    connection.autocommit = False
    if tenant is not None:
        connection.execute("SELECT set_config('aeterna.tenant', %s, true)", [tenant])
    return connection


@pytest.fixture
def kept(database: str) -> str:
    """Return a database in which acme has one thread with one message."""
    with as_service(database, "acme") as connection:
        connection.execute(ROW, ["acme"])
        connection.execute(MESSAGE, ["acme"])
    return database


@pytest.mark.parametrize("table", ["threads", "messages"])
@pytest.mark.parametrize("tenant", [None, "", "other", "acme%", "ACME", "*"])
def test_nothing_is_seen_by_anybody_but_the_tenant(kept: str, table: str, tenant: str | None) -> None:
    """A transaction that forgot to set its tenant sees an empty database."""
    query = sql.SQL("SELECT count(*) FROM threads.{}").format(sql.Identifier(table))

    with as_service(kept, tenant) as connection:
        assert connection.execute(query).fetchone() == (0,)


@pytest.mark.parametrize("tenant", [None, "", "other"])
@pytest.mark.parametrize("statement", [ROW, MESSAGE], ids=["thread", "message"])
def test_nothing_is_written_for_another_tenant(kept: str, tenant: str | None, statement: LiteralString) -> None:
    with as_service(kept, tenant) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement, ["acme"])


@pytest.mark.parametrize("tenant", [None, "", "other"])
def test_nothing_is_changed_for_another_tenant(kept: str, tenant: str | None) -> None:
    with as_service(kept, tenant) as connection:
        assert connection.execute("UPDATE threads.threads SET last_seq = 99").rowcount == 0


def test_a_tenant_ends_with_its_transaction(kept: str) -> None:
    """The next request on a pooled connection starts without one."""
    with as_service(kept, "acme") as connection:
        connection.commit()

        assert connection.execute("SELECT count(*) FROM threads.threads").fetchone() == (0,)


def test_a_thread_is_not_moved_to_another_tenant(kept: str) -> None:
    with as_service(kept, "acme") as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("UPDATE threads.threads SET tenant = 'other'")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE threads.events SET parts = '[]'",
        "DELETE FROM threads.events",
        "DELETE FROM threads.threads",
        "UPDATE threads.threads SET born = '2026-01-01'",
        "UPDATE threads.threads SET agent = 'mine'",
        "TRUNCATE threads.events",
        "DROP TABLE threads.events",
        "DROP VIEW threads.messages",
        "INSERT INTO threads.events_kept SELECT * FROM threads.events",
        "SELECT FROM threads.events_kept",
        "SELECT threads.create_partitions(1)",
        "SELECT threads.drop_partition()",
        "ALTER TABLE threads.threads DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE threads.mine ()",
        "UPDATE threads.schema_version SET version_num = '0000'",
    ],
)
def test_the_service_can_neither_rewrite_history_nor_the_rules(kept: str, statement: LiteralString) -> None:
    """Messages are append only by privilege, and not by good manners."""
    with as_service(kept, "acme") as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


def test_row_level_security_binds_the_owner_too(kept: str, postgres: Postgres) -> None:
    """A job that logs in as the schema's owner is held to a tenant as well."""
    with psycopg.connect(kept) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'threads'::regnamespace AND relkind IN ('r', 'p') "
            "AND NOT (relrowsecurity AND relforcerowsecurity)"
        ).fetchall()

    assert rows == [("schema_version",)]


def test_every_limit_is_set_on_the_connection(database: str) -> None:
    with as_service(database) as connection:
        row = connection.execute(
            "SELECT current_user, current_setting('statement_timeout'), current_setting('lock_timeout'), "
            "current_setting('idle_in_transaction_session_timeout'), current_setting('synchronous_commit'), "
            "current_setting('fsync')"
        ).fetchone()

    assert row == ("aeterna_threads", "10s", "3s", "10s", "on", "on")


@pytest.fixture
def plain_login(postgres: Postgres, database: str) -> Generator[str]:
    """Return a login that was granted nothing."""
    postgres.execute(sql.SQL("CREATE ROLE plain LOGIN"))
    yield "plain"
    postgres.execute(sql.SQL("DROP ROLE plain"))


def test_a_login_without_the_role_is_told_what_to_grant(database: str, plain_login: str) -> None:
    with pytest.raises(RoleUnavailableError, match='GRANT aeterna_threads TO "plain"'):
        require_schema(make_conninfo(database, user=plain_login), Limits(), DATABASE)


def test_an_ordinary_login_with_the_role_is_enough(postgres: Postgres, database: str, plain_login: str) -> None:
    """Neither the owner nor a superuser: what a production deployment should use."""
    postgres.execute(sql.SQL("GRANT aeterna_threads TO plain WITH INHERIT FALSE, SET TRUE"))

    require_schema(make_conninfo(database, user=plain_login), Limits(), DATABASE)


def test_the_service_does_not_start_where_row_level_security_would_not_bind_it(
    postgres: Postgres, database: str
) -> None:
    postgres.execute(sql.SQL("ALTER ROLE aeterna_threads BYPASSRLS"))
    try:
        with pytest.raises(RoleUnboundError):
            require_schema(database, Limits(), DATABASE)
    finally:
        postgres.execute(sql.SQL("ALTER ROLE aeterna_threads NOBYPASSRLS"))
