"""What the thread store needs from the outside: a durable store, and something that wakes readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime, timedelta
    from uuid import UUID

    from aeterna.service.caller import TenantId
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.conversation import (
        Append,
        MessageDraft,
        MessagePage,
        Opened,
        Position,
        Receipt,
        Thread,
        ThreadDraft,
        ThreadId,
    )
    from aeterna.threads.domain.erasure import AuditRecord, Erasure, Target
    from aeterna.threads.domain.holds import Hold
    from aeterna.threads.domain.push import (
        Attempt,
        Backlog,
        ConfigId,
        DeadLetter,
        Lane,
        LaneId,
        LetterChoice,
        LetterId,
        Notification,
        PushConfig,
        PushDraft,
        PushSecrets,
        Reason,
    )
    from aeterna.threads.domain.removal import Advance, ExpiryPlace, ObjectKey, Removed
    from aeterna.threads.domain.search import HitPage, Search, SearchPlace, ThreadFilter, ThreadsFound
    from aeterna.threads.domain.task import (
        AgentId,
        Freed,
        Lease,
        News,
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
    from aeterna.threads.domain.usage import Account
    from aeterna.threads.errors import ThreadsError


Told: TypeAlias = "Callable[[int, Written | ThreadsError], None]"
"""Hears of a write by its place among those of its call."""
ToldOfAppend: TypeAlias = "Callable[[int, Receipt | ThreadsError], None]"
"""Hears of an append by its place among those of its call."""


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

    async def append_all(self, tenant: TenantId, appends: Sequence[Append], told: ToldOfAppend) -> None:
        """Append all of them, in one transaction if no thread has to be waited for; tell of each what it came to.

        That is what `append` returns or raises. Those of one thread are written in their order, and no two of them may
        have the same message id. One that is refused does not touch the others.
        """
        ...

    async def messages(self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, limit: int) -> MessagePage:
        """Return at most ``limit`` messages after ``after_seq``, in order.

        Raises `ThreadNotFoundError`, or `PositionAheadError` when the thread ends before ``after_seq``.
        """
        ...


class ThreadSearch(Protocol):
    """Finds what plain threads say. Kept by ``adapters.postgres_search``; faked in ``testing``.

    A tenant finds its own only, and nothing that has expired, was erased, or belongs to a task.
    """

    async def search(self, tenant: TenantId, search: Search, *, after: SearchPlace | None, limit: int) -> HitPage:
        """Return at most ``limit`` hits, newest first, that come after the place.

        Raises `SearchInvalidError` when there is nothing to look for; `StoreUnavailableError` or `StoreBusyError`.
        """
        ...


class ThreadListing(Protocol):
    """Lists some of a tenant's plain threads. Kept by ``adapters.postgres_listing``; faked in ``testing``."""

    async def find(self, tenant: TenantId, wanted: ThreadFilter, *, after: Position | None, limit: int) -> ThreadsFound:
        """Return at most ``limit`` threads that fit, newest first, that come after the position.

        Raises `StoreUnavailableError` or `StoreBusyError`.
        """
        ...


class SearchIndex(Protocol):
    """The index of the search, of all tenants. Kept by ``adapters.postgres_search``."""

    async def sweep(self, *, limit: int) -> bool | None:
        """Make what so many threads say searchable, as far as one step goes; return whether to go on at once.

        None where another process is at it. Raises `StoreUnavailableError` or `StoreBusyError`.
        """
        ...


class Waiter(Protocol):
    """One reader's wait for news of one thread."""

    async def wait(self, timeout: timedelta) -> bool:  # noqa: ASYNC109 - the timeout is the heartbeat, part of what is asked for
        """Return True as soon as there may be news since the last call, or False when the time is up.

        A wake is a hint: it may come without news, and it may fail to come. The store alone knows.
        """
        ...


class AgentWaiter(Protocol):
    """An agent's wait for news of any of its tasks."""

    async def wait(self, timeout: timedelta) -> News | None:  # noqa: ASYNC109 - as in `Waiter`
        """Return what may be new since the last call as soon as anything may be, or None when the time is up.

        News are hints, as wakes are. What a reader is too slow for is told together, in the end as ``everything``.
        """
        ...


class Wakes(Protocol):
    """Tells readers that a thread may have grown. Kept by ``adapters.listen``; faked in ``testing``."""

    def subscribe_agent(self, tenant: TenantId, agent: AgentId) -> AbstractAsyncContextManager[AgentWaiter]:
        """Return a context in which what is announced of the agent's tasks, by any process, reaches the waiter."""
        ...

    def announce_task(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, version: int) -> None:
        """Have the agent's readers told soon that its task has grown to a version; neither waits nor raises."""
        ...

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
        """Return at most ``limit`` rows after ``after``, of every kind, in order.

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


class PushConfigs(Protocol):
    """Who is told of each task. Kept by ``adapters.postgres_push``; faked in ``testing``.

    As in `TaskLog`, a task of another agent or owner does not exist.
    """

    async def put(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, draft: PushDraft, sealed: bytes | None, *, owner: str
    ) -> PushConfig:
        """Keep the configuration under its id, with its secrets sealed; an earlier one of this id is replaced.

        From then on each streamed row of the task is noted in the outbox, in the transaction that writes it. Raises
        `TaskNotFoundError`, or `QuotaExceededError` when the task has as many as it may.
        """
        ...

    async def configs(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str
    ) -> tuple[PushConfig, ...]:
        """Return the configurations in the order in which they came, or raise `TaskNotFoundError`."""
        ...

    async def delete(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, config_id: ConfigId, *, owner: str
    ) -> None:
        """Forget a configuration and what was still to be told to it; does nothing where there is none."""
        ...


class Outbox(Protocol):
    """What is still to be told, for dispatchers to share. Kept by ``adapters.postgres_outbox``; faked in ``testing``.

    A lane belongs to the lease that claimed it last, until ``ttl`` after the claim or the last call for it.
    """

    async def claim(
        self, lease: UUID, *, limit: int, per_host: int, rooms: Mapping[str, int], depth: int, ttl: timedelta
    ) -> tuple[Lane, ...]:
        """Take at most ``limit`` lanes that are due and nobody has, each with its first ``depth`` places in the log.

        At most ``per_host`` of one host, or as many as ``rooms`` says of it.
        """
        ...

    async def delivered(self, lane_id: LaneId, seq: int, lease: UUID, *, ttl: timedelta) -> bool:
        """Forget a notification that was delivered; return whether the lane is still this lease's."""
        ...

    async def failed(self, lane_id: LaneId, lease: UUID, *, attempts: int, wait: timedelta) -> None:
        """Give the lane back, to be tried again after ``wait``."""
        ...

    async def bury(
        self, lane_id: LaneId, seq: int, lease: UUID, *, reason: Reason, error: str, attempts: int, ttl: timedelta
    ) -> bool:
        """Make a notification a dead letter, if the lane is still this lease's, and return whether it is."""
        ...

    async def release(self, lane_id: LaneId, lease: UUID) -> None:
        """Give the lane back, due at once."""
        ...

    async def sweep(self, *, max_age: timedelta, most: int) -> Mapping[Reason, int]:
        """Bury what waits longer than ``max_age``, and of each tenant the oldest beyond ``most``; return how many."""
        ...

    async def backlog(self) -> Backlog:
        """Return how much is still to be told."""
        ...


class DeadLetters(Protocol):
    """What could not be told. Kept by ``adapters.postgres_push``; faked in ``testing``."""

    async def letters(
        self, tenant: TenantId, choice: LetterChoice, *, before: LetterId | None, limit: int
    ) -> tuple[DeadLetter, ...]:
        """Return at most ``limit`` dead letters, newest first, that are older than ``before``."""
        ...

    async def replay(self, tenant: TenantId, choice: LetterChoice) -> int:
        """Have them sent again, each at its old place among those of its receiver; return how many.

        Raises `DeadLetterNotFoundError` when one was named that is not there.
        """
        ...

    async def discard(self, tenant: TenantId, choice: LetterChoice) -> int:
        """Forget them for good; as `replay`."""
        ...


class SecretBox(Protocol):
    """Keeps the secrets of receivers from whoever reads the database. Kept by ``adapters.push_secrets``."""

    def seal(self, secrets: PushSecrets, *, place: tuple[str, ...]) -> bytes | None:
        """Return the secrets encrypted for one place only, or None where there are none."""
        ...

    def open(self, sealed: bytes | None, *, place: tuple[str, ...]) -> PushSecrets:
        """Return the secrets; raise `SecretsUnreadableError` when they were not sealed for this place by our keys."""
        ...


class Resolver(Protocol):
    """Finds the addresses of names. Kept by ``adapters.resolver``; faked in ``testing``."""

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """Return every address of the host, in the order of preference; none where it has none or nobody knows."""
        ...


class Courier(Protocol):
    """Brings notifications to their receivers. Kept by ``adapters.push_http``; faked in ``testing``."""

    async def deliver(self, notification: Notification, *, at: datetime) -> Attempt:
        """Send it once, signed at that moment, and return what came of it; never raises for what a receiver does."""
        ...


class PushObserver(Protocol):
    """Hears what the dispatcher does. Kept by ``adapters.push_metrics``."""

    def delivered(self) -> None:
        """Note a notification that its receiver took."""
        ...

    def failed(self) -> None:
        """Note an attempt that will be made again."""
        ...

    def died(self, reason: Reason, count: int = 1) -> None:
        """Note dead letters."""
        ...

    def backlog(self, backlog: Backlog) -> None:
        """Note how much is still to be told."""
        ...


class Retention(Protocol):
    """Legal holds and erasures of one tenant, as they are ordered.

    Kept by ``adapters.postgres_retention``; faked in ``testing``. Each order is on record in the tenant's audit chain
    before it is answered. Any call may raise `StoreUnavailableError` or `StoreBusyError`, and may be repeated.
    """

    async def place(self, tenant: TenantId, hold: Hold) -> Hold:
        """Put the hold in force; one of the same id is replaced, and an equal one stays as it was placed first."""
        ...

    async def release(self, tenant: TenantId, hold_id: str, *, by: str) -> None:
        """End the hold, or raise `HoldNotFoundError`."""
        ...

    async def holds(self, tenant: TenantId) -> tuple[Hold, ...]:
        """Return the holds in force, by id."""
        ...

    async def order(self, tenant: TenantId, erasure_id: UUID, target: Target, *, by: str) -> Erasure:
        """Put the erasure on record, or return the one that an equal order put there.

        Raises `LegalHoldError` when a hold covers a part of what it would reach, `ErasureConflictError` when the id is
        another erasure's.
        """
        ...

    async def erasure(self, tenant: TenantId, erasure_id: UUID) -> Erasure:
        """Return the erasure, or raise `ErasureNotFoundError`."""
        ...

    async def erasures(self, tenant: TenantId, *, limit: int) -> tuple[Erasure, ...]:
        """Return the erasures, the newest first."""
        ...

    async def audit(self, tenant: TenantId, *, after: int, limit: int) -> tuple[AuditRecord, ...]:
        """Return what was ordered and done, in the order of the chain, after a number."""
        ...


class RetentionJobs(Protocol):
    """The work of cleanup and erasures, in steps that are short, whole and safe to repeat; of all tenants.

    Kept by ``adapters.postgres_cleanup``; faked in ``testing``. Whoever is killed between two steps, or in one, leaves
    nothing half-done. Any call may raise `StoreUnavailableError` or `StoreBusyError`.
    """

    def exclusively(self) -> AbstractAsyncContextManager[bool]:
        """Return a context that says whether this is the one process that works; another one's end frees the place."""
        ...

    async def expire(self, *, after: ExpiryPlace | None, limit: int) -> Removed:
        """Remove at most ``limit`` expired threads that no hold keeps, from a place on."""
        ...

    async def upkeep(self, *, grace: timedelta, limit: int) -> Mapping[str, int]:
        """Make the log's next partitions, drop one that is empty, remove dead runners; return how many of each."""
        ...

    async def pending(self) -> tuple[tuple[TenantId, UUID], ...]:
        """Return the erasures that are not done, the oldest first."""
        ...

    async def advance(self, tenant: TenantId, erasure_id: UUID, *, limit: int) -> Advance:
        """Do the erasure's next step over at most ``limit`` threads."""
        ...

    async def settle(self, *, grace: timedelta, limit: int) -> int:
        """Decide for objects older than the grace whether a row names them; return for how many it was decided."""
        ...

    def doomed(self, *, limit: int) -> AbstractAsyncContextManager[tuple[ObjectKey, ...]]:
        """Return a context of objects that no row names: they are forgotten when it ends well, and kept when not."""
        ...

    async def measure(self, *, age: timedelta) -> int:
        """Count what each tenant holds, unless that was done so recently; return the number of tenants."""
        ...


class ObjectLedger(Protocol):
    """Knows of every object before it exists. Kept by ``adapters.postgres_retention``; faked in ``testing``."""

    async def note(self, tenant: TenantId, keys: Sequence[ObjectKey]) -> None:
        """Put on record that the objects are about to be written; waits for who is deleting one of them."""
        ...


class ObjectStore(Protocol):
    """Keeps large parts under their SHA-256. Kept by ``adapters.object_store``; faked in ``testing``.

    Any call may raise `ObjectsUnavailableError`. A tenant's objects are its own, and a thread's are its own.
    """

    async def put(self, key: ObjectKey, content: bytes) -> None:
        """Write the object durably; one that is there already has the same content."""
        ...

    async def get(self, key: ObjectKey) -> bytes | None:
        """Return the object's content as it is, or None when there is none."""
        ...

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        """Delete the objects; those that are gone already do no harm."""
        ...


class Accounts(Protocol):
    """What tenants hold and may hold. Kept by ``adapters.postgres_usage``; faked in ``testing``."""

    async def account(self, tenant: TenantId) -> Account:
        """Return the tenant's account; raises `StoreUnavailableError` or `StoreBusyError`."""
        ...
