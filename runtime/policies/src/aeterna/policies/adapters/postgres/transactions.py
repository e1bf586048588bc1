"""Transactions that reach one tenant's rows or every tenant's, and are tried once more when a connection was dead."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

from aeterna.policies.adapters.postgres.database import DATABASE, queries
from aeterna.postgres.pool import twice
from aeterna.postgres.translation import translated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from aeterna.policies.domain.scope import Scope
    from aeterna.postgres.pool import Connection, Pool, Row

T = TypeVar("T")


class Statements:
    """The named statements, run on the connection of one transaction."""

    def __init__(self, connection: Connection, queries: Mapping[str, bytes]) -> None:
        self._connection = connection
        self._queries = queries

    async def rows(self, name: str, **parameters: object) -> Sequence[Row]:
        """Return every row of a statement that returns some."""
        cursor = await self._connection.execute(self._queries[name], parameters)
        return await cursor.fetchall()

    async def do(self, name: str, **parameters: object) -> None:
        """Run a statement that returns none."""
        await self._connection.execute(self._queries[name], parameters)


Work: TypeAlias = "Callable[[Statements], Awaitable[T]]"


class Transactions:
    """Runs work in a transaction; what it does must be safe to repeat, since it may be run twice."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._queries = queries("session.sql", "versions.sql", "audit.sql")

    async def run(self, scope: Scope, work: Work[T], *, everything: bool = False) -> T:
        """Run the work as far as the scope reaches, or over ``everything`` for what no caller is shown.

        Raise one of `PoliciesError`.
        """
        reach = "all" if everything or scope.platform else "tenant"
        return await twice(self._pool, DATABASE, lambda: self._attempt(scope.tenant, reach, work))

    async def _attempt(self, tenant: str, reach: str, work: Work[T]) -> T:
        async with self._pool.connection() as connection, connection.transaction():
            statements = Statements(connection, self._queries)
            await statements.rows("enter", tenant=tenant, reach=reach)
            return await work(statements)

    async def check(self) -> None:
        """Return when the database answers as it must; raise `StoreUnavailableError` when not."""
        with translated(DATABASE.errors):
            async with self._pool.connection() as connection:
                await connection.execute(b"SELECT FROM policies.versions LIMIT 0")
