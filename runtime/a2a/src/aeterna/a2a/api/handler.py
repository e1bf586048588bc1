"""The protocol's methods over durable conversations: who may, what is asked, and what it is answered with."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from a2a.server.request_handlers.request_handler import RequestHandler
from a2a.types import (
    AgentCard,
    ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse,
    Message,
    Role,
    Task,
    TaskPushNotificationConfig,
    TaskState,
    TaskStatusUpdateEvent,
)
from a2a.utils.errors import (
    ExtendedAgentCardNotConfiguredError,
    ExtensionSupportRequiredError,
    InvalidAgentResponseError,
    InvalidParamsError,
    PushNotificationNotSupportedError,
    TaskNotFoundError,
    UnsupportedOperationError,
)
from a2a.utils.input_mode_validator import validate_input_modes
from a2a.utils.proto_utils import validate_proto_required_fields
from a2a.utils.task import validate_history_length, validate_page_size

from aeterna.a2a.api import push
from aeterna.a2a.api.answered import answered, answering
from aeterna.a2a.api.exchange import exchange_of
from aeterna.a2a.api.gate import ANY_TASK
from aeterna.a2a.domain.messages import ID_PATTERN
from aeterna.a2a.errors import GoingAwayError, StillRunningError
from aeterna.a2a.usecases.conversations import push_config

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from datetime import timedelta

    from a2a.server.context import ServerCallContext
    from a2a.server.events.event_queue import Event
    from a2a.types import (
        CancelTaskRequest,
        DeleteTaskPushNotificationConfigRequest,
        GetExtendedAgentCardRequest,
        GetTaskPushNotificationConfigRequest,
        GetTaskRequest,
        ListTasksRequest,
        ListTasksResponse,
        SendMessageConfiguration,
        SendMessageRequest,
        SubscribeToTaskRequest,
    )
    from google.protobuf.message import Message as ProtoMessage

    from aeterna.a2a.api.exchange import Exchange
    from aeterna.a2a.api.gate import Action, Gate
    from aeterna.a2a.api.metrics import CallMetrics
    from aeterna.a2a.api.streams import Streams
    from aeterna.a2a.ports import PushConfigs
    from aeterna.a2a.usecases.conversations import Conversations, Followed, Submitted

    _OfPush: TypeAlias = (
        TaskPushNotificationConfig
        | DeleteTaskPushNotificationConfigRequest
        | GetTaskPushNotificationConfigRequest
        | ListTaskPushNotificationConfigsRequest
    )

_TERMINAL: Final = frozenset(
    {
        TaskState.TASK_STATE_COMPLETED,
        TaskState.TASK_STATE_FAILED,
        TaskState.TASK_STATE_CANCELED,
        TaskState.TASK_STATE_REJECTED,
    }
)
_RESTING: Final = frozenset(
    {*(TaskState.Name(state) for state in _TERMINAL), "TASK_STATE_INPUT_REQUIRED", "TASK_STATE_AUTH_REQUIRED"}
)
_MAX_POSITION_DIGITS: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """The card that everybody may see, as it is served, and the one for callers who are known."""

    public: AgentCard
    extended: AgentCard | None = None


class ConversationHandler(RequestHandler):
    """The SDK's request handler, on conversations that no restart breaks. Every binding calls it."""

    def __init__(
        self,
        conversations: Conversations,
        pushes: PushConfigs,
        *,
        gate: Gate,
        cards: Cards,
        streams: Streams,
        metrics: CallMetrics,
        send_timeout: timedelta,
    ) -> None:
        """Take how long a blocking SendMessage may wait."""
        self._conversations = conversations
        self._pushes = pushes
        self._gate = gate
        self._cards = cards
        self._streams = streams
        self.metrics = metrics
        self._send_timeout = send_timeout.total_seconds()

    @answered("SendMessage")
    async def on_message_send(self, params: SendMessageRequest, context: ServerCallContext) -> Task | Message:
        """Take a message and return what it came to: the task once it rests, or the agent's reply."""
        owner, submitted = await self._submit(params, context)
        reply = await self._outcome(submitted, owner, at_once=params.configuration.return_immediately)
        if reply is not None:
            return reply
        length = _asked_history(params.configuration)
        found = await self._conversations.task(submitted.task_id, owner, history_length=length)
        if found is None:
            # The message was handled, and nothing was said to it.
            raise InvalidAgentResponseError(message="The agent gave no answer")
        return found[0]

    async def on_message_send_stream(
        self, params: SendMessageRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event]:
        """Take a message and give out what follows; for the bindings that do not open a stream first."""
        async with aclosing(await self.open_message_stream(params, context)) as events:
            async for event in events:
                yield event

    async def on_subscribe_to_task(
        self, params: SubscribeToTaskRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event]:
        """Follow a task; for the bindings that do not open a stream first."""
        async with aclosing(await self.open_subscription(params, context)) as events:
            async for event in events:
                yield event

    @answered("SendStreamingMessage")
    async def open_message_stream(
        self, params: SendMessageRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event]:
        """Take a message and return the events after it, or after ``Last-Event-ID`` where the message is repeated."""
        self._require_streaming()
        self._streams.check_room()
        after = _position(exchange_of(context))
        owner, submitted = await self._submit(params, context)
        start = max(submitted.seq, after or 0)
        return self._events(submitted.task_id, owner, start, exchange_of(context), until=submitted.seq)

    @answered("SubscribeToTask")
    async def open_subscription(
        self, params: SubscribeToTaskRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event]:
        """Return a task as it is and what follows, or only what follows ``Last-Event-ID``."""
        owner = await self._admit(params, context, "threads.read", params.id)
        self._require_streaming()
        self._streams.check_room()
        exchange = exchange_of(context)
        after = _position(exchange)
        found = await self._conversations.task(params.id, owner)
        if found is None:
            raise TaskNotFoundError
        task, version = found
        if after is not None:
            if after > version:
                raise InvalidParamsError(message="Last-Event-ID is beyond the end of the task's log")
            return self._events(params.id, owner, after, exchange)
        if task.status.state in _TERMINAL:
            raise UnsupportedOperationError(message="The task has ended; there is nothing to subscribe to")
        return self._events(params.id, owner, version, exchange, first=task)

    @answered("GetTask")
    async def on_get_task(self, params: GetTaskRequest, context: ServerCallContext) -> Task:
        """Return the task with as much of its history as was asked for."""
        owner = await self._admit(params, context, "threads.read", params.id)
        validate_history_length(params)
        return await self._task(params.id, owner, _asked_history(params))

    @answered("ListTasks")
    async def on_list_tasks(self, params: ListTasksRequest, context: ServerCallContext) -> ListTasksResponse:
        """Return a page of the caller's tasks."""
        owner = await self._admit(params, context, "threads.read")
        unknown = exchange_of(context).unknown
        if unknown is not None or params.status not in TaskState.values():
            raise InvalidParamsError(message=f"{unknown or 'status'} has a value that the protocol does not know")
        validate_history_length(params)
        if params.HasField("page_size"):
            validate_page_size(params.page_size)
        return await self._conversations.tasks(owner, params)

    @answered("CancelTask")
    async def on_cancel_task(self, params: CancelTaskRequest, context: ServerCallContext) -> Task:
        """End the task as canceled, for good, wherever it runs."""
        owner = await self._admit(params, context, "threads.write", params.id)
        return await self._conversations.cancel(params.id, owner)

    @answered("CreateTaskPushNotificationConfig")
    async def on_create_task_push_notification_config(
        self, params: TaskPushNotificationConfig, context: ServerCallContext
    ) -> TaskPushNotificationConfig:
        """Keep where to send news of a task; the store says whether the address is one it will send to."""
        owner = await self._admit(params, context, "threads.write", params.task_id)
        self._require_push(params)
        return await self._keep_push(params.task_id, params, owner)

    @answered("GetTaskPushNotificationConfig")
    async def on_get_task_push_notification_config(
        self, params: GetTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> TaskPushNotificationConfig:
        """Return one configuration, without its secrets."""
        owner = await self._admit(params, context, "threads.read", params.task_id)
        self._require_push(params)
        for config in await self._pushes.all(params.task_id, owner=owner):
            if config.config_id == params.id:
                return push.shown(params.task_id, config)
        raise TaskNotFoundError(message="The task has no such push notification configuration")

    @answered("ListTaskPushNotificationConfigs")
    async def on_list_task_push_notification_configs(
        self, params: ListTaskPushNotificationConfigsRequest, context: ServerCallContext
    ) -> ListTaskPushNotificationConfigsResponse:
        """Return the task's configurations, all on one page."""
        owner = await self._admit(params, context, "threads.read", params.task_id)
        self._require_push(params)
        kept = await self._pushes.all(params.task_id, owner=owner)
        return ListTaskPushNotificationConfigsResponse(configs=[push.shown(params.task_id, one) for one in kept])

    @answered("DeleteTaskPushNotificationConfig")
    async def on_delete_task_push_notification_config(
        self, params: DeleteTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> None:
        """Forget a configuration; forgetting it again is no error."""
        owner = await self._admit(params, context, "threads.write", params.task_id)
        self._require_push(params)
        await self._pushes.delete(params.task_id, params.id, owner=owner)

    @answered("GetExtendedAgentCard")
    async def on_get_extended_agent_card(
        self, params: GetExtendedAgentCardRequest, context: ServerCallContext
    ) -> AgentCard:
        """Return the card for callers who are known."""
        await self._admit(params, context, "threads.read")
        if not self._cards.public.capabilities.extended_agent_card:
            raise UnsupportedOperationError(message="The agent has no extended card")
        if self._cards.extended is None:
            raise ExtendedAgentCardNotConfiguredError
        return self._cards.extended

    async def _admit(
        self, params: ProtoMessage, context: ServerCallContext, action: Action, task_id: str = ANY_TASK
    ) -> str:
        """Return the owner, once the policy let the caller in and the request is one of this agent's tenant."""
        exchange = exchange_of(context)
        self._gate.check_tenant(context.tenant, getattr(params, "tenant", ""))
        validate_proto_required_fields(params)
        await self._gate.permit(exchange.caller, action, task_id or ANY_TASK)
        return exchange.caller.subject

    async def _submit(self, params: SendMessageRequest, context: ServerCallContext) -> tuple[str, Submitted]:
        config = params.configuration
        owner = await self._admit(params, context, "threads.write", params.message.task_id)
        if params.message.role != Role.ROLE_USER:
            # What is said by the agent only the agent's own process may write; a caller could forge its words.
            raise InvalidParamsError(message="The role of a message to an agent is ROLE_USER")
        validate_history_length(config)
        validate_input_modes(params.message, self._cards.public)
        self._require_extensions(context.requested_extensions)
        if config.HasField("task_push_notification_config"):
            self._require_push()
            self._gate.check_tenant(config.task_push_notification_config.tenant)
        return owner, await self._conversations.submit(owner, params, extensions=context.requested_extensions)

    async def _outcome(self, submitted: Submitted, owner: str, *, at_once: bool) -> Message | None:
        """Wait until the message is handled, or ``at_once`` until there is a task; return a reply that makes none."""
        followed = self._conversations.follow(submitted.task_id, owner, submitted.seq, until=submitted.seq)
        waiting = asyncio.ensure_future(_last(followed, at_once=at_once))
        ending = asyncio.ensure_future(self._streams.wait_end())
        try:
            await asyncio.wait({waiting, ending}, timeout=self._send_timeout, return_when=asyncio.FIRST_COMPLETED)
            last = waiting.result() if waiting.done() else None
        finally:
            ending.cancel()
            waiting.cancel()
        if last is not None and isinstance(last.event, Message):
            return last.event
        if last is not None and (at_once or _asks_for_authorization(last.event)):
            return None
        if self._streams.leaving and (last is None or last.state not in _RESTING):
            raise GoingAwayError
        if waiting.cancelled() or not waiting.done():
            raise StillRunningError(submitted.task_id)
        return None

    async def _events(
        self,
        task_id: str,
        owner: str,
        after: int,
        exchange: Exchange,
        *,
        until: int | None = None,
        first: Task | None = None,
    ) -> AsyncGenerator[Event]:
        """Give out events and note the place of each in the exchange, before it is given out."""
        exchange.opened.set()
        if first is not None:
            exchange.seq = after
            yield first
        with answering(exchange):
            async for followed in self._conversations.follow(task_id, owner, after, until=until):
                exchange.seq = followed.seq
                exchange.rested = followed.state in _RESTING or isinstance(followed.event, Message)
                yield followed.event

    async def _task(self, task_id: str, owner: str, history_length: int | None) -> Task:
        found = await self._conversations.task(task_id, owner, history_length=history_length)
        if found is None:
            raise TaskNotFoundError
        return found[0]

    async def _keep_push(
        self, task_id: str, config: TaskPushNotificationConfig, owner: str
    ) -> TaskPushNotificationConfig:
        return push.shown(task_id, await self._pushes.put(task_id, push_config(config), owner=owner))

    def _require_streaming(self) -> None:
        if not self._cards.public.capabilities.streaming:
            raise UnsupportedOperationError(message="Streaming is not supported by the agent")

    def _require_push(self, params: _OfPush | None = None) -> None:
        """Raise what the request meets before its ids, which become parts of a path, are handed on."""
        if not self._cards.public.capabilities.push_notifications:
            raise PushNotificationNotSupportedError(message="Push notifications are not supported by the agent")
        if params is None:
            return
        if ID_PATTERN.fullmatch(params.task_id) is None:
            raise TaskNotFoundError
        config_id = "" if isinstance(params, ListTaskPushNotificationConfigsRequest) else params.id
        if config_id and ID_PATTERN.fullmatch(config_id) is None:
            raise InvalidParamsError(message="The id of the configuration is none that this agent gave out")

    def _require_extensions(self, requested: set[str]) -> None:
        for extension in self._cards.public.capabilities.extensions:
            if extension.required and extension.uri not in requested:
                raise ExtensionSupportRequiredError(message=f"The agent requires the extension {extension.uri}")


async def _last(followed: AsyncIterator[Followed], *, at_once: bool) -> Followed | None:
    """Return the last of what is followed once it ends, or ``at_once`` the first.

    Who asks for an authorization may wait for it out of band and then go on; the caller must hear of it meanwhile.
    """
    last = None
    async for item in followed:
        last = item
        if at_once or _asks_for_authorization(item.event):
            break
    return last


def _asks_for_authorization(event: Event) -> bool:
    status = event.status if isinstance(event, Task | TaskStatusUpdateEvent) else None
    return status is not None and status.state == TaskState.TASK_STATE_AUTH_REQUIRED


def _asked_history(asked: GetTaskRequest | SendMessageConfiguration) -> int | None:
    """Return how much of the history was asked for, None being all of it."""
    return asked.history_length if asked.HasField("history_length") else None


def _position(exchange: Exchange) -> int | None:
    """Return the place in the log that ``Last-Event-ID`` names, or None without one."""
    named = exchange.last_event_id
    if not named:
        return None
    if not (named.isascii() and named.isdigit()) or len(named) > _MAX_POSITION_DIGITS:
        raise InvalidParamsError(message="Last-Event-ID is not one that this agent gave out")
    return int(named)
