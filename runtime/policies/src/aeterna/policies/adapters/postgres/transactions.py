"""Transactions that reach one tenant's rows or every tenant's, and are tried once more when a connection was dead."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

import psycopg
from psycopg_pool import PoolTimeout

from aeterna.policies.adapters.postgres.queries import load_queries
from aeterna.policies.adapters.postgres.translate import connection_lost, translated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from psycopg.rows import DictRow

    from aeterna.policies.adapters.postgres.pool import Connection, Pool
    from aeterna.policies.domain.scope import Scope

T = TypeVar("T")


class Statements:
    """The named statements, run on the connection of one transaction."""

    def __init__(self, connection: Connection, queries: Mapping[str, bytes]) -> None:
        self._connection = connection
        self._queries = queries

    async def rows(self, name: str, **parameters: object) -> Sequence[DictRow]:
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
        self._queries = load_queries("session.sql", "versions.sql", "audit.sql")

    async def run(self, scope: Scope, work: Work[T], *, everything: bool = False) -> T:
        """Run the work as far as the scope reaches, or over ``everything`` for what no caller is shown.

        Raise one of `PoliciesError`. When the connection turns out to be dead, as all of them are after a restart of
        the server, the pool is swept once and the work is run again.
        """
        reach = "all" if everything or scope.platform else "tenant"
        with translated():
            try:
                return await self._attempt(scope.tenant, reach, work)
            except psycopg.OperationalError as exc:
                if not connection_lost(exc):
                    raise
                lost = exc
            try:
                await self._pool.check()
                return await self._attempt(scope.tenant, reach, work)
            except PoolTimeout:
                # No connection because the database is away, which the first error says and this one does not.
                raise lost from None

    async def _attempt(self, tenant: str, reach: str, work: Work[T]) -> T:
        async with self._pool.connection() as connection, connection.transaction():
            statements = Statements(connection, self._queries)
            await statements.rows("enter", tenant=tenant, reach=reach)
            return await work(statements)

    async def check(self) -> None:
        """Return when the database answers as it must; raise `StoreUnavailableError` when not."""
        with translated():
            async with self._pool.connection() as connection:
                await connection.execute(b"SELECT FROM policies.versions LIMIT 0")
