"""The schema moves forward and back, by whoever comes first, and the service starts on nothing older than it needs."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from psycopg.conninfo import make_conninfo

from aeterna.threads.adapters import migrations
from aeterna.threads.adapters.migrate import Moved, migrate
from aeterna.threads.adapters.pool import Limits
from aeterna.threads.adapters.schema import HEAD, require_schema
from aeterna.threads.errors import (
    DatabaseUnreachableError,
    RevisionUnknownError,
    SchemaMissingError,
    SchemaOutdatedError,
    StoreBusyError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.fix_postgres import Postgres
    from fixtures.fix_threads import ServiceProcess

WAIT, LOCK = timedelta(seconds=30), timedelta(seconds=5)
FOLDER = Path(migrations.__file__).parent


def structure(dsn: str) -> list[tuple[object, ...]]:
    """Return every column, constraint, index, policy and privilege of the schema."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            """
            SELECT 'column', table_name::text, column_name::text, data_type || coalesce(column_default, '')
            FROM information_schema.columns WHERE table_schema = 'threads'
            UNION ALL SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = 'threads'::regnamespace
            UNION ALL SELECT 'index', tablename::text, indexname::text, indexdef
            FROM pg_indexes WHERE schemaname = 'threads'
            UNION ALL SELECT 'policy', tablename::text, policyname::text, qual || with_check
            FROM pg_policies WHERE schemaname = 'threads'
            UNION ALL SELECT 'privilege', table_name::text, grantee::text, privilege_type
            FROM information_schema.role_table_grants WHERE table_schema = 'threads'
            ORDER BY 1, 2, 3, 4
            """
        ).fetchall()


def test_the_release_needs_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_revisions_are_numbers_in_order_with_both_files() -> None:
    """The service compares them as numbers."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]

    assert revisions == [f"{n:04}" for n in range(1, len(revisions) + 1)]
    assert sorted(path.name.split("_")[0] + path.name[path.name.index(".") :] for path in FOLDER.glob("sql/*")) == [
        f"{revision}.{way}.sql" for revision in revisions for way in ("down", "up")
    ]


def test_forward_and_back_and_forward_is_the_same_schema(empty_database: str) -> None:
    first = migrate(empty_database, to="head", wait=WAIT, lock=LOCK)
    expected = structure(empty_database)

    back = migrate(empty_database, to="base", wait=WAIT, lock=LOCK)
    again = migrate(empty_database, to="head", wait=WAIT, lock=LOCK)

    assert [first, back, again] == [
        Moved(before=None, after=HEAD),
        Moved(before=HEAD, after=None),
        Moved(before=None, after=HEAD),
    ]
    assert structure(empty_database) == expected


def test_going_back_leaves_no_table_of_ours(database: str) -> None:
    migrate(database, to="base", wait=WAIT, lock=LOCK)

    assert {row[1] for row in structure(database) if row[0] == "column"} == {"schema_version"}


def test_migrating_twice_changes_nothing(database: str) -> None:
    assert migrate(database, to="head", wait=WAIT, lock=LOCK) == Moved(before=HEAD, after=HEAD)


def test_several_who_migrate_at_once_do_it_once(empty_database: str) -> None:
    """As when all replicas of a new release start together."""
    with ThreadPoolExecutor(4) as pool:
        started = [pool.submit(migrate, empty_database, to="head", wait=WAIT, lock=LOCK) for _ in range(4)]
        moves = [one.result() for one in started]

    assert sorted(str(move.before) for move in moves) == [HEAD, HEAD, HEAD, "None"]
    assert {move.after for move in moves} == {HEAD}


def test_an_unknown_revision_is_refused(database: str) -> None:
    with pytest.raises(RevisionUnknownError):
        migrate(database, to="9999", wait=WAIT, lock=LOCK)


def test_a_migration_gives_up_rather_than_hold_up_the_appends_behind_it(database: str) -> None:
    with psycopg.connect(database) as reader:
        reader.execute("SELECT count(*) FROM threads.messages")

        with pytest.raises(StoreBusyError):
            migrate(database, to="base", wait=WAIT, lock=timedelta(milliseconds=50))

    require_schema(database, Limits())


@pytest.fixture
def owner(postgres: Postgres) -> str:
    """Return a login that owns a database and is no superuser, like the master user of a managed PostgreSQL."""
    postgres.execute(sql.SQL("CREATE ROLE master LOGIN CREATEROLE CREATEDB"))
    return "master"


def test_the_owner_of_a_managed_database_can_migrate_and_serve(postgres: Postgres, owner: str) -> None:
    name = postgres.create()
    postgres.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(owner)))
    # The role may be there already and be another's; then its administrator has to grant it.
    postgres.execute(
        sql.SQL(
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'aeterna_threads') THEN "
            "GRANT aeterna_threads TO {} WITH INHERIT FALSE, SET TRUE; END IF; END $$"
        ).format(sql.Identifier(owner))
    )

    migrate(postgres.dsn(name, owner), to="head", wait=WAIT, lock=LOCK)

    require_schema(postgres.dsn(name, owner), Limits())


def test_an_empty_database_is_refused_with_the_command_that_mends_it(empty_database: str) -> None:
    with pytest.raises(SchemaMissingError, match=re.escape("python -m aeterna.threads migrate")):
        require_schema(empty_database, Limits())


def test_an_older_schema_is_refused(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE threads.schema_version SET version_num = '0000'")

    with pytest.raises(SchemaOutdatedError, match="at schema 0000 and this release needs"):
        require_schema(database, Limits())


def test_a_newer_schema_is_accepted(database: str) -> None:
    """Migrations run before their release is rolled out, while the release before still restarts now and then."""
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE threads.schema_version SET version_num = '9999'")

    require_schema(database, Limits())


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnreachableError) as refused:
        require_schema(make_conninfo(host="127.0.0.1", port=1, user="ada", password="s3cret"), Limits())

    assert "127.0.0.1" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "aeterna.threads", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_says_where_it_moved_the_schema(empty_database: str) -> None:
    environment = {"AETERNA_THREADS_DSN": empty_database}

    outcomes = [run(environment, "migrate"), run(environment, "migrate", "--to", "base")]

    assert [outcome.stdout for outcome in outcomes] == [
        f"aeterna-threads: schema none -> {HEAD}\n",
        f"aeterna-threads: schema {HEAD} -> none\n",
    ]
    assert [(outcome.returncode, outcome.stderr) for outcome in outcomes] == [(0, ""), (0, "")]


def test_the_service_refuses_an_old_schema_in_one_line(
    threads_environment: dict[str, str], empty_database: str
) -> None:
    outcome = run(threads_environment | {"AETERNA_THREADS_DSN": empty_database})

    assert outcome.returncode == 1
    assert outcome.stderr.splitlines() == [
        (
            f"aeterna-threads: the database is at schema none and this release needs {HEAD}: "
            "run `python -m aeterna.threads migrate`, or set AETERNA_THREADS_MIGRATE=true"
        )
    ]


def test_the_service_migrates_first_when_it_is_told_to(
    start_threads: Callable[..., ServiceProcess], empty_database: str
) -> None:
    start_threads(AETERNA_THREADS_DSN=empty_database, AETERNA_THREADS_MIGRATE="true")

    require_schema(empty_database, Limits())


def test_a_missing_setting_is_named_in_one_line(threads_environment: dict[str, str]) -> None:
    del threads_environment["AETERNA_THREADS_ISSUER"]

    outcome = run(threads_environment)

    assert outcome.returncode == 1
    assert outcome.stderr.splitlines() == ["aeterna-threads: AETERNA_THREADS_ISSUER: Field required"]
