"""What a service's ``env.py`` and its revisions call; alembic executes both."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
from alembic import context, op
from sqlalchemy.exc import OperationalError

from aeterna.postgres.queries import load_queries

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aeterna.postgres.database import Database

VERSION_TABLE: Final = "schema_version"
# Under which names `migrations.migrate` hands these two over.
CONNECTION: Final = "connection"
DATABASE: Final = "database"

# How long, in seconds, a migration has others queue behind it, and then lets them go first.
_PATIENCE: Final = 0.25
_PAUSE: Final = 0.05
_LOCK_TIMEOUT: Final = "SELECT setting::float / 1000 FROM pg_settings WHERE name = 'lock_timeout'"


def run_revisions() -> None:
    """Run revisions on the connection that `migrations.migrate` hands over, each in a transaction of its own."""
    connection: Connection = context.config.attributes[CONNECTION]
    database: Database = context.config.attributes[DATABASE]
    context.configure(
        connection=connection,
        version_table=VERSION_TABLE,
        version_table_schema=database.names.schema,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_file(revision: str, *files: str) -> None:
    """Execute files of the folder ``sql`` beside the folder of a revision's module, in the revision's transaction.

    Whoever asks for a table queues behind a statement that waits for it. So a statement waits for `_PATIENCE`; then all
    of the files are undone, which lets the queue go, and begun again, until the migration's time for locks is up: then
    the last failure is raised.
    """
    connection = op.get_bind()
    # Without parameters, so that a percent sign or a colon in the file means what it means in SQL.
    statement = connection.execution_options(no_parameters=True)
    allowed = float(statement.exec_driver_sql(_LOCK_TIMEOUT).scalar_one())
    tries = max(1, round(allowed / (_PATIENCE + _PAUSE)))
    for attempt in range(1, tries + 1):
        try:
            with connection.begin_nested():
                statement.exec_driver_sql(f"SET LOCAL lock_timeout = {round(min(_PATIENCE, allowed) * 1000)}")
                for file in files:
                    statement.exec_driver_sql(_file(revision, file).read_text(encoding="utf-8"))
                statement.exec_driver_sql(f"SET LOCAL lock_timeout = {round(allowed * 1000)}")
        except OperationalError as exc:
            if attempt == tries or not isinstance(exc.orig, psycopg.errors.LockNotAvailable):
                raise
            time.sleep(_PAUSE)
        else:
            return


def run_apart(revision: str, file: str) -> None:
    """Execute each named statement of a file by itself, outside of a transaction, as ``CONCURRENTLY`` needs it.

    What the revision did before is committed by then, so that a failure leaves it half done: everything up to the last
    such file must be written so that it can run again.
    """
    with op.get_context().autocommit_block():
        connection = op.get_bind().execution_options(no_parameters=True)
        path = _file(revision, file)
        for statement in load_queries(path.parent, path.name).values():
            connection.exec_driver_sql(statement.decode())


def _file(revision: str, file: str) -> Path:
    return Path(revision).parent.parent / "sql" / file
