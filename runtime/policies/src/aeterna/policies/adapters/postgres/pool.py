"""Connections to PostgreSQL that act as a role which owns nothing, within time limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from aeterna.policies.adapters.postgres.queries import load_queries

if TYPE_CHECKING:
    from collections.abc import Mapping

Connection: TypeAlias = AsyncConnection[DictRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]

# The pool doubles its pause between attempts; giving up this early starts it over from one second, so that the first
# request after an outage finds the database back within about that time.
_RECONNECT: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many connections there are and how long anything may take; all of it ends in `StoreBusyError`."""

    min_connections: int = 2
    max_connections: int = 8
    acquire: timedelta = timedelta(seconds=2)
    connect: timedelta = timedelta(seconds=5)
    statement: timedelta = timedelta(seconds=10)
    lock: timedelta = timedelta(seconds=3)
    idle_in_transaction: timedelta = timedelta(seconds=10)

    def parameters(self) -> Mapping[str, str]:
        """Return the limits as the statement ``configure_connection`` takes them."""
        return {
            "statement_timeout": _milliseconds(self.statement),
            "lock_timeout": _milliseconds(self.lock),
            "idle_timeout": _milliseconds(self.idle_in_transaction),
        }


def connection_pool(dsn: str, limits: Limits) -> Pool:
    """Return a pool, not yet open, whose connections are configured and in autocommit: transactions are explicit."""
    configure_connection = load_queries("session.sql")["configure_connection"]

    async def configure(connection: Connection) -> None:
        await connection.execute(configure_connection, limits.parameters())

    return AsyncConnectionPool(
        dsn,
        connection_class=AsyncConnection[DictRow],
        kwargs={
            "autocommit": True,
            "row_factory": dict_row,
            "connect_timeout": round(limits.connect.total_seconds()),
            "application_name": "aeterna-policies",
        },
        min_size=limits.min_connections,
        max_size=limits.max_connections,
        timeout=limits.acquire.total_seconds(),
        reconnect_timeout=_RECONNECT.total_seconds(),
        configure=configure,
        open=False,
        name="aeterna-policies",
    )


def _milliseconds(limit: timedelta) -> str:
    return f"{round(limit.total_seconds() * 1000)}ms"
