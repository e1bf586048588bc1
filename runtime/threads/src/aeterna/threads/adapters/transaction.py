"""Runs named statements as one transaction of one tenant, in one flight to the server and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from aeterna.postgres.pool import twice
from aeterna.threads.adapters.database import DATABASE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.postgres.pool import Pool, Row
    from aeterna.service.caller import TenantId

Parameters: TypeAlias = "Mapping[str, object]"
_ENTER = "enter_tenant"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the folder ``sql``, by its name there."""

    name: str
    parameters: Parameters = field(default_factory=dict[str, object])


class Transactions:
    """What every adapter on PostgreSQL sends its statements through.

    The statements of a transaction leave in one flight (libpq's pipeline mode), so what they lock is locked for the
    time the server needs, and not for the time the network takes. No statement can depend, in Python, on what another
    one of the same transaction returned.
    """

    def __init__(self, pool: Pool, queries: Mapping[str, bytes]) -> None:
        """Take connections, and the statements that may be named; ``session.sql`` must be among their files."""
        self._pool = pool
        self._queries = queries

    async def run(self, tenant: TenantId | None, *statements: Statement) -> list[Sequence[Row]]:
        """Run the statements as the tenant and return the rows of each, or raise one of `ThreadsError`.

        Without a tenant a role that tenants bind sees nothing; it is for jobs, whose role they do not bind. The
        statements must be such that running all of them twice does no harm, because after a lost connection nobody
        knows whether the first run was committed.
        """
        return await twice(self._pool, DATABASE, lambda: self._attempt(tenant, statements))

    async def _attempt(self, tenant: TenantId | None, statements: Sequence[Statement]) -> list[Sequence[Row]]:
        async with self._pool.connection() as connection:
            async with connection.pipeline(), connection.transaction():
                if tenant is not None:
                    await connection.execute(self._queries[_ENTER], {"tenant": tenant})
                cursors = [
                    await connection.execute(self._queries[statement.name], statement.parameters)
                    for statement in statements
                ]
            # Only now is the commit known to have succeeded; before, a fetch would cost a round trip of its own.
            return [await cursor.fetchall() if cursor.description is not None else [] for cursor in cursors]
