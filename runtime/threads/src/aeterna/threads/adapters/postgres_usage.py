"""Reads from PostgreSQL what a tenant holds and may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.threads.adapters.database import queries
from aeterna.threads.adapters.transaction import Statement, Transactions
from aeterna.threads.domain.usage import Account, Quotas, Usage

if TYPE_CHECKING:
    from aeterna.postgres.pool import Pool
    from aeterna.service.caller import TenantId


class PostgresAccounts:
    """An `Accounts` in PostgreSQL; ``defaults`` hold where nothing was decided for a tenant."""

    def __init__(self, pool: Pool, defaults: Quotas) -> None:
        """Take connections of the service's role."""
        self._transactions = Transactions(pool, queries("session.sql", "usage.sql"))
        self._defaults = defaults

    async def account(self, tenant: TenantId) -> Account:
        """See `Accounts.account`."""
        ((row,),) = await self._transactions.run(tenant, Statement("read_account", {"tenant": tenant}))
        defaults = self._defaults

        def most(column: str, default: int | None) -> int | None:
            return default if row[column] is None else row[column]

        return Account(
            usage=Usage(
                threads=row["threads"] or 0,
                bytes=row["bytes"] or 0,
                open_tasks=row["open_tasks"] or 0,
                measured_at=row["measured_at"],
            ),
            quotas=Quotas(
                threads=most("most_threads", defaults.threads),
                bytes=most("most_bytes", defaults.bytes),
                open_tasks=most("most_open_tasks", defaults.open_tasks),
                writes_per_second=most("writes_per_second", defaults.writes_per_second),
            ),
        )
