"""Transactions that reach one tenant's rows, and are tried once more when a connection was dead."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import psycopg
from psycopg.rows import tuple_row

from aeterna.knowledge.adapters.postgres.database import DATABASE, queries
from aeterna.postgres.pool import twice
from aeterna.postgres.translation import translated

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from psycopg.rows import TupleRow

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.postgres.pool import Connection, Pool

T = TypeVar("T")
_FILES: Final = (
    "session.sql",
    "ledger.sql",
    "outbox.sql",
    "ingestions.sql",
    "communities.sql",
    "reports.sql",
    "models.sql",
)


class Statements:
    """The named statements, run on the connection of one transaction, which knows its tenant."""

    def __init__(self, connection: Connection, queries: Mapping[str, bytes], tenant: TenantId) -> None:
        self._connection = connection
        self._queries = queries
        self._tenant = tenant

    async def rows(self, name: str, **parameters: object) -> Sequence[TupleRow]:
        """Return every row of a statement that returns some."""
        async with self._connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(self._queries[name], {"tenant": self._tenant, **parameters})
            return await cursor.fetchall()

    async def do(self, name: str, **parameters: object) -> int:
        """Run a statement that returns none, and return how many rows it changed."""
        cursor = await self._connection.execute(self._queries[name], {"tenant": self._tenant, **parameters})
        return cursor.rowcount


Work: TypeAlias = "Callable[[Statements], Awaitable[T]]"


class Transactions:
    """Runs work in a transaction; what it does must be safe to repeat, since it may be run twice."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._queries = queries(*_FILES)

    async def run(self, tenant: TenantId, work: Work[T], *, one_moment: bool = False) -> T:
        """Run the work on the tenant's rows, all of its statements in ``one_moment`` or each in its own.

        Raise one of `KnowledgeError`.
        """
        return await twice(self._pool, DATABASE, lambda: self._attempt(tenant, work, one_moment=one_moment))

    async def _attempt(self, tenant: TenantId, work: Work[T], *, one_moment: bool) -> T:
        async with self._pool.connection() as connection, connection.transaction():
            statements = Statements(connection, self._queries, tenant)
            if one_moment:
                await statements.do("one_moment")
            await statements.rows("enter")
            return await work(statements)

    @asynccontextmanager
    async def holding(self, tenant: TenantId, lock: str, unlock: str) -> AsyncGenerator[None]:
        """Hold a lock of a connection, outside of any transaction; raise `StoreBusyError` when it is not free in time.

        Where the connection breaks the lock is gone, and nobody is told.
        """
        with translated(DATABASE.errors):
            async with self._pool.connection() as connection:
                statements = Statements(connection, self._queries, tenant)
                try:
                    await statements.rows(lock)
                    yield
                    await statements.rows(unlock)
                except psycopg.errors.LockNotAvailable:
                    raise
                except BaseException:
                    # Whoever was cancelled may have the lock or not; without its connection nobody has.
                    await connection.close()
                    raise
