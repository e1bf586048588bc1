"""Decides whether a tenant may open or write more: by what it holds, as counted last, and by how fast it writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from aeterna.threads.domain.usage import Account
from aeterna.threads.errors import QuotaExceededError

if TYPE_CHECKING:
    from aeterna.service.caller import TenantId
    from aeterna.service.clock import Clock
    from aeterna.threads.ports import Accounts

REMEMBERED: Final = timedelta(seconds=10)
"""So long an account is believed before it is read again."""
LATER: Final = timedelta(minutes=1)
"""When it may be worth asking again for what only grows free by cleanup."""
_BURST_SECONDS: Final = 2.0
_MOST_TENANTS: Final = 10_000


@dataclass(slots=True)
class _Known:
    account: Account
    read_at: float
    tokens: float
    filled_at: float


class QuotaKeeper:
    """Keeps the quotas of every tenant in one process: a bucket of writes that refills, and remembered accounts.

    The rate holds for each process. What is held is as of the last count, so a tenant may exceed it by what it writes
    until the next one.
    """

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock
        self._known: dict[TenantId, _Known] = {}

    async def require_opening(self, tenant: TenantId, *, task: bool) -> None:
        """Raise `QuotaExceededError` when the tenant may have no further thread, or no further open task."""
        known = await self._tenant(tenant)
        usage, quotas = known.account.usage, known.account.quotas
        if quotas.threads is not None and usage.threads >= quotas.threads:
            raise QuotaExceededError("threads", quotas.threads, LATER)
        if task and quotas.open_tasks is not None and usage.open_tasks >= quotas.open_tasks:
            raise QuotaExceededError("open_tasks", quotas.open_tasks, LATER)

    async def require_writing(self, tenant: TenantId) -> None:
        """Take one write of the tenant's rate, or raise `QuotaExceededError` with when there is one again."""
        known = await self._tenant(tenant)
        usage, quotas = known.account.usage, known.account.quotas
        if quotas.bytes is not None and usage.bytes >= quotas.bytes:
            raise QuotaExceededError("bytes", quotas.bytes, LATER)
        rate = quotas.writes_per_second
        if rate is None:
            return
        now = self._clock()
        known.tokens = min(rate * _BURST_SECONDS, known.tokens + (now - known.filled_at) * rate)
        known.filled_at = now
        if known.tokens < 1:
            raise QuotaExceededError("writes_per_second", rate, timedelta(seconds=(1 - known.tokens) / rate))
        known.tokens -= 1

    async def _tenant(self, tenant: TenantId) -> _Known:
        now = self._clock()
        known = self._known.get(tenant)
        if known is not None and now - known.read_at < REMEMBERED.total_seconds():
            return known
        account = await self._accounts.account(tenant)
        rate = account.quotas.writes_per_second or 0
        # Looked up again: another request may have read the account meanwhile, and its bucket counts.
        known = self._known.get(tenant)
        if known is None:
            if len(self._known) >= _MOST_TENANTS:
                self._known.clear()
            known = _Known(account=account, read_at=now, tokens=rate * _BURST_SECONDS, filled_at=now)
            self._known[tenant] = known
        known.account, known.read_at = account, now
        return known
