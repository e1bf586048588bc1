"""Transactions whose statements leave one by one, where what is done next depends on what was found."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from aeterna.postgres.pool import Connection, twice
from aeterna.threads.adapters.database import DATABASE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from aeterna.postgres.pool import Pool, Row
    from aeterna.service.caller import TenantId

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Work:
    """A transaction that is under way."""

    connection: Connection
    queries: Mapping[str, bytes]

    async def rows(self, name: str, **parameters: object) -> Sequence[Row]:
        """Run a named statement and return its rows, none where it returns nothing."""
        cursor = await self.connection.execute(self.queries[name], parameters)
        return [] if cursor.description is None else await cursor.fetchall()

    async def row(self, name: str, **parameters: object) -> Row:
        """Run a named statement that returns one row, and return it."""
        (only,) = await self.rows(name, **parameters)
        return only

    async def count(self, name: str, **parameters: object) -> int:
        """Run a named statement and return how many rows it touched."""
        return (await self.connection.execute(self.queries[name], parameters)).rowcount


class Stepwise:
    """Runs transactions of a pool; for work where a round trip more does no harm, unlike `Transactions`."""

    def __init__(self, pool: Pool, queries: Mapping[str, bytes]) -> None:
        """Take connections, and the statements that may be named; ``session.sql`` must be among their files."""
        self._pool = pool
        self._queries = queries

    async def run(self, tenant: TenantId | None, work: Callable[[Work], Awaitable[T]]) -> T:
        """Run the work in one transaction, as the tenant if one is named, or raise one of `ThreadsError`.

        It may be run twice to no harm: after a lost connection nobody knows whether it was committed.
        """

        async def attempt() -> T:
            async with self.transaction(tenant) as one:
                return await work(one)

        return await twice(self._pool, DATABASE, attempt)

    @asynccontextmanager
    async def transaction(self, tenant: TenantId | None) -> AsyncGenerator[Work]:
        """Return a context that is one transaction; the driver's errors leave it as they are."""
        async with self._pool.connection() as connection, connection.transaction():
            if tenant is not None:
                await connection.execute(self._queries["enter_tenant"], {"tenant": tenant})
            yield Work(connection, self._queries)
