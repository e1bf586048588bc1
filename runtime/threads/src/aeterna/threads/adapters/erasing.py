"""Carries out erasures in PostgreSQL: hides what they reach, removes or buries it, and looks whether any is left."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from aeterna.threads.adapters.audit_chain import add_record
from aeterna.threads.adapters.removing import remove
from aeterna.threads.domain.removal import Advance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from aeterna.postgres.pool import Row
    from aeterna.service.caller import TenantId
    from aeterna.threads.adapters.stepwise import Stepwise, Work

HIDE: Final = "hide"
REMOVE: Final = "remove"
OBJECTS: Final = "objects"


class Eraser:
    """The steps of one erasure after the other; each is a transaction that notes how far it came."""

    def __init__(self, stepwise: Stepwise) -> None:
        """Take transactions of the jobs' role, with the statements of ``cleanup.sql`` and ``chain.sql``."""
        self._stepwise = stepwise

    async def pending(self) -> tuple[tuple[TenantId, UUID], ...]:
        """See `RetentionJobs.pending`."""

        async def work(one: Work) -> tuple[tuple[TenantId, UUID], ...]:
            return tuple((row["tenant"], row["erasure_id"]) for row in await one.rows("pending_erasures"))

        return await self._stepwise.run(None, work)

    async def advance(self, tenant: TenantId, erasure_id: UUID, *, limit: int) -> Advance:
        """See `RetentionJobs.advance`."""

        async def work(one: Work) -> Advance:
            found = await one.rows("lock_erasure", tenant=tenant, erasure_id=erasure_id)
            if not found:
                return Advance.DONE
            step = _Step(one, tenant, found[0], limit)
            await one.rows("hold_shared", tenants=[tenant])
            hold = await one.rows("hold_on_target", **step.target)
            if hold:
                return await step.held(hold[0]["hold_id"])
            match found[0]["phase"]:
                case "hide":
                    return await step.hide()
                case "remove":
                    return await step.remove()
                case _:
                    return await step.finish()

        return await self._stepwise.run(tenant, work)


class _Step:
    """One step of an erasure, in a transaction that has its row locked."""

    def __init__(self, work: Work, tenant: TenantId, row: Row, limit: int) -> None:
        self._work = work
        self._row = row
        self._limit = limit
        self._removed = Counter[str](row["removed"])
        self._key: Mapping[str, object] = {"tenant": tenant, "erasure_id": row["erasure_id"]}
        self._tenant = tenant
        self.target: Mapping[str, object] = {
            "tenant": tenant,
            "scope": row["scope"],
            "target": row["target"],
            "ordered_at": row["ordered_at"],
        }

    async def held(self, hold_id: str) -> Advance:
        """Note which hold stops the erasure; what is hidden stays hidden."""
        await self._note(self._row["phase"], self._row["after_thread"], held_by=hold_id)
        return Advance.HELD

    async def hide(self) -> Advance:
        """Hide the next threads that the erasure reaches from everybody."""
        seen = await self._work.row("hide_threads", after=self._row["after_thread"], limit=self._limit, **self.target)
        if seen["seen"] < self._limit:
            await self._note(REMOVE, "")
        else:
            await self._note(HIDE, seen["last"])
        return Advance.GOING

    async def remove(self) -> Advance:
        """Remove the next threads, and bury what the subject wrote in those of others."""
        if not self._row["settled"]:
            # A write that began before the order may still come to its end; only then is all of it to be seen.
            return Advance.WAITING
        work, after = self._work, self._row["after_thread"]
        found = await work.rows("next_threads", after=after, limit=self._limit, **self.target)
        reached = [{**row, "tenant": self._tenant} for row in found if row["reached"]]
        others = [row for row in found if not row["reached"]] if self._row["scope"] == "subject" else []
        written = await self._written(others)
        hold = await self._hold_on([*reached, *written])
        if hold is not None:
            return await self.held(hold)
        if written:
            self._removed["buried_rows"] += await self._bury(written)
            self._removed["touched_threads"] += len(written)
        if reached:
            await work.rows("lock_threads", tenant=self._tenant, threads=[row["thread_id"] for row in reached])
            gone = await remove(work, sorted(reached, key=lambda row: (row["born"], row["thread_id"])))
            self._removed.update(gone.counts)
            if gone.threads < len(reached):
                await self._note(REMOVE, after)
                return Advance.GOING
        more = len(found) == self._limit
        await self._note(REMOVE if more else OBJECTS, found[-1]["thread_id"] if more else "")
        return Advance.GOING

    async def finish(self) -> Advance:
        """Look whether anything is left, and write the certificate when nothing is."""
        work = self._work
        if (await work.row("objects_left", **self.target))["left_over"]:
            return Advance.WAITING
        await work.rows("patient")
        remains = await work.row("look_for_remains", **self.target)
        if any(remains.values()):
            # Something came to light late, as from a restore: once more from the start.
            await self._note(HIDE, "")
            return Advance.WAITING
        now = await work.row("transaction_time")
        link = await add_record(
            work,
            self._tenant,
            {
                "event": "erasure_done",
                "erasure_id": str(self._row["erasure_id"]),
                "scope": self._row["scope"],
                "target_digest": self._row["target_digest"],
                "removed": dict(+self._removed),
                "at": now["now"].isoformat(),
            },
        )
        await work.rows("finish_erasure", remains=json.dumps(remains), number=link.number, hash=link.hash, **self._key)
        return Advance.DONE

    async def _written(self, others: Sequence[Row]) -> Sequence[Row]:
        if not others:
            return []
        return await self._work.rows("written_by", **_lists(others), **self.target)

    async def _bury(self, threads: Sequence[Row]) -> int:
        buried = await self._work.row("bury_rows", **_lists(threads), **self.target)
        return buried["buried"]

    async def _hold_on(self, threads: Sequence[Row]) -> str | None:
        ids = [row["thread_id"] for row in threads]
        found = await self._work.rows("holds_on_threads", tenant=self._tenant, threads=ids)
        return found[0]["hold_id"] if found else None

    async def _note(self, phase: str, after: str, *, held_by: str | None = None) -> None:
        removed = json.dumps(+self._removed)
        await self._work.rows(
            "progress_erasure", phase=phase, after=after, removed=removed, held_by=held_by, **self._key
        )


def _lists(threads: Sequence[Row]) -> Mapping[str, object]:
    return {"threads": [row["thread_id"] for row in threads], "days": [row["born"] for row in threads]}
