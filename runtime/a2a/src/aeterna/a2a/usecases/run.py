"""Runs one task for as long as its lease lasts: the messages that were not handled, in order."""

from __future__ import annotations

import asyncio
import contextvars
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
from a2a.auth.user import User
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.context import ServerCallContext
from a2a.server.events import EventQueue
from a2a.types import (
    Message,
    Part,
    Role,
    SendMessageRequest,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from a2a.utils.errors import A2AError

from aeterna.a2a.domain.events import Progress, payload_object, progress_of
from aeterna.a2a.domain.fold import assembled
from aeterna.a2a.domain.messages import REQUEST, row_message
from aeterna.a2a.domain.proto_json import proto_of
from aeterna.a2a.domain.replay import Replay, recorded_of
from aeterna.a2a.domain.rows import Lease, StoredRow
from aeterna.a2a.errors import AgentError, LeaseGoneError, StoreAwayError, StoreRefusedError
from aeterna.a2a.ports import Ledger, TaskLog
from aeterna.a2a.usecases.channels import Channels
from aeterna.a2a.usecases.log_queue import LogQueue
from aeterna.a2a.usecases.steps import STATE_KEY, Steps
from aeterna.service.trace import enter_trace, trace_id_of

if TYPE_CHECKING:
    from a2a.server.events import Event
    from a2a.types import Task

    from aeterna.a2a.domain.rows import TaskView
    from aeterna.a2a.usecases.channels import Channel

_CANCEL_SECONDS: Final = 10.0
_logger: Final[structlog.stdlib.BoundLogger] = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A task whose first message was just written by this process, so that nothing has to be read.

    ``context`` is the caller's, so that what the executor does counts as part of the request that it answers.
    """

    message: StoredRow
    context: contextvars.Context


class Owner(User):
    """The caller that a task belongs to."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def is_authenticated(self) -> bool:
        """Whether the caller is known: always, where the kit runs a task."""
        return True

    @property
    def user_name(self) -> str:
        """The subject of the caller's token."""
        return self._name


@dataclass(slots=True, kw_only=True)
class Run:
    """One lease on one task, until it is handled, lost or handed over."""

    lease: Lease
    executor: AgentExecutor
    log: TaskLog
    ledger: Ledger
    channels: Channels
    most_attempts: int
    begun: Begun | None = None
    lost: bool = False
    canceled: bool = False
    failed: bool = False
    """Whether it ended by something that neither the agent nor a takeover explains: the message is not handled."""
    _queue: LogQueue | None = None
    _executing: asyncio.Task[None] | None = None
    _context: RequestContext | None = None
    _traceparent: str | None = None

    async def go(self) -> None:
        """Run what is to be run; raises nothing but the cancellation by which a process hands its runs over."""
        with self.channels.open(self.lease.task_id, runs=True) as channel:
            channel.top = max(channel.top, self.lease.version)
            try:
                await self._messages(channel)
            except LeaseGoneError:
                await _logger.ainfo("a2a.lease_gone", task_id=self.lease.task_id, epoch=self.lease.epoch)
            except StoreAwayError:
                # The lease stays: whoever has it when the store is back goes on at the next poll.
                await _logger.aerror("a2a.run_failed", task_id=self.lease.task_id, code=StoreAwayError.code)
            except Exception as error:  # noqa: BLE001 - a defect of ours or of the store, of which operators must hear
                self.failed = not self.lost
                await _logger.aerror("a2a.run_failed", task_id=self.lease.task_id, exc_info=error)
            finally:
                if self._queue is not None:
                    self._queue.close()

    def stop(self, *, canceled: bool = False) -> None:
        """Stop at once and write nothing: the lease is gone."""
        self.lost = True
        self.canceled = self.canceled or canceled
        if self._queue is not None:
            self._queue.close()
        if self._executing is not None:
            self._executing.cancel()

    def is_behind(self, version: int) -> bool:
        """Tell whether somebody else may have written, up to this version; 0 is one that nobody knows."""
        return self._queue is not None and not self.lost and (not version or version > self._queue.version)

    async def look(self, version: int) -> None:
        """See whether the task was ended or taken over by somebody else, unless what was written here explains it."""
        queue = self._queue
        if queue is None:
            return
        await queue.settled()
        if not self.is_behind(version):
            return
        try:
            view = await self.log.task(self.lease.task_id, owner=self.lease.owner, history_length=0, artifacts=False)
        except AgentError as error:
            await _logger.awarning("a2a.look_failed", task_id=self.lease.task_id, code=error.code)
            return
        if view.task.epoch != self.lease.epoch:
            self.stop(canceled=view.task.state == "TASK_STATE_CANCELED")

    async def _messages(self, channel: Channel) -> None:
        handled, more = 0, True
        if self.begun is not None:
            progress = Progress(task_id=self.lease.task_id, context_id=self.lease.context_id)
            progress.messages.add(self.begun.message.row.message_id or "")
            more = await self._answer(self.begun.message, None, progress, channel, self.lease.version)
            handled = self.begun.message.seq
        while more and not self.lost:
            view = await self.log.task(self.lease.task_id, owner=self.lease.owner)
            handled = max(handled, view.task.handled_seq)
            waiting = [row for row in view.rows if _asks(row) and row.seq > handled]
            if not waiting or view.task.epoch != self.lease.epoch:
                return
            progress = progress_of(
                (row.row for row in view.rows),
                task_id=self.lease.task_id,
                context_id=self.lease.context_id,
                state=view.task.state,
            )
            proto_of(view.task.metadata or {}, progress.metadata)
            more = await self._answer(waiting[0], view, progress, channel, view.task.version)
            more = more or len(waiting) > 1
            handled = waiting[0].seq

    async def _answer(
        self, asked: StoredRow, view: TaskView | None, progress: Progress, channel: Channel, version: int
    ) -> bool:
        """Run one message to its end; return whether another may have come meanwhile."""
        recorded = await self._recorded(asked, view)
        message = row_message(asked.row, task_id=self.lease.task_id, context_id=self.lease.context_id)
        progress.replied = any(row.row.kind == "reply" for row in recorded)
        queue = self._queue = LogQueue(
            self.lease,
            progress,
            log=self.log,
            channel=channel,
            message=message,
            message_seq=asked.seq,
            version=version,
            replay=Replay(recorded, task_id=self.lease.task_id, context_id=self.lease.context_id),
            on_lost=self._broken,
        )
        steps = Steps(
            lease=self.lease,
            ledger=self.ledger,
            queue=queue,
            message_seq=asked.seq,
            resumed=bool(recorded) or self.lease.attempts > 1,
            attempt=self.lease.attempts,
        )
        task = assembled(view) if view is not None and view.task.state is not None else None
        traceparent = payload_object(asked.row.extra or {}, REQUEST).get("traceparent")
        self._traceparent = traceparent if isinstance(traceparent, str) else None
        self._context = _context(self.lease, asked, message, task, steps)
        try:
            if self.lease.attempts > self.most_attempts:
                await _logger.aerror("a2a.attempts_exhausted", task_id=self.lease.task_id, attempts=self.lease.attempts)
                await self._fail(queue, progress, "a2a.attempts_exhausted", "The agent was cut off too often.")
            else:
                await self._execute(queue, progress)
            if self.lost:
                raise LeaseGoneError(self.lease.task_id)
            await queue.finish()
        except StoreRefusedError as error:
            if self.lost:
                raise LeaseGoneError(self.lease.task_id) from error
            await _logger.aerror("a2a.store_refused", task_id=self.lease.task_id, problem=error.problem)
            queue.reopen()
            await self._fail(queue, progress, error.code, f"What the agent said cannot be kept ({error.problem}).")
            await queue.finish()
        return queue.visited and not progress.over

    async def _recorded(self, asked: StoredRow, view: TaskView | None) -> tuple[StoredRow, ...]:
        """Return what was made durable of the answer by a run that was cut off."""
        if view is None or view.task.version == asked.seq:
            return ()
        rows: list[StoredRow] = []
        after = asked.seq
        while after < view.task.version:
            page = await self.log.rows(self.lease.task_id, owner=self.lease.owner, after=after)
            if not page.rows:
                break
            rows += page.rows
            after = page.rows[-1].seq
        return recorded_of(rows, asked.seq)

    async def _execute(self, queue: LogQueue, progress: Progress) -> None:
        context = self._context
        if context is None:  # pragma: no cover - set by the only caller
            return
        loop = asyncio.get_running_loop()
        surroundings = self._surroundings()
        self._executing = loop.create_task(self.executor.execute(context, queue), context=surroundings)
        try:
            await asyncio.wait({self._executing})
        except asyncio.CancelledError:
            self._executing.cancel()
            raise
        await self._concluded(self._executing, queue, progress, context)

    def _surroundings(self) -> contextvars.Context:
        """Return what the executor runs in: the request that it answers, or after a takeover the trace of that one."""
        if self.begun is not None:
            return self.begun.context
        surroundings = contextvars.copy_context()
        if self._traceparent is not None:
            surroundings.run(enter_trace, trace_id_of(self._traceparent.encode("latin-1")))
        return surroundings

    async def _concluded(
        self, executing: asyncio.Task[None], queue: LogQueue, progress: Progress, context: RequestContext
    ) -> None:
        if self.lost:
            await asyncio.wait({executing}, timeout=_CANCEL_SECONDS)
            await self._undo(context)
            return
        if executing.cancelled():
            await self._fail(queue, progress, "a2a.executor_cancelled", "The agent stopped in the middle.")
        elif (error := executing.exception()) is not None:
            if isinstance(error, LeaseGoneError):
                raise error
            await _logger.aerror("a2a.executor_failed", task_id=self.lease.task_id, exc_info=error)
            says = error.message if isinstance(error, A2AError) else "The agent failed."
            await self._fail(queue, progress, "a2a.executor_failed", says)

    async def _undo(self, context: RequestContext) -> None:
        """Let the agent's code end what a cancelled task has under way; leave alone what goes on elsewhere."""
        if not self.canceled:
            view = await self.log.task(self.lease.task_id, owner=self.lease.owner, history_length=0, artifacts=False)
            self.canceled = view.task.state == "TASK_STATE_CANCELED"
        if not self.canceled:
            return
        try:
            async with asyncio.timeout(_CANCEL_SECONDS):
                await self.executor.cancel(context, _Nowhere())
        except Exception as error:  # noqa: BLE001 - the task is canceled already, whatever the agent's code says to it
            await _logger.awarning("a2a.cancel_failed", task_id=self.lease.task_id, exc_info=error)

    async def _fail(self, queue: LogQueue, progress: Progress, code: str, says: str) -> None:
        """Say that the task failed, unless it has ended already; a reply stands as it is."""
        if progress.over:
            return
        status = TaskStatus(
            state=TaskState.TASK_STATE_FAILED,
            message=Message(
                message_id=uuid.uuid4().hex,
                task_id=self.lease.task_id,
                context_id=self.lease.context_id,
                role=Role.ROLE_AGENT,
                parts=[Part(text=says)],
            ),
        )
        status.timestamp.GetCurrentTime()
        event = TaskStatusUpdateEvent(task_id=self.lease.task_id, context_id=self.lease.context_id, status=status)
        event.metadata.update({"code": code})
        await queue.enqueue_event(event)

    def _broken(self, error: Exception) -> None:
        if isinstance(error, LeaseGoneError) or (isinstance(error, StoreRefusedError) and _ended(error)):
            self.stop()
        elif self._executing is not None:
            self._executing.cancel()


class _Nowhere(EventQueue):
    """Takes what an executor says of a task that has ended."""

    async def enqueue_event(self, event: Event) -> None:
        """Drop the event: nothing follows a terminal state."""
        await _logger.adebug("a2a.event_after_end", kind=type(event).__name__)


def _ended(error: StoreRefusedError) -> bool:
    return error.problem in {"threads.task_ended", "threads.task_not_found"}


def _asks(row: StoredRow) -> bool:
    return row.row.kind == "message" and row.row.role == "user" and REQUEST in (row.row.extra or {})


def _context(lease: Lease, asked: StoredRow, message: Message, task: Task | None, steps: Steps) -> RequestContext:
    """Return what an executor gets, from the log alone, so that it is the same wherever the message is run."""
    sent = payload_object(asked.row.extra or {}, REQUEST)
    request = SendMessageRequest(message=message)
    proto_of(payload_object(sent, "configuration"), request.configuration)
    if "metadata" in sent:
        proto_of(payload_object(sent, "metadata"), request.metadata)
    extensions = sent.get("extensions")
    call = ServerCallContext(
        state={STATE_KEY: steps},
        user=Owner(lease.owner),
        requested_extensions={str(uri) for uri in extensions} if isinstance(extensions, list) else set(),
    )
    return RequestContext(call, request, lease.task_id, lease.context_id, task)
