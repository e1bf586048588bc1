"""What models answered and what they cost, in PostgreSQL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aeterna.knowledge.adapters.postgres.derived import UNNAMED, forget_answers, gone, hold
from aeterna.knowledge.domain.budgets import Reservation, Spending, TokenLimits, reserved, settled
from aeterna.knowledge.domain.models import KeptAnswer
from aeterna.knowledge.domain.reports import Instead

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.adapters.postgres.transactions import Statements, Transactions
    from aeterna.knowledge.domain.documents import UnitId


class PostgresAnswers:
    """An `AnswerCache` in PostgreSQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def get(self, tenant: TenantId, key: str) -> KeptAnswer | None:
        """See `AnswerCache.get`."""

        async def work(statements: Statements) -> KeptAnswer | None:
            for text, instead, units in await statements.rows("answer", key=key):
                return KeptAnswer(
                    text=json.loads(text),
                    instead=None if instead is None else Instead(instead),
                    units=frozenset(units) - {UNNAMED},
                )
            return None

        return await self._transactions.run(tenant, work)

    async def put(self, tenant: TenantId, key: str, kept: KeptAnswer) -> None:
        """See `AnswerCache.put`."""

        async def work(statements: Statements) -> None:
            await hold(statements)
            if not await gone(statements, kept.units):
                instead = None if kept.instead is None else kept.instead.value
                await statements.do("remove_answer", key=key)
                await statements.do("write_answer", key=key, text=json.dumps(kept.text), instead=instead)
                await statements.do("write_asked_about", key=key, units=sorted(kept.units) or [UNNAMED])

        await self._transactions.run(tenant, work)

    async def forget(self, tenant: TenantId, units: Collection[UnitId]) -> None:
        """See `AnswerCache.forget`; the ledger does it by itself when a unit goes."""

        async def work(statements: Statements) -> None:
            await forget_answers(statements, units)

        await self._transactions.run(tenant, work)


class PostgresTokens:
    """A `TokenLedger` in PostgreSQL: one row for each tenant, which a call locks for a moment before and after."""

    def __init__(self, transactions: Transactions, limits: TokenLimits, now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._limits = limits
        self._now = now

    async def reserve(self, tenant: TenantId, tokens: int) -> Reservation | None:
        """See `TokenLedger.reserve`."""

        async def work(statements: Statements) -> Reservation | None:
            taken = reserved(await _spending(statements), tokens, self._limits, self._now())
            if taken is None:
                return None
            await _write(statements, taken[0])
            return taken[1]

        return await self._transactions.run(tenant, work)

    async def settle(self, tenant: TenantId, reservation: Reservation, used: int) -> None:
        """See `TokenLedger.settle`."""

        async def work(statements: Statements) -> None:
            await _write(statements, settled(await _spending(statements), reservation, used))

        await self._transactions.run(tenant, work)


async def _spending(statements: Statements) -> Spending:
    rows = await statements.rows("lock_spending")
    if not rows:
        await statements.do("begin_spending")
        rows = await statements.rows("lock_spending")
    window, window_tokens, day, day_tokens = rows[0]
    return Spending(window=window, window_tokens=window_tokens, day=day, day_tokens=day_tokens)


async def _write(statements: Statements, spending: Spending) -> None:
    await statements.do(
        "write_spending",
        window=spending.window,
        window_tokens=spending.window_tokens,
        day=spending.day,
        day_tokens=spending.day_tokens,
    )
