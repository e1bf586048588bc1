"""What a service's ``env.py`` and its revisions call; alembic executes both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import context, op

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aeterna.postgres.database import Database

VERSION_TABLE: Final = "schema_version"
# Under which names `migrations.migrate` hands these two over.
CONNECTION: Final = "connection"
DATABASE: Final = "database"


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


def run_file(revision: str, file: str) -> None:
    """Execute a file of the folder ``sql`` beside the folder of a revision's module, in the revision's transaction."""
    text = (Path(revision).parent.parent / "sql" / file).read_text(encoding="utf-8")
    # Without parameters, so that a percent sign or a colon in the file means what it means in SQL.
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(text)
