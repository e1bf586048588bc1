"""Connections that act as a role which owns nothing, within time limits; one more try when all of them were dead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aeterna.postgres.address import Address
from aeterna.postgres.queries import load_queries
from aeterna.postgres.translation import connection_lost, translated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aeterna.postgres.database import Database
    from aeterna.postgres.login import TokenUnavailableError
    from aeterna.postgres.names import Names

Connection: TypeAlias = AsyncConnection[DictRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]
Row: TypeAlias = DictRow
T = TypeVar("T")

# The pool doubles its pause between attempts and then gives up, even where somebody waits for a connection. So it is
# made to give up at once, and told to begin again, for as long as the database is away: an attempt about twice a second
# from each process, whatever the number of its connections.
_RECONNECT: Final = timedelta(milliseconds=500)
SESSION: Final = load_queries(Path(__file__).parent / "sql", "session.sql")


class LimitSettings(Protocol):
    """The fields of a service's settings that limit its connections."""

    @property
    def pool_min(self) -> int:
        """At least so many connections."""
        ...

    @property
    def pool_max(self) -> int:
        """At most so many."""
        ...

    @property
    def pool_timeout(self) -> timedelta:
        """For one of them."""
        ...

    @property
    def connect_timeout(self) -> timedelta:
        """For making one."""
        ...

    @property
    def statement_timeout(self) -> timedelta:
        """For a statement."""
        ...

    @property
    def lock_timeout(self) -> timedelta:
        """For a lock."""
        ...

    @property
    def idle_transaction_timeout(self) -> timedelta:
        """For a transaction that does nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many connections there are and how long anything may take; all of it ends in `BusyError`."""

    min_connections: int = 2
    max_connections: int = 16
    acquire: timedelta = timedelta(seconds=2)
    connect: timedelta = timedelta(seconds=5)
    statement: timedelta = timedelta(seconds=10)
    lock: timedelta = timedelta(seconds=3)
    idle_in_transaction: timedelta = timedelta(seconds=10)

    @classmethod
    def of(cls, settings: LimitSettings, *, most: int | None = None) -> Limits:
        """Return the limits that a service's settings ask for; ``most`` is for a pool beside the service's own."""
        return cls(
            min_connections=settings.pool_min if most is None else 0,
            max_connections=settings.pool_max if most is None else most,
            acquire=settings.pool_timeout,
            connect=settings.connect_timeout,
            statement=settings.statement_timeout,
            lock=settings.lock_timeout,
            idle_in_transaction=settings.idle_transaction_timeout,
        )

    def parameters(self, names: Names, role: str | None = None) -> Mapping[str, str]:
        """Return the limits and the role (the service's own by default) as ``configure_connection`` takes them."""
        return {
            "role": role or names.role,
            "statement_timeout": _milliseconds(self.statement),
            "lock_timeout": _milliseconds(self.lock),
            "idle_timeout": _milliseconds(self.idle_in_transaction),
        }


class ServicePool(AsyncConnectionPool[Connection]):
    """A pool that knows whose connections it keeps."""

    address: Address


def connection_pool(dsn: str | Address, limits: Limits, names: Names, role: str | None = None) -> Pool:
    """Return a pool, not yet open, whose connections are configured and in autocommit: transactions are explicit.

    They act as the role of the service, or as ``role``, such as that of its jobs.
    """
    address = Address(dsn) if isinstance(dsn, str) else dsn

    async def configure(connection: Connection) -> None:
        await connection.execute(SESSION["configure_connection"], limits.parameters(names, role))

    async def begin_again(pool: Pool) -> None:
        address.doubt()
        if not pool.closed:
            await pool.check()

    pool = ServicePool(
        address.conninfo,
        connection_class=AsyncConnection[DictRow],
        kwargs={
            "autocommit": True,
            "row_factory": dict_row,
            "connect_timeout": round(limits.connect.total_seconds()),
            "application_name": names.application,
        },
        min_size=limits.min_connections,
        max_size=limits.max_connections,
        timeout=limits.acquire.total_seconds(),
        reconnect_timeout=_RECONNECT.total_seconds(),
        configure=configure,
        reconnect_failed=begin_again,
        open=False,
        name=names.application,
    )
    pool.address = address
    return pool


async def twice(pool: Pool, database: Database, attempt: Callable[[], Awaitable[T]]) -> T:
    """Await an attempt, which may be run twice to no harm; raise one of the service's own errors.

    When the connection turns out to be dead, as all of them are after a restart of the server, the pool is swept once
    and the attempt is run again.
    """
    with translated(database.errors):
        try:
            return await attempt()
        except psycopg.OperationalError as exc:
            if not connection_lost(exc):
                raise (_tokenless(pool) if isinstance(exc, PoolTimeout) else None) or exc from None
            lost = exc
        try:
            await pool.check()
            return await attempt()
        except PoolTimeout:
            # No connection because the database is away, which the first error says and this one does not.
            raise _tokenless(pool) or lost from None


def _tokenless(pool: Pool) -> TokenUnavailableError | None:
    """Return why the pool has no connection, if that is for want of a token."""
    return pool.address.failure if isinstance(pool, ServicePool) else None


def _milliseconds(limit: timedelta) -> str:
    return f"{round(limit.total_seconds() * 1000)}ms"
