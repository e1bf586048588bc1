"""Moves a service's schema forward and back, safely when several processes try at once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import alembic.command
import psycopg
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from aeterna.postgres.address import Address
from aeterna.postgres.login import TokenUnavailableError
from aeterna.postgres.revisions import CONNECTION, DATABASE, VERSION_TABLE
from aeterna.postgres.translation import error_of, translated

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy import Connection

    from aeterna.postgres.database import Database


_ASK_AGAIN: Final = 0.1
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The revisions before and after; None is a database without a schema of ours."""

    before: str | None
    after: str | None


def migrate(dsn: str | Address, database: Database, *, to: str, wait: timedelta, lock: timedelta) -> Moved:
    """Bring the database to the revision ``to`` (a number, "head" or "base") and return where it was and is.

    Waits up to ``wait`` for another migrator to finish, then finds its work done. A revision that cannot get its locks
    within ``lock`` fails the migration; nobody queues behind it for longer than a moment. Each revision is a
    transaction, so what failed left nothing, but for what a revision does apart, which can be done again.
    Raises `UnknownRevisionError`, `NotReachedError`, `LoginFailedError`, `BusyError`, `UnavailableError`.
    """
    config = Config()
    config.set_main_option("script_location", str(database.migrations))
    config.attributes[DATABASE] = database
    address = Address(dsn) if isinstance(dsn, str) else dsn
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: _connect(address, database),
        poolclass=NullPool,
    )
    try:
        with translated(database.errors), engine.connect() as connection:
            return _migrate(connection, config, to, wait, lock)
    except DBAPIError as exc:
        if isinstance(exc.orig, psycopg.Error):
            raise error_of(exc.orig, database.errors) from exc
        raise


def _connect(address: Address, database: Database) -> psycopg.Connection:
    try:
        return psycopg.connect(address.conninfo_now(), application_name=f"{database.names.application}-migrate")
    except TokenUnavailableError:
        raise
    except psycopg.OperationalError as exc:
        raise database.errors.not_reached(str(exc)) from exc


def _migrate(connection: Connection, config: Config, to: str, wait: timedelta, lock: timedelta) -> Moved:
    database: Database = config.attributes[DATABASE]
    script = ScriptDirectory.from_config(config)
    try:
        target = script.as_revision_number(to)
        if isinstance(target, str):
            script.get_revision(target)
    except CommandError as exc:
        raise database.errors.unknown_revision(to) from exc
    _exclusively(connection, database, wait, lock)
    before = _revision(connection, database)
    # Else alembic would take the transaction of this question for ours, and make all revisions in it.
    connection.commit()
    config.attributes[CONNECTION] = connection
    forward = target is not None and (before is None or int(str(target)) >= int(before))
    move = alembic.command.upgrade if forward else alembic.command.downgrade
    move(config, to)
    after = _revision(connection, database)
    connection.commit()
    return Moved(before=before, after=after)


def _exclusively(connection: Connection, database: Database, wait: timedelta, lock: timedelta) -> None:
    """Take the migrators' lock, held until the connection closes, then set the limit for the locks of tables.

    Asks again and again rather than wait in the server: there, building an index concurrently would wait for the end of
    the statement that waits.
    """
    schema = database.names.schema
    end = time.monotonic() + wait.total_seconds()
    while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({database.lock_key})").scalar_one():
        connection.commit()
        if time.monotonic() > end:
            raise database.errors.busy
        time.sleep(_ASK_AGAIN)
    for statement in (
        f"SET lock_timeout = '{round(lock.total_seconds() * 1000)}ms'",
        # Asked first, because CREATE SCHEMA IF NOT EXISTS needs a privilege even where there is nothing to create.
        f"DO $$ BEGIN IF to_regnamespace('{schema}') IS NULL THEN CREATE SCHEMA {schema}; END IF; END $$",
    ):
        connection.exec_driver_sql(statement)
    connection.commit()


def _revision(connection: Connection, database: Database) -> str | None:
    options = {"version_table": VERSION_TABLE, "version_table_schema": database.names.schema}
    return MigrationContext.configure(connection, opts=options).get_current_revision()
