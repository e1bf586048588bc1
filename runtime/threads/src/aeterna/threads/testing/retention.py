"""Legal holds and erasures as they are ordered, in memory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aeterna.service.clock import system_clock
from aeterna.service.hash_chain import GENESIS, link
from aeterna.threads.domain.erasure import AuditRecord, Erasure, ErasureState
from aeterna.threads.domain.holds import digest_of_held
from aeterna.threads.domain.usage import Account, Quotas, Usage
from aeterna.threads.errors import ErasureConflictError, ErasureNotFoundError, HoldNotFoundError, LegalHoldError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from aeterna.service.caller import TenantId
    from aeterna.service.clock import Clock
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.erasure import Target
    from aeterna.threads.domain.holds import Hold


class FakeRetention:
    """A `Retention` in memory. It knows no threads: a hold covers only what it names itself."""

    def __init__(self, *, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._holds: defaultdict[TenantId, dict[str, Hold]] = defaultdict(dict)
        self._erasures: defaultdict[TenantId, dict[UUID, Erasure]] = defaultdict(dict)
        self._audit: defaultdict[TenantId, list[AuditRecord]] = defaultdict(list)

    async def place(self, tenant: TenantId, hold: Hold) -> Hold:
        """See `Retention.place`."""
        found = self._holds[tenant].get(hold.hold_id)
        if found is not None and replace(hold, placed_by=found.placed_by, placed_at=found.placed_at) == found:
            return found
        self._holds[tenant][hold.hold_id] = hold
        self._add(tenant, {"event": "hold_placed", **_facts(hold), "by": hold.placed_by})
        return hold

    async def release(self, tenant: TenantId, hold_id: str, *, by: str) -> None:
        """See `Retention.release`."""
        hold = self._holds[tenant].pop(hold_id, None)
        if hold is None:
            raise HoldNotFoundError(hold_id)
        self._add(tenant, {"event": "hold_released", **_facts(hold), "by": by})

    async def holds(self, tenant: TenantId) -> tuple[Hold, ...]:
        """See `Retention.holds`."""
        return tuple(hold for _, hold in sorted(self._holds[tenant].items()))

    async def order(self, tenant: TenantId, erasure_id: UUID, target: Target, *, by: str) -> Erasure:
        """See `Retention.order`."""
        found = self._erasures[tenant].get(erasure_id)
        digest = target.digest(erasure_id)
        if found is not None:
            if (found.scope, found.target_digest) != (target.scope, digest):
                raise ErasureConflictError(erasure_id)
            return found
        for hold in await self.holds(tenant):
            names = {hold.thread_id, hold.subject} - {None}
            if target.tenant or not names or target.name in names:
                raise LegalHoldError(hold.hold_id)
        erasure = Erasure(
            erasure_id=erasure_id,
            state=ErasureState.PENDING,
            scope=target.scope,
            target_digest=digest,
            ordered_by=target.without_name(by),
            ordered_at=self._now(),
        )
        self._erasures[tenant][erasure_id] = erasure
        facts = {"erasure_id": str(erasure_id), "scope": target.scope, "target_digest": digest}
        self._add(tenant, {"event": "erasure_ordered", **facts, "by": erasure.ordered_by})
        return erasure

    async def erasure(self, tenant: TenantId, erasure_id: UUID) -> Erasure:
        """See `Retention.erasure`."""
        try:
            return self._erasures[tenant][erasure_id]
        except KeyError:
            raise ErasureNotFoundError(str(erasure_id)) from None

    async def erasures(self, tenant: TenantId, *, limit: int) -> tuple[Erasure, ...]:
        """See `Retention.erasures`."""
        return tuple(reversed(self._erasures[tenant].values()))[:limit]

    async def audit(self, tenant: TenantId, *, after: int, limit: int) -> tuple[AuditRecord, ...]:
        """See `Retention.audit`."""
        return tuple(self._audit[tenant][after : after + limit])

    def _add(self, tenant: TenantId, facts: Mapping[str, JsonValue]) -> None:
        chain = self._audit[tenant]
        record = {**facts, "at": self._now().isoformat()}
        previous = chain[-1].hash if chain else GENESIS
        chain.append(AuditRecord(number=len(chain) + 1, record=record, hash=link(previous, record)))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _facts(hold: Hold) -> Mapping[str, JsonValue]:
    return {"hold_id": hold.hold_id, "target_digest": digest_of_held(hold), "reason": hold.reason}


class FakeAccounts:
    """An `Accounts` in memory: ``kept`` are the accounts by tenant, and any other tenant has no limits."""

    def __init__(self) -> None:
        self.kept: dict[TenantId, Account] = {}

    async def account(self, tenant: TenantId) -> Account:
        """See `Accounts.account`."""
        return self.kept.get(tenant, Account(usage=Usage(), quotas=Quotas()))
