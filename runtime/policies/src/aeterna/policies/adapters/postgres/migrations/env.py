"""Runs revisions on the connection that `adapters.migrate` hands over; alembic executes this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

from aeterna.policies.adapters.postgres.migrate import SCHEMA, VERSION_TABLE

if TYPE_CHECKING:
    from sqlalchemy import Connection

_connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=_connection,
    version_table=VERSION_TABLE,
    version_table_schema=SCHEMA,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
