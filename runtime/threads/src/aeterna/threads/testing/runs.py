"""Runners, leases and the ledger in memory, over the tasks of a log in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from aeterna.service.clock import system_clock
from aeterna.threads.domain.task import (
    MAX_RUNNERS,
    TERMINAL,
    AgentId,
    Freed,
    Lease,
    RunnerId,
    Step,
    StuckTask,
    result_json,
)
from aeterna.threads.errors import (
    LeaseLostError,
    QuotaExceededError,
    StepConflictError,
    StepNotFoundError,
    TaskEndedError,
    TaskNotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import timedelta

    from aeterna.service.caller import TenantId
    from aeterna.service.clock import Clock
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.conversation import ThreadId
    from aeterna.threads.domain.task import StuckPlace


class Runnable(Protocol):
    """What runs and the ledger read and change of a task in memory; the log keeps the same object."""

    agent: AgentId
    owner: str
    context_id: str
    version: int
    epoch: int
    runner: RunnerId | None
    waiting: bool
    waiting_since: datetime | None
    attempts: int
    expires_at: datetime | None

    @property
    def state(self) -> str | None:
        """What the log says of it."""
        ...


def lives(
    runners: Mapping[tuple[TenantId, AgentId, RunnerId], datetime],
    key: tuple[TenantId, AgentId, RunnerId | None],
    now: datetime,
) -> bool:
    """Return whether a runner lives; one of no name does not."""
    tenant, agent, runner = key
    expires_at = None if runner is None else runners.get((tenant, agent, runner))
    return expires_at is not None and expires_at > now


class FakeRuns:
    """A `Runs` over tasks in memory; ``runners`` says until when each lives, and the fake of the log shares both."""

    def __init__(
        self,
        tasks: Mapping[tuple[TenantId, ThreadId], Runnable],
        *,
        runners: dict[tuple[TenantId, AgentId, RunnerId], datetime] | None = None,
        clock: Clock = system_clock,
        most: int = MAX_RUNNERS,
    ) -> None:
        self.runners = {} if runners is None else runners
        self._tasks = tasks
        self._clock = clock
        self._most = most

    async def beat(self, tenant: TenantId, agent: AgentId, runner: RunnerId, *, ttl: timedelta) -> None:
        """See `Runs.beat`."""
        mine = [key for key in self.runners if key[:2] == (tenant, agent)]
        if (tenant, agent, runner) not in self.runners and len(mine) >= self._most:
            raise QuotaExceededError("runners", self._most)
        self.runners[tenant, agent, runner] = self._now() + ttl

    async def leave(self, tenant: TenantId, agent: AgentId, runner: RunnerId) -> None:
        """See `Runs.leave`."""
        if (tenant, agent, runner) in self.runners:
            self.runners[tenant, agent, runner] = self._now()
        for _, task in self._of(tenant, agent):
            if task.runner == runner:
                task.runner, task.attempts = None, max(task.attempts - 1, 0)

    async def claim(
        self,
        tenant: TenantId,
        agent: AgentId,
        runner: RunnerId,
        *,
        limit: int,
        held: Collection[ThreadId] | None = None,
    ) -> tuple[Lease, ...]:
        """See `Runs.claim`."""
        if not self._lives(tenant, agent, runner):
            return ()
        waiting = sorted(self._waiting(tenant, agent), key=_oldest)
        again = [] if held is None else [pair for pair in waiting if pair[1].runner == runner and pair[0] not in held]
        free = [pair for pair in waiting if not self._lives(tenant, agent, pair[1].runner)][:limit]
        for _, task in free:
            task.runner, task.epoch, task.attempts = runner, task.epoch + 1, task.attempts + 1
        return tuple(_lease(task_id, task) for task_id, task in sorted([*free, *again[:limit]], key=_oldest))

    async def release(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, epoch: int) -> None:
        """See `Runs.release`."""
        for found, task in self._of(tenant, agent):
            if found == task_id and task.epoch == epoch:
                task.runner = None

    async def stuck(self, tenant: TenantId, *, after: StuckPlace | None, limit: int) -> tuple[StuckTask, ...]:
        """See `Runs.stuck`."""
        found = sorted(
            (pair for agent in {task.agent for task in self._tasks.values()} for pair in self._waiting(tenant, agent)),
            key=_oldest,
        )
        views = [self._stuck(tenant, task_id, task) for task_id, task in found]
        return tuple(
            view
            for view in views
            if (not view.runner_alive or view.attempts > 1)
            and (after is None or (view.waiting_since, view.task_id) > (after.waiting_since, after.task_id))
        )[:limit]

    async def free(self, tenant: TenantId, task_id: ThreadId) -> Freed:
        """See `Runs.free`."""
        task = self._tasks.get((tenant, task_id))
        if task is None or _expired(task, self._now()):
            raise TaskNotFoundError(task_id)
        if task.state is not None and task.state in TERMINAL:
            raise TaskEndedError(task_id, task.state, task.version)
        task.runner, task.epoch, task.attempts = None, task.epoch + 1, 0
        return Freed(task_id=task_id, agent=task.agent, owner=task.owner, epoch=task.epoch, version=task.version)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _lives(self, tenant: TenantId, agent: AgentId, runner: RunnerId | None) -> bool:
        return lives(self.runners, (tenant, agent, runner), self._now())

    def _of(self, tenant: TenantId, agent: AgentId) -> Iterator[tuple[ThreadId, Runnable]]:
        for (owner, task_id), task in self._tasks.items():
            if owner == tenant and task.agent == agent:
                yield task_id, task

    def _waiting(self, tenant: TenantId, agent: AgentId) -> Iterator[tuple[ThreadId, Runnable]]:
        for task_id, task in self._of(tenant, agent):
            if task.waiting and not _expired(task, self._now()):
                yield task_id, task

    def _stuck(self, tenant: TenantId, task_id: ThreadId, task: Runnable) -> StuckTask:
        return StuckTask(
            task_id=task_id,
            owner=task.owner,
            agent=task.agent,
            runner=task.runner,
            runner_alive=self._lives(tenant, task.agent, task.runner),
            epoch=task.epoch,
            attempts=task.attempts,
            waiting_since=_since(task),
        )


@dataclass(slots=True)
class KeptStep:
    """A step in memory."""

    step: Step
    fingerprint: str


class FakeLedger:
    """A `Ledger` over tasks in memory."""

    def __init__(self, tasks: Mapping[tuple[TenantId, ThreadId], Runnable], *, clock: Clock = system_clock) -> None:
        self._tasks = tasks
        self._clock = clock
        self.steps: dict[tuple[TenantId, ThreadId, str], KeptStep] = {}

    async def begin(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, key: str, *, epoch: int, fingerprint: str
    ) -> Step:
        """See `Ledger.begin`."""
        self._check_fence(tenant, agent, task_id, epoch)
        begun = Step(key=key, finished=False, result=None, epoch=epoch, started_at=self._now(), finished_at=None)
        kept = self.steps.setdefault((tenant, task_id, key), KeptStep(begun, fingerprint))
        if kept.fingerprint != fingerprint:
            raise StepConflictError(key)
        return kept.step

    async def finish(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, key: str, *, epoch: int, result: JsonValue
    ) -> Step:
        """See `Ledger.finish`."""
        result_json(result)
        self._check_fence(tenant, agent, task_id, epoch)
        kept = self.steps.get((tenant, task_id, key))
        if kept is None:
            raise StepNotFoundError(key)
        if not kept.step.finished:
            kept.step = replace(kept.step, finished=True, result=result, finished_at=self._now())
        return kept.step

    def _check_fence(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, epoch: int) -> None:
        task = self._tasks.get((tenant, task_id))
        if task is None or task.agent != agent or _expired(task, self._now()):
            raise TaskNotFoundError(task_id)
        if task.epoch != epoch:
            raise LeaseLostError(task_id, epoch)
        if task.state is not None and task.state in TERMINAL:
            raise TaskEndedError(task_id, task.state, task.version)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _expired(task: Runnable, now: datetime) -> bool:
    return task.expires_at is not None and task.expires_at <= now


def _since(task: Runnable) -> datetime:
    return task.waiting_since or datetime.min.replace(tzinfo=UTC)


def _oldest(pair: tuple[ThreadId, Runnable]) -> tuple[datetime, ThreadId]:
    return _since(pair[1]), pair[0]


def _lease(task_id: ThreadId, task: Runnable) -> Lease:
    return Lease(
        task_id=task_id,
        owner=task.owner,
        context_id=task.context_id,
        epoch=task.epoch,
        version=task.version,
        attempts=task.attempts,
    )
