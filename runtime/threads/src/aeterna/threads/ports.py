"""What the thread store needs from the outside: a durable store, and something that wakes readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta

    from aeterna.service.caller import TenantId
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.conversation import (
        MessageDraft,
        MessagePage,
        Opened,
        Position,
        Receipt,
        Thread,
        ThreadDraft,
        ThreadId,
    )
    from aeterna.threads.domain.task import (
        AgentId,
        Lease,
        RowPage,
        RunnerId,
        Step,
        StuckTask,
        TaskPage,
        TaskQuery,
        TaskView,
        Write,
        Written,
    )
    from aeterna.threads.errors import ThreadsError


class ThreadStore(Protocol):
    """The durable conversations of every tenant; no call sees or touches another tenant's.

    Kept by ``adapters.postgres``; faked in ``testing``. What is returned is durable. Every call is safe to repeat.
    Any call may raise `StoreUnavailableError` or `StoreBusyError`: then nothing is half-written, and an append may or
    may not have happened, which repeating it settles.
    """

    async def open(self, tenant: TenantId, draft: ThreadDraft, *, by: str) -> Opened:
        """Create the thread, or return the one that an equal draft created.

        Raises `ThreadConflictError` when the id is taken by a thread with another title or other metadata.
        """
        ...

    async def thread(self, tenant: TenantId, thread_id: ThreadId) -> Thread:
        """Return the thread, or raise `ThreadNotFoundError`."""
        ...

    async def threads(self, tenant: TenantId, *, after: Position | None, limit: int) -> tuple[Thread, ...]:
        """Return at most ``limit`` threads, newest first (by creation, then id), that come after the position."""
        ...

    async def append(
        self, tenant: TenantId, thread_id: ThreadId, draft: MessageDraft, *, by: str, expected_seq: int | None = None
    ) -> Receipt:
        """Write the message after the thread's last one, exactly once, and return where it stands.

        The same message id with the same content returns the first receipt, whatever ``expected_seq`` says; with
        other content it raises `MessageConflictError`. ``expected_seq`` is the ``last_seq`` that the writer saw: if
        the thread ends elsewhere, `SequenceConflictError`. `ThreadNotFoundError` when there is no such thread.
        `MessageTooLargeError` before anything is sent.
        """
        ...

    async def messages(self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, limit: int) -> MessagePage:
        """Return at most ``limit`` messages after ``after_seq``, in order.

        Raises `ThreadNotFoundError`, or `PositionAheadError` when the thread ends before ``after_seq``.
        """
        ...


class Waiter(Protocol):
    """One reader's wait for news of one thread."""

    async def wait(self, timeout: timedelta) -> bool:  # noqa: ASYNC109 - the timeout is the heartbeat, part of what is asked for
        """Return True as soon as there may be news since the last call, or False when the time is up.

        A wake is a hint: it may come without news, and it may fail to come. The store alone knows.
        """
        ...


class Wakes(Protocol):
    """Tells readers that a thread may have grown. Kept by ``adapters.listen``; faked in ``testing``."""

    def subscribe(self, tenant: TenantId, thread_id: ThreadId) -> AbstractAsyncContextManager[Waiter]:
        """Return a context in which what is announced of the thread, by any process, wakes the waiter."""
        ...

    def announce(self, tenant: TenantId, thread_id: ThreadId) -> None:
        """Have the readers of the thread woken soon; neither waits nor raises."""
        ...

    def wake_all(self) -> None:
        """Wake this process's readers, because something may have been missed or the process is ending."""
        ...


class TaskLog(Protocol):
    """The durable logs of every tenant's tasks. Kept by ``adapters.postgres_tasks``; faked in ``testing``.

    An ``agent`` sees its own tasks only, an ``owner`` its own only; a task of anybody else does not exist for them
    (`TaskNotFoundError`), and its id cannot be taken over. What is returned is durable. Any call may raise
    `StoreUnavailableError` or `StoreBusyError`: then nothing is half-written, and repeating it settles it.
    """

    async def write(
        self, tenant: TenantId, agent: AgentId, writes: Sequence[Write]
    ) -> tuple[Written | ThreadsError, ...]:
        """Make the writes, each of a task of its own, in one transaction; return what each came to, in their order.

        One that is refused changes nothing and does not touch the others: `TaskNotFoundError`, `TaskEndedError` (a
        terminal state), `LeaseLostError` (the epoch is not the present one), `VersionConflictError`,
        `MessageConflictError` (the message id is taken by other content), `QuotaExceededError`.
        """
        ...

    async def cancel(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, status: Mapping[str, JsonValue]
    ) -> Written:
        """Write the terminal status and take the lease from whoever has it, in one step.

        Raises `TaskNotFoundError`, or `TaskEndedError` when the task is in a terminal state already.
        """
        ...

    async def task(  # noqa: PLR0913 - says which rows of the task
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
        """Return the task with its last ``history_length`` rows that were said (None: all) and, if asked, its artifacts.

        ``upto`` leaves out rows after it. Raises `TaskNotFoundError`.
        """
        ...

    async def tasks(self, tenant: TenantId, agent: AgentId, query: TaskQuery) -> TaskPage:
        """Return the owner's tasks, the one whose status changed last first."""
        ...

    async def rows(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, after: int, limit: int
    ) -> RowPage:
        """Return at most ``limit`` rows after ``after``, of every kind, in order.

        Raises `TaskNotFoundError`, or `PositionAheadError` when the log ends before ``after``.
        """
        ...


class Runs(Protocol):
    """Which process of an agent runs which task. Kept by ``adapters.postgres_runs``; faked in ``testing``.

    A runner lives for as long as it says so. A task belongs to the runner that claimed it last; the epoch of its lease is
    the fence that the log compares on each write, so that a runner which was thought dead can write nothing.
    """

    async def beat(self, tenant: TenantId, agent: AgentId, runner: RunnerId, *, ttl: timedelta) -> None:
        """Say that the runner lives for another ``ttl`` by the database's clock."""
        ...

    async def leave(self, tenant: TenantId, agent: AgentId, runner: RunnerId) -> None:
        """Say that the runner ends: what it had claimed is free at once."""
        ...

    async def claim(self, tenant: TenantId, agent: AgentId, runner: RunnerId, *, limit: int) -> tuple[Lease, ...]:
        """Take over at most ``limit`` tasks that wait for a runner and have none that lives."""
        ...

    async def release(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, epoch: int) -> None:
        """Give the lease back; does nothing when it is somebody else's by now."""
        ...

    async def stuck(self, tenant: TenantId, *, limit: int) -> tuple[StuckTask, ...]:
        """Return tasks that wait without a living runner, and those that were tried again, the oldest first."""
        ...


class Ledger(Protocol):
    """Remembers which side effects of a task were done. Kept by ``adapters.postgres_ledger``; faked in ``testing``."""

    async def begin(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, key: str, *, epoch: int, fingerprint: str
    ) -> Step:
        """Note that the side effect is about to be done, unless it was finished before; return what is known of it.

        A step that is not finished and whose ``epoch`` is older than the caller's was cut off in the middle: nobody knows
        whether it was done. Raises `LeaseLostError`, or `StepConflictError` when the key was used for something else.
        """
        ...

    async def finish(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, key: str, *, epoch: int, result: JsonValue
    ) -> Step:
        """Keep the result; a step that is finished keeps its first. Raises `LeaseLostError`, `StepNotFoundError`."""
        ...
