"""Keeps legal holds, orders of erasure and the ledger of objects in PostgreSQL, for one tenant at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aeterna.threads.adapters.audit_chain import add_record
from aeterna.threads.adapters.database import queries
from aeterna.threads.adapters.stepwise import Stepwise
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.erasure import AuditRecord, Erasure, ErasureState, Link
from aeterna.threads.domain.holds import Hold, digest_of_held
from aeterna.threads.errors import ErasureConflictError, ErasureNotFoundError, HoldNotFoundError, LegalHoldError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from aeterna.postgres.pool import Pool, Row
    from aeterna.service.caller import TenantId
    from aeterna.threads.adapters.stepwise import Work
    from aeterna.threads.domain.erasure import Target
    from aeterna.threads.domain.removal import ObjectKey


class PostgresRetention:
    """A `Retention` and an `ObjectLedger` in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        """Take connections of the service's role."""
        self._stepwise = Stepwise(pool, queries("session.sql", "retention.sql", "chain.sql"))

    async def place(self, tenant: TenantId, hold: Hold) -> Hold:
        """See `Retention.place`."""

        async def work(one: Work) -> Hold:
            # Whoever removes holds this lock shared: afterwards every removal sees the hold.
            await one.rows("hold_alone", tenant=tenant)
            found = await one.rows("read_hold", tenant=tenant, hold_id=hold.hold_id)
            if found and _same(_hold(found[0]), hold):
                return _hold(found[0])
            await one.rows("release_hold", tenant=tenant, hold_id=hold.hold_id)
            await one.rows(
                "place_hold",
                tenant=tenant,
                hold_id=hold.hold_id,
                thread_id=hold.thread_id,
                subject=hold.subject,
                reason=hold.reason,
                placed_by=hold.placed_by,
                placed_at=hold.placed_at,
            )
            await _audit(one, tenant, "hold_placed", hold, by=hold.placed_by)
            return hold

        return await self._stepwise.run(tenant, work)

    async def release(self, tenant: TenantId, hold_id: str, *, by: str) -> None:
        """See `Retention.release`."""

        async def work(one: Work) -> None:
            gone = await one.rows("release_hold", tenant=tenant, hold_id=hold_id)
            if not gone:
                raise HoldNotFoundError(hold_id)
            await _audit(one, tenant, "hold_released", _hold(gone[0]), by=by)

        await self._stepwise.run(tenant, work)

    async def holds(self, tenant: TenantId) -> tuple[Hold, ...]:
        """See `Retention.holds`."""
        return tuple(_hold(row) for row in await self._read(tenant, "holds"))

    async def order(self, tenant: TenantId, erasure_id: UUID, target: Target, *, by: str) -> Erasure:
        """See `Retention.order`."""
        digest = target.digest(erasure_id)

        async def work(one: Work) -> Erasure:
            await one.rows("hold_shared", tenant=tenant)
            await one.rows("chain_alone", tenant=tenant)  # also keeps a second order of the same id waiting
            found = await one.rows("read_erasure", tenant=tenant, erasure_id=erasure_id)
            if not found:
                await _require_no_hold(one, tenant, target)
                await _order(one, tenant, erasure_id, target, by)
                found = await one.rows("read_erasure", tenant=tenant, erasure_id=erasure_id)
            erasure = _erasure(found[0])
            if (erasure.scope, erasure.target_digest) != (target.scope, digest):
                raise ErasureConflictError(erasure_id)
            return erasure

        return await self._stepwise.run(tenant, work)

    async def erasure(self, tenant: TenantId, erasure_id: UUID) -> Erasure:
        """See `Retention.erasure`."""
        found = await self._read(tenant, "read_erasure", erasure_id=erasure_id)
        if not found:
            raise ErasureNotFoundError(str(erasure_id))
        return _erasure(found[0])

    async def erasures(self, tenant: TenantId, *, limit: int) -> tuple[Erasure, ...]:
        """See `Retention.erasures`."""
        return tuple(_erasure(row) for row in await self._read(tenant, "erasures", limit=limit))

    async def audit(self, tenant: TenantId, *, after: int, limit: int) -> tuple[AuditRecord, ...]:
        """See `Retention.audit`."""
        found = await self._read(tenant, "read_chain", after=after, limit=limit)
        return tuple(
            AuditRecord(number=row["number"], record=json.loads(row["record"]), hash=row["hash"]) for row in found
        )

    async def note(self, tenant: TenantId, keys: Sequence[ObjectKey]) -> None:
        """See `ObjectLedger.note`."""
        await self._read(
            tenant,
            "note_objects",
            threads=[key.thread_id for key in keys],
            digests=[key.sha256 for key in keys],
            sizes=[key.size for key in keys],
        )

    async def _read(self, tenant: TenantId, name: str, **parameters: object) -> Sequence[Row]:
        async def work(one: Work) -> Sequence[Row]:
            return await one.rows(name, tenant=tenant, **parameters)

        return await self._stepwise.run(tenant, work)


async def _order(one: Work, tenant: TenantId, erasure_id: UUID, target: Target, by: str) -> None:
    ordered = await one.row(
        "order_erasure",
        tenant=tenant,
        erasure_id=erasure_id,
        scope=target.scope,
        target=target.name,
        target_digest=target.digest(erasure_id),
        by=target.without_name(by),
    )
    await add_record(
        one,
        tenant,
        {
            "event": "erasure_ordered",
            "erasure_id": str(erasure_id),
            "scope": target.scope,
            "target_digest": target.digest(erasure_id),
            "by": target.without_name(by),
            "at": ordered["ordered_at"].isoformat(),
        },
    )


async def _require_no_hold(one: Work, tenant: TenantId, target: Target) -> None:
    name = {} if target.name is None else {"thread_id" if target.thread_id else "subject": target.name}
    found = await one.rows(f"hold_on_{target.scope}", tenant=tenant, **name)
    if found and found[0]["hold_id"] is not None:
        raise LegalHoldError(found[0]["hold_id"])


async def _audit(one: Work, tenant: TenantId, event: str, hold: Hold, *, by: str) -> None:
    now = await one.row("transaction_time")
    await add_record(
        one,
        tenant,
        {
            "event": event,
            "hold_id": hold.hold_id,
            "target_digest": digest_of_held(hold),
            "reason": hold.reason,
            "by": by,
            "at": now["now"].isoformat(),
        },
    )


def _same(one: Hold, other: Hold) -> bool:
    return (one.thread_id, one.subject, one.reason) == (other.thread_id, other.subject, other.reason)


def _hold(row: Row) -> Hold:
    return Hold(
        hold_id=row["hold_id"],
        thread_id=None if row["thread_id"] is None else ThreadId(row["thread_id"]),
        subject=row["subject"],
        reason=row["reason"],
        placed_by=row["placed_by"],
        placed_at=row["placed_at"],
    )


def _erasure(row: Row) -> Erasure:
    return Erasure(
        erasure_id=row["erasure_id"],
        state=ErasureState(row["state"]),
        scope=row["scope"],
        target_digest=row["target_digest"],
        ordered_by=row["ordered_by"],
        ordered_at=row["ordered_at"],
        done_at=row["done_at"],
        held_by=row["held_by"],
        removed=row["removed"],
        remains=row["remains"],
        link=None if row["audit_number"] is None else Link(number=row["audit_number"], hash=row["audit_hash"]),
    )
