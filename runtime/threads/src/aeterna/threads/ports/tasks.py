"""Where the logs of tasks are kept, which process of an agent runs which, and which side effects were done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import timedelta

    from aeterna.service.caller import TenantId
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.conversation import (
        ThreadId,
    )
    from aeterna.threads.domain.task import (
        AgentId,
        Freed,
        Lease,
        RowPage,
        RunnerId,
        Step,
        StuckPlace,
        StuckTask,
        TaskPage,
        TaskQuery,
        TaskView,
        Write,
        Written,
    )
    from aeterna.threads.errors import ThreadsError

Told: TypeAlias = "Callable[[int, Written | ThreadsError], None]"
"""Hears of a write by its place among those of its call."""


class TaskLog(Protocol):
    """The durable logs of every tenant's tasks. Kept by ``adapters.postgres_tasks``; faked in ``testing``.

    An ``agent`` sees its own tasks only, an ``owner`` its own only; a task of anybody else does not exist for them
    (`TaskNotFoundError`), and its id cannot be taken over. What is returned is durable. Any call may raise
    `StoreUnavailableError` or `StoreBusyError`: then nothing is half-written, and repeating it settles it.
    """

    async def write(
        self, tenant: TenantId, agent: AgentId, writes: Sequence[Write], told: Told | None = None
    ) -> tuple[Written | ThreadsError, ...]:
        """Make the writes, in one transaction if none has to be waited for; return what each came to, in their order.

        ``told`` is told of each by its place as soon as it is settled. One that is refused changes nothing and does not
        touch the others: `LifetimeError`, `MessageTooLargeError`, `TaskNotFoundError`, `MessageConflictError` (the
        message id is taken by other content), `LeaseLostError` (the epoch is not the present one), `TaskEndedError` (a
        terminal state), `VersionConflictError`, which are looked for in that order; `QuotaExceededError`; and
        `StoreBusyError` for a task that somebody else has locked for too long. What was made before is recognised
        whatever has become of the task since.
        """
        ...

    async def cancel(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, status: Mapping[str, JsonValue]
    ) -> Written:
        """Write the terminal status and take the lease from whoever has it, in one step.

        Raises `TaskNotFoundError`, or `TaskEndedError` when the task is in a terminal state already.
        """
        ...

    async def task(
        self,
        tenant: TenantId,
        agent: AgentId,
        task_id: ThreadId,
        *,
        owner: str,
        history_length: int | None,
        artifacts: bool,
        upto: int | None = None,
    ) -> TaskView:
        """Return the task with its last ``history_length`` rows that were said (None: all) and its artifacts, if asked.

        ``upto`` leaves out rows after it. Raises `TaskNotFoundError`.
        """
        ...

    async def tasks(self, tenant: TenantId, agent: AgentId, query: TaskQuery) -> TaskPage:
        """Return the owner's tasks, the one whose status changed last first."""
        ...

    async def rows(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, after: int, limit: int
    ) -> RowPage:
        """Return at most ``limit`` rows after ``after``, of every kind, in order, and no more than fill a page.

        The last of them may stand before the log's end however few they are; there is one at least if any follows.

        Raises `TaskNotFoundError`, or `PositionAheadError` when the log ends before ``after``.
        """
        ...


class Runs(Protocol):
    """Which process of an agent runs which task. Kept by ``adapters.postgres_runs``; faked in ``testing``.

    A runner lives for as long as it says so. A task belongs to the runner that claimed it last; the epoch of its lease
    is the fence that the log compares on each write, so that a runner which was thought dead can write nothing. An
    agent's tasks are no other agent's to claim or release. Any call may raise `StoreUnavailableError` or
    `StoreBusyError`, and may be repeated.
    """

    async def beat(self, tenant: TenantId, agent: AgentId, runner: RunnerId, *, ttl: timedelta) -> None:
        """Say that the runner lives for another ``ttl`` by the database's clock.

        Raises `QuotaExceededError` when the agent has as many runners as it may.
        """
        ...

    async def leave(self, tenant: TenantId, agent: AgentId, runner: RunnerId) -> None:
        """Say that the runner ends: what it had claimed is free at once, and counts as no attempt."""
        ...

    async def claim(
        self,
        tenant: TenantId,
        agent: AgentId,
        runner: RunnerId,
        *,
        limit: int,
        held: Collection[ThreadId] | None = None,
    ) -> tuple[Lease, ...]:
        """Take over at most ``limit`` tasks that wait for a runner and have none that lives, the oldest first.

        Nothing for a runner that does not live itself. ``held`` are the tasks that the runner knows to be its own: at
        most ``limit`` others that wait and are its own are given again with the epoch they have, since the answer that
        gave them must have been lost.
        """
        ...

    async def release(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, epoch: int) -> None:
        """Give the lease back; does nothing when it is somebody else's by now."""
        ...

    async def stuck(self, tenant: TenantId, *, after: StuckPlace | None, limit: int) -> tuple[StuckTask, ...]:
        """Return tasks that wait without a living runner, and those that were tried again, the oldest first."""
        ...

    async def free(self, tenant: TenantId, task_id: ThreadId) -> Freed:
        """Take the lease from whoever has it, so that they can write nothing more, and forget the attempts.

        Raises `TaskNotFoundError`, or `TaskEndedError` when there is nothing left to run.
        """
        ...


class Ledger(Protocol):
    """Remembers which side effects of a task were done. Kept by ``adapters.postgres_ledger``; faked in ``testing``."""

    async def begin(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, key: str, *, epoch: int, fingerprint: str
    ) -> Step:
        """Note that the side effect is about to be done, unless it was finished before; return what is known of it.

        A step that is not finished and whose ``epoch`` is older than the caller's was cut off in the middle: nobody
        knows whether it was done. Raises `TaskNotFoundError`, `LeaseLostError`, `TaskEndedError`, or
        `StepConflictError` when the key was used for something else.
        """
        ...

    async def finish(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, key: str, *, epoch: int, result: JsonValue
    ) -> Step:
        """Keep the result; a step that is finished keeps its first.

        Raises `TaskNotFoundError`, `LeaseLostError`, `TaskEndedError`, `StepNotFoundError`, or `StepTooLargeError`
        before anything is sent.
        """
        ...
