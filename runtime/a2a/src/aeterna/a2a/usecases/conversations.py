"""What an A2A server needs of its conversations: take messages, follow, read and cancel tasks, and run the agent."""

from __future__ import annotations

import asyncio
import contextvars
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from a2a.types import ListTasksResponse, Message, SendMessageRequest, Task, TaskState, TaskStatus
from a2a.utils.errors import (
    InvalidParamsError,
    TaskNotCancelableError,
    TaskNotFoundError,
)
from google.protobuf.json_format import Error as JsonError

from aeterna.a2a.domain.fold import assembled, header, last_said
from aeterna.a2a.domain.messages import ID_PATTERN, message_row
from aeterna.a2a.domain.proto_json import proto_json
from aeterna.a2a.domain.rows import Creation, Lease, PushConfig, Row, StoredRow, TaskQuery, Write
from aeterna.a2a.errors import StoreRefusedError
from aeterna.a2a.usecases.channels import Channels
from aeterna.a2a.usecases.following import Followed, Follower
from aeterna.a2a.usecases.refusals import of_caller
from aeterna.a2a.usecases.run import Begun
from aeterna.a2a.usecases.runner import Pace, Runner
from aeterna.service.trace import outgoing_traceparent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from collections.abc import Set as AbstractSet
    from datetime import timedelta

    from a2a.server.agent_execution import AgentExecutor
    from a2a.types import ListTasksRequest, TaskPushNotificationConfig

    from aeterna.a2a.domain.rows import Written
    from aeterna.a2a.ports import Leases, Ledger, PushConfigs, TaskLog
    from aeterna.contracts.json_value import JsonValue

__all__ = ["Conversations", "Followed", "Submitted"]

_NAMES: Final = uuid.UUID("6d1f3c0a-6f0e-4b57-9d2b-0f2f0f0a2a01")
"""The namespace of the ids that are derived from messages."""
_KNOWN: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """Where a message came to stand; ``repeated`` when the same message had been sent before."""

    task_id: str
    context_id: str
    seq: int
    repeated: bool


class Conversations:
    """One agent's conversations, as one of its processes serves them.

    ``agent`` names the agent in the ids that are derived from messages; ``runner`` is this process's name, drawn anew
    at each start; ``ttl`` is how long a task is kept after its last write, None for the store's default.
    """

    def __init__(  # noqa: PLR0913 - the root of what a process of an agent does
        self,
        executor: AgentExecutor,
        *,
        agent: str,
        runner: str,
        log: TaskLog,
        leases: Leases,
        ledger: Ledger,
        push: PushConfigs | None = None,
        pace: Pace | None = None,
        ttl: timedelta | None = None,
    ) -> None:
        self._agent = agent
        self._log = log
        self._push = push
        self._ttl = ttl
        self._pace = pace or Pace()
        self._channels = Channels()
        self._known: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._runner = Runner(
            name=runner,
            executor=executor,
            log=log,
            leases=leases,
            ledger=ledger,
            channels=self._channels,
            pace=self._pace,
        )

    async def submit(
        self, owner: str, request: SendMessageRequest, *, extensions: AbstractSet[str] = frozenset()
    ) -> Submitted:
        """Make the message durable, and let it be run here or wherever the task is run by now.

        Raises the SDK's `TaskNotFoundError`, `InvalidParamsError` (ids that cannot be kept, another context, the id of
        another message) and `UnsupportedOperationError` (the task has ended); `StoreAwayError`.
        """
        message = Message()
        message.CopyFrom(request.message)
        is_new = not message.task_id
        config: PushConfig | None = None
        if request.configuration.HasField("task_push_notification_config"):
            config = push_config(request.configuration.task_push_notification_config)
        await self._name(owner, message)
        row = self._row(owner, message, request, extensions)
        task_id = message.task_id
        self._runner.submitting[task_id] = self._runner.submitting.get(task_id, 0) + 1
        try:
            written = await self._write(owner, message, row, is_new=is_new)
            if config is not None:
                await self._register(owner, task_id, config)
            return await self._started(owner, message, row, written)
        finally:
            self._runner.submitting[task_id] -= 1
            if not self._runner.submitting[task_id]:
                del self._runner.submitting[task_id]

    async def follow(
        self, task_id: str, owner: str, after: int, *, until: int | None = None
    ) -> AsyncIterator[Followed]:
        """Give out what a subscriber of the task sees after a place in the log, from whichever process it comes.

        Ends after a terminal state or a reply; with ``until``, the seq of a message, also when that message was
        handled; and when this process drains. Raises the SDK's `TaskNotFoundError`, and `InvalidParamsError` when the
        log ends before ``after``.
        """
        follower = Follower(
            log=self._log,
            channels=self._channels,
            task_id=task_id,
            owner=owner,
            context_id=await self._context_of(task_id, owner),
            cursor=after,
            until=until,
            patience=self._pace.patience.total_seconds(),
        )
        try:
            async for followed in follower.events():
                yield followed
        except StoreRefusedError as error:
            raise of_caller(error) from error

    async def task(
        self, task_id: str, owner: str, *, history_length: int | None = None, artifacts: bool = True
    ) -> tuple[Task, int] | None:
        """Return the task and its version, or None where there is none for this owner."""
        if ID_PATTERN.fullmatch(task_id) is None:
            return None
        # What the present status says counts as said, and stands in the status instead.
        length = None if history_length is None else history_length + 1
        try:
            view = await self._log.task(task_id, owner=owner, history_length=length, artifacts=artifacts)
        except StoreRefusedError as error:
            if error.problem == "threads.task_not_found":
                return None
            raise
        self._know(task_id, owner, view.task.context_id)
        if view.task.state is None:
            return None
        return last_said(assembled(view), history_length), view.task.version

    async def tasks(self, owner: str, request: ListTasksRequest) -> ListTasksResponse:
        """Return a page of the owner's tasks, the one whose status changed last first.

        Raises the SDK's `InvalidParamsError` for a page token that the store did not give out.
        """
        try:
            found = await self._log.tasks(task_query(owner, request))
        except StoreRefusedError as error:
            raise of_caller(error) from error
        length = request.history_length if request.HasField("history_length") else None
        if length == 0 and not request.include_artifacts:
            tasks = tuple(header(stored) for stored in found.tasks)
        else:
            read = await asyncio.gather(
                *(
                    self.task(stored.task_id, owner, history_length=length, artifacts=request.include_artifacts)
                    for stored in found.tasks
                )
            )
            tasks = tuple(one[0] for one in read if one is not None)
        return ListTasksResponse(
            tasks=tasks, next_page_token=found.next_cursor or "", page_size=len(tasks), total_size=found.total
        )

    async def cancel(self, task_id: str, owner: str) -> Task:
        """End the task as canceled wherever it runs.

        Raises the SDK's `TaskNotFoundError`, and `TaskNotCancelableError` when it has ended already.
        """
        if await self.task(task_id, owner, history_length=0, artifacts=False) is None:
            raise TaskNotFoundError
        status = TaskStatus(state=TaskState.TASK_STATE_CANCELED)
        status.timestamp.GetCurrentTime()
        try:
            await self._log.cancel(task_id, owner=owner, status=proto_json(status))
        except StoreRefusedError as error:
            if error.problem != "threads.task_ended":
                raise of_caller(error) from error
        found = await self.task(task_id, owner)
        if found is None:
            raise TaskNotFoundError
        task, version = found
        if task.status != status:
            raise TaskNotCancelableError
        # Where the store says that the task has ended with just this status, the answer to the first attempt was lost.
        self._runner.stop(task_id)
        self._channels.hint(task_id, version)
        return task

    async def run(self) -> None:
        """Beat, claim and run until cancelled."""
        await self._runner.work()

    async def drain(self, timeout: float) -> None:  # noqa: ASYNC109 - how long runs may go on is what is asked for
        """Take nothing new, let what runs go on for so many seconds, then hand the rest to the others."""
        await self._runner.drain(timeout)

    async def _name(self, owner: str, message: Message) -> None:
        """Give the message the ids that it lacks, the same however often it is sent."""
        for name in (message.message_id, message.task_id, message.context_id):
            if name and ID_PATTERN.fullmatch(name) is None:
                raise InvalidParamsError(message=f"The id {name!r:.300} cannot be kept.")
        if not message.message_id:
            raise InvalidParamsError(message="A message needs a messageId.")
        if message.task_id:
            context_id = await self._context_of(message.task_id, owner)
            if message.context_id and message.context_id != context_id:
                raise InvalidParamsError(message="The contextId is not that of the task.")
            message.context_id = context_id
            return
        named = (self._agent, owner, message.context_id, message.message_id)
        seed = "\n".join(named)
        message.task_id = str(uuid.uuid5(_NAMES, seed))
        message.context_id = message.context_id or str(uuid.uuid5(_NAMES, f"context\n{seed}"))

    def _row(self, owner: str, message: Message, request: SendMessageRequest, extensions: AbstractSet[str]) -> Row:
        kept: dict[str, JsonValue] = {}
        if request.configuration.accepted_output_modes:
            kept["configuration"] = {"acceptedOutputModes": list(request.configuration.accepted_output_modes)}
        if extensions:
            kept["extensions"] = sorted(extensions)
        if (traceparent := outgoing_traceparent()) is not None:
            kept["traceparent"] = traceparent
        try:
            if request.metadata.fields:
                kept["metadata"] = proto_json(request.metadata)
            return message_row(
                message,
                kind="message",
                task_id=message.task_id,
                context_id=message.context_id,
                author=owner,
                request=kept,
            )
        except (JsonError, ValueError) as error:
            raise InvalidParamsError(message="The message cannot be kept as JSON.") from error

    async def _write(self, owner: str, message: Message, row: Row, *, is_new: bool) -> Written:
        write = Write(
            task_id=message.task_id,
            owner=owner,
            write_id=uuid.uuid4().hex,
            rows=(row,),
            creation=Creation(context_id=message.context_id, ttl=self._ttl) if is_new else None,
            waiting=True,
            claim=self._runner.claim,
        )
        try:
            return await self._log.write(write)
        except StoreRefusedError as error:
            raise of_caller(error) from error

    async def _started(self, owner: str, message: Message, row: Row, written: Written) -> Submitted:
        task_id, context_id = message.task_id, message.context_id
        self._know(task_id, owner, context_id)
        seq = await self._seq_of(message, owner) if written.repeated else written.version
        if written.epoch is not None:
            lease = Lease(
                task_id=task_id,
                owner=owner,
                context_id=context_id,
                epoch=written.epoch,
                version=written.version,
                attempts=1,
            )
            begun = None
            if written.created:
                # The store's clock is not asked: nothing reads when a message that is being run was written.
                asked = StoredRow(seq=seq, created_at=_NEVER, row=row)
                begun = Begun(message=asked, context=contextvars.copy_context())
            self._runner.start(lease, begun=begun)
        else:
            self._channels.hint(task_id, written.version)
        return Submitted(task_id=task_id, context_id=context_id, seq=seq, repeated=written.repeated)

    async def _seq_of(self, message: Message, owner: str) -> int:
        view = await self._log.task(message.task_id, owner=owner, artifacts=False)
        return next((row.seq for row in view.rows if row.row.message_id == message.message_id), view.task.version)

    async def _register(self, owner: str, task_id: str, config: PushConfig) -> None:
        if self._push is None:
            return
        try:
            await self._push.put(task_id, config, owner=owner)
        except StoreRefusedError as error:
            raise of_caller(error) from error

    async def _context_of(self, task_id: str, owner: str) -> str:
        """Return a task's context, or raise `TaskNotFoundError` where it is not this owner's."""
        known = self._known.get(task_id)
        if known is None or known[0] != owner:
            if ID_PATTERN.fullmatch(task_id) is None:
                raise TaskNotFoundError
            try:
                view = await self._log.task(task_id, owner=owner, history_length=0, artifacts=False)
            except StoreRefusedError as error:
                raise of_caller(error) from error
            self._know(task_id, owner, view.task.context_id)
            return view.task.context_id
        return known[1]

    def _know(self, task_id: str, owner: str, context_id: str) -> None:
        self._known[task_id] = (owner, context_id)
        self._known.move_to_end(task_id)
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)


def push_config(config: TaskPushNotificationConfig) -> PushConfig:
    """Return where a caller wants its news, under an id that is the same for the same place.

    Raises the SDK's `InvalidParamsError` for an id that the store does not keep.
    """
    if config.id and ID_PATTERN.fullmatch(config.id) is None:
        raise InvalidParamsError(message=f"The id {config.id!r:.300} cannot be kept.")
    return PushConfig(
        config_id=config.id or str(uuid.uuid5(_NAMES, config.url)),
        url=config.url,
        token=config.token or None,
        scheme=config.authentication.scheme or None,
        credentials=config.authentication.credentials or None,
    )


def task_query(owner: str, request: ListTasksRequest) -> TaskQuery:
    """Return which tasks a caller asks for."""
    after = request.status_timestamp_after
    return TaskQuery(
        owner=owner,
        context_id=request.context_id or None,
        state=TaskState.Name(request.status) if request.status else None,
        status_after=after.ToDatetime(UTC) if request.HasField("status_timestamp_after") else None,
        cursor=request.page_token or None,
        limit=request.page_size if request.HasField("page_size") else 50,
    )


_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
