"""The thread store's schema: who may move it, what a move never holds up, and what the program says of it."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from aeterna.postgres.fitness import require_schema
from aeterna.postgres.migrations import migrate
from aeterna.postgres.pool import Limits
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.errors import DatabaseUnreachableError, StoreBusyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.fix_postgres import Postgres
    from fixtures.fix_threads import ServiceProcess

WAIT, LOCK = timedelta(seconds=30), timedelta(seconds=5)


def test_a_migration_gives_up_rather_than_hold_up_the_appends_behind_it(database: str) -> None:
    with psycopg.connect(database) as reader:
        reader.execute("SELECT count(*) FROM threads.messages")

        with pytest.raises(StoreBusyError):
            migrate(database, DATABASE, to="base", wait=WAIT, lock=timedelta(milliseconds=50))

    require_schema(database, Limits(), DATABASE)


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

    migrate(postgres.dsn(name, owner), DATABASE, to="head", wait=WAIT, lock=LOCK)

    require_schema(postgres.dsn(name, owner), Limits(), DATABASE)


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnreachableError) as refused:
        require_schema(make_conninfo(host="127.0.0.1", port=1, user="ada", password="s3cret"), Limits(), DATABASE)

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
        f"aeterna-threads: schema none -> {DATABASE.head}\n",
        f"aeterna-threads: schema {DATABASE.head} -> none\n",
    ]
    assert [(outcome.returncode, outcome.stderr) for outcome in outcomes] == [(0, ""), (0, "")]


def test_the_service_refuses_an_old_schema_in_one_line(
    threads_environment: dict[str, str], empty_database: str
) -> None:
    outcome = run(threads_environment | {"AETERNA_THREADS_DSN": empty_database})

    assert outcome.returncode == 1
    assert outcome.stderr.splitlines() == [
        (
            f"aeterna-threads: the database is at schema none and this release needs {DATABASE.head}: "
            "run `python -m aeterna.threads migrate`, or set AETERNA_THREADS_MIGRATE=true"
        )
    ]


def test_the_service_migrates_first_when_it_is_told_to(
    start_threads: Callable[..., ServiceProcess], empty_database: str
) -> None:
    start_threads(AETERNA_THREADS_DSN=empty_database, AETERNA_THREADS_MIGRATE="true")

    require_schema(empty_database, Limits(), DATABASE)


def test_a_missing_setting_is_named_in_one_line(threads_environment: dict[str, str]) -> None:
    del threads_environment["AETERNA_THREADS_ISSUER"]

    outcome = run(threads_environment)

    assert outcome.returncode == 1
    assert outcome.stderr.splitlines() == ["aeterna-threads: AETERNA_THREADS_ISSUER: Field required"]
