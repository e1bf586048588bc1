"""The administration's schema moves forward and back, and the service starts on nothing older than it needs."""

from __future__ import annotations

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

from aeterna.policies.adapters.postgres import migrations
from aeterna.policies.adapters.postgres.migrate import Moved, migrate
from aeterna.policies.adapters.postgres.pool import Limits
from aeterna.policies.adapters.postgres.schema import HEAD, require_schema
from aeterna.policies.errors import DatabaseUnreachableError, RevisionUnknownError, SchemaMissingError

if TYPE_CHECKING:
    from fixtures.fix_postgres import Postgres

WAIT, LOCK = timedelta(seconds=30), timedelta(seconds=5)
FOLDER = Path(migrations.__file__).parent


def tables(dsn: str) -> set[str]:
    """Return the tables of the schema."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = 'policies'").fetchall()
    return {str(row[0]) for row in rows}


def test_the_newest_revision_is_the_one_that_the_service_needs() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_schema_goes_forward_and_back_and_forward(empty_database: str) -> None:
    forth = migrate(empty_database, to="head", wait=WAIT, lock=LOCK)
    there = tables(empty_database)
    back = migrate(empty_database, to="base", wait=WAIT, lock=LOCK)
    emptied = tables(empty_database)
    again = migrate(empty_database, to="head", wait=WAIT, lock=LOCK)

    assert (forth, back) == (Moved(before=None, after=HEAD), Moved(before=HEAD, after=None))
    assert (again, tables(empty_database)) == (Moved(before=None, after=HEAD), there)
    assert emptied == {"schema_version"}


def test_of_many_migrators_at_once_one_does_the_work(empty_database: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        begun = [threads.submit(migrate, empty_database, to="head", wait=WAIT, lock=LOCK) for _ in range(4)]
        moves = [one.result() for one in begun]

    assert sorted(str(move.before) for move in moves) == [HEAD, HEAD, HEAD, "None"]


def test_the_service_starts_on_no_database_without_its_schema(empty_database: str) -> None:
    with pytest.raises(SchemaMissingError, match="migrate"):
        require_schema(empty_database, Limits())


def test_an_unknown_revision_is_refused(empty_database: str) -> None:
    with pytest.raises(RevisionUnknownError):
        migrate(empty_database, to="0999", wait=WAIT, lock=LOCK)


def test_a_database_that_is_away_is_told(postgres: Postgres) -> None:
    with pytest.raises(DatabaseUnreachableError):
        require_schema(make_conninfo(postgres.dsn(), dbname="nowhere"), Limits())


def test_a_login_without_any_right_but_to_create_can_migrate_and_serve(postgres: Postgres, empty_database: str) -> None:
    """As `aeterna up` has it: one login, no superuser, bound by row-level security."""
    with psycopg.connect(empty_database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute("CREATE ROLE policies_owner LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS")
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO policies_owner").format(sql.Identifier(name)))
        connection.execute("GRANT aeterna_policies TO policies_owner WITH ADMIN TRUE, INHERIT FALSE, SET TRUE")
    dsn = postgres.dsn(name, "policies_owner")

    migrate(dsn, to="head", wait=WAIT, lock=LOCK)

    require_schema(dsn, Limits())
