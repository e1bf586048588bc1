"""Leases and the ledger in memory, over the logs in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aeterna.a2a.domain.rows import Lease, Step
from aeterna.a2a.errors import LeaseGoneError, StoreRefusedError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import timedelta

    from aeterna.a2a.testing.tasks import FakeTaskLog, KeptTask
    from aeterna.contracts.json_value import JsonValue


class FakeLeases:
    """A `Leases` in memory."""

    def __init__(self, log: FakeTaskLog) -> None:
        self._log = log

    async def beat(self, runner: str, *, ttl: timedelta) -> None:
        """See `Leases.beat`."""
        await self._log.require()
        self._log.beat(runner, ttl.total_seconds())

    async def leave(self, runner: str) -> None:
        """See `Leases.leave`."""
        await self._log.require()
        self._log.expire(runner)

    async def claim(self, runner: str, *, limit: int, held: Collection[str] = ()) -> tuple[Lease, ...]:
        """See `Leases.claim`."""
        await self._log.require()
        if not self._log.alive(runner):
            return ()
        waiting = [kept for kept in self._log.kept.values() if kept.task.waiting]
        again = [kept for kept in waiting if kept.runner == runner and kept.task.task_id not in held]
        free = [kept for kept in waiting if not self._log.alive(kept.runner)]
        leases = [_lease(kept, kept.task.epoch) for kept in again]
        return (*leases, *(_lease(kept, self._log.take(kept, runner)) for kept in free[:limit]))

    async def release(self, task_id: str, *, epoch: int) -> None:
        """See `Leases.release`."""
        await self._log.require()
        kept = self._log.kept.get(task_id)
        if kept is not None and kept.task.epoch == epoch:
            kept.runner = None


class FakeLedger:
    """A `Ledger` in memory."""

    def __init__(self, log: FakeTaskLog) -> None:
        self._log = log

    async def begin(self, task_id: str, key: str, *, epoch: int, fingerprint: str) -> Step:
        """See `Ledger.begin`."""
        kept = await self._fenced(task_id, epoch)
        if (known := kept.steps.get(key)) is None:
            step = Step(key=key, finished=False, result=None, epoch=epoch)
            kept.steps[key] = (fingerprint, step)
            return step
        first, step = known
        if first != fingerprint:
            raise StoreRefusedError("threads.step_conflict", f"step {key} was begun with other arguments")
        return step

    async def finish(self, task_id: str, key: str, *, epoch: int, result: JsonValue) -> Step:
        """See `Ledger.finish`."""
        kept = await self._fenced(task_id, epoch)
        if (known := kept.steps.get(key)) is None:
            raise StoreRefusedError("threads.step_not_found", f"no step {key}")
        fingerprint, step = known
        if not step.finished:
            step = replace(step, finished=True, result=result, epoch=epoch)
            kept.steps[key] = (fingerprint, step)
        return step

    async def _fenced(self, task_id: str, epoch: int) -> KeptTask:
        await self._log.require()
        kept = self._log.kept.get(task_id)
        if kept is None or kept.task.epoch != epoch or kept.runner is None:
            raise LeaseGoneError(task_id)
        return kept


def _lease(kept: KeptTask, epoch: int) -> Lease:
    task = kept.task
    return Lease(
        task_id=task.task_id,
        owner=task.owner,
        context_id=task.context_id,
        epoch=epoch,
        version=task.version,
        attempts=task.attempts,
    )
