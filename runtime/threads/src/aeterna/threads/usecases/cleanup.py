"""Removes what has expired, carries out erasures, and deletes what no thread names any more: one round, or for ever."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import structlog

from aeterna.threads.domain.removal import Advance
from aeterna.threads.errors import ThreadsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from aeterna.service.caller import TenantId
    from aeterna.threads.ports import ObjectStore, RetentionJobs

THREADS_AT_ONCE: Final = 200
OBJECTS_AT_ONCE: Final = 100
_SOON: Final = 1.0

Add: TypeAlias = "Callable[[Mapping[str, int]], None]"

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupLimits:
    """How often a round begins, and how long what may still be in use is left alone.

    ``object_grace`` is longer than any write takes: an object is written before the row that names it. ``runner_grace``
    is longer than any claim takes. What tenants hold is counted again after ``usage_age``.
    """

    interval: timedelta = timedelta(minutes=1)
    object_grace: timedelta = timedelta(minutes=10)
    runner_grace: timedelta = timedelta(minutes=5)
    usage_age: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a round did, by kind of thing; ``alone`` is False when another process was at it, and nothing was done."""

    alone: bool
    counts: Mapping[str, int]
    erasures: Mapping[str, int]


class Cleanup:
    """The rounds of one process. Each step is short and whole, so a round may be killed at any point."""

    def __init__(
        self,
        jobs: RetentionJobs,
        objects: ObjectStore | None,
        limits: CleanupLimits,
        told: Callable[[Report], None] | None = None,
    ) -> None:
        """Take what is told of each round of `run`."""
        self._jobs = jobs
        self._objects = objects
        self._limits = limits
        self._told = told
        self._ordered = asyncio.Event()

    def ordered(self) -> None:
        """Have a round begin at once, because an erasure was ordered or a hold released."""
        self._ordered.set()

    async def run(self) -> None:
        """Do rounds until cancelled; what fails is tried again in the next one."""
        waits = False
        while True:
            timeout = _SOON if waits else self._limits.interval.total_seconds()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._ordered.wait()
            self._ordered.clear()
            try:
                report = await self.round()
                if self._told is not None:
                    self._told(report)
                waits = report.erasures.get(Advance.WAITING, 0) > 0
            except ThreadsError as exc:
                log.warning("threads.cleanup_failed", code=exc.code)
                waits = False

    async def round(self, progress: Callable[[Mapping[str, int]], None] | None = None) -> Report:
        """Do one round, unless another process is at it; tell the counts after each step.

        A part that fails does not keep the others from being done; then the first failure is raised, one of
        `StoreUnavailableError`, `StoreBusyError` and `ObjectsUnavailableError`.
        """
        counts, outcomes, failures = Counter[str](), Counter[str](), list[ThreadsError]()

        def add(more: Mapping[str, int]) -> None:
            counts.update(more)
            if progress is not None:
                progress(counts)

        async with self._jobs.exclusively() as alone:
            if not alone:
                return Report(alone=False, counts={}, erasures={})
            # People first: whoever asked to be forgotten waits for it. And once more when their objects are gone.
            for part in (self._erase_all, self._upkeep, self._expire, self._delete_objects, self._erase_all):
                try:
                    outcomes.update(await part(add))
                except ThreadsError as exc:
                    failures.append(exc)
        if failures:
            raise failures[0]
        if set(counts) - {"tenants_measured"} or outcomes:
            log.info("threads.cleaned", **counts, **{f"erasures_{state}": n for state, n in outcomes.items()})
        return Report(alone=True, counts=counts, erasures=outcomes)

    async def _erase_all(self, _add: Add) -> Mapping[str, int]:
        outcomes = [await self._erase(tenant, id_) for tenant, id_ in await self._jobs.pending()]
        return Counter(outcome.value for outcome in outcomes)

    async def _upkeep(self, add: Add) -> Mapping[str, int]:
        add(await self._jobs.upkeep(grace=self._limits.runner_grace, limit=THREADS_AT_ONCE))
        add({"tenants_measured": await self._jobs.measure(age=self._limits.usage_age)})
        return {}

    async def _erase(self, tenant: TenantId, erasure_id: UUID) -> Advance:
        outcome = Advance.GOING
        while outcome is Advance.GOING:
            outcome = await self._jobs.advance(tenant, erasure_id, limit=THREADS_AT_ONCE)
        if outcome is Advance.HELD:
            log.warning("threads.erasure_held", erasure_id=str(erasure_id))
        return outcome

    async def _expire(self, add: Add) -> Mapping[str, int]:
        place, more = None, True
        while more:
            removed = await self._jobs.expire(after=place, limit=THREADS_AT_ONCE)
            add(removed.counts)
            place, more = removed.next_place, removed.next_place is not None
        return {}

    async def _delete_objects(self, add: Add) -> Mapping[str, int]:
        while settled := await self._jobs.settle(grace=self._limits.object_grace, limit=OBJECTS_AT_ONCE):
            add({"objects_settled": settled})
        more = self._objects is not None
        while more and self._objects is not None:
            async with self._jobs.doomed(limit=OBJECTS_AT_ONCE) as keys:
                if keys:
                    await self._objects.delete(keys)
                    add({"objects_deleted": len(keys)})
            more = bool(keys)
        return {}
