"""The SDK's dispatchers, except that a stream is opened before its first event is there.

The SDK's own wait for the first event before they answer, so that an executor that thinks for a minute keeps its caller
without headers and heartbeats for as long; a proxy hangs up by then. Here a stream is open once the message is durable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a2a.server.request_handlers.response_helpers import build_error_response
from a2a.server.routes.jsonrpc_dispatcher import JsonRpcDispatcher
from a2a.server.routes.rest_dispatcher import RestDispatcher
from a2a.types import SendMessageRequest, SubscribeToTaskRequest
from a2a.utils.constants import PROTOCOL_VERSION_1_0
from a2a.utils.error_handlers import build_rest_error_payload, rest_stream_error_handler
from a2a.utils.errors import A2AError
from a2a.utils.json_utils import dumps
from a2a.utils.proto_utils import to_stream_response
from a2a.utils.version_validator import validate_version
from google.protobuf.json_format import MessageToDict, Parse
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from a2a.server.context import ServerCallContext
    from a2a.server.events.event_queue import Event
    from starlette.requests import Request

    from aeterna.a2a.api.exchange import HttpContexts
    from aeterna.a2a.api.handler import ConversationHandler


class JsonRpcBinding(JsonRpcDispatcher):
    """JSON-RPC of both versions."""

    def __init__(self, handler: ConversationHandler, contexts: HttpContexts) -> None:
        super().__init__(handler, contexts, enable_v0_3_compat=True)
        self._handler = handler

    @validate_version(PROTOCOL_VERSION_1_0)
    async def _process_streaming_request(
        self,
        request_id: str | int | None,
        request_obj: SendMessageRequest | SubscribeToTaskRequest,
        context: ServerCallContext,
    ) -> AsyncGenerator[dict[str, Any]]:
        """Open the stream; see the SDK's method of this name, which this one replaces."""
        events = await _opened(self._handler, request_obj, context)
        return _json_rpc(events, request_id)


class RestBinding(RestDispatcher):
    """HTTP+JSON of 1.0."""

    def __init__(self, handler: ConversationHandler, contexts: HttpContexts) -> None:
        super().__init__(handler, contexts)
        self._handler = handler

    @rest_stream_error_handler
    async def on_message_send_stream(self, request: Request) -> EventSourceResponse:
        """Take a message and answer with a stream."""
        params = SendMessageRequest()
        Parse(await request.body(), params, ignore_unknown_fields=True)
        return await self._streamed(request, params)

    @rest_stream_error_handler
    async def on_subscribe_to_task(self, request: Request) -> EventSourceResponse:
        """Answer with a task's stream."""
        return await self._streamed(request, SubscribeToTaskRequest(id=request.path_params["id"]))

    async def _streamed(
        self, request: Request, params: SendMessageRequest | SubscribeToTaskRequest
    ) -> EventSourceResponse:
        @validate_version(PROTOCOL_VERSION_1_0)
        async def opened(context: ServerCallContext) -> AsyncGenerator[Event]:
            return await _opened(self._handler, params, context)

        return EventSourceResponse(_rest(await opened(self._build_call_context(request))))


async def _opened(
    handler: ConversationHandler, params: SendMessageRequest | SubscribeToTaskRequest, context: ServerCallContext
) -> AsyncGenerator[Event]:
    if isinstance(params, SendMessageRequest):
        return await handler.open_message_stream(params, context)
    return await handler.open_subscription(params, context)


async def _json_rpc(events: AsyncGenerator[Event], request_id: str | int | None) -> AsyncGenerator[dict[str, Any]]:
    try:
        async for event in events:
            yield {"jsonrpc": "2.0", "id": request_id, "result": MessageToDict(to_stream_response(event))}
    except A2AError as error:
        yield build_error_response(request_id, error)
    finally:
        await events.aclose()


async def _rest(events: AsyncGenerator[Event]) -> AsyncGenerator[ServerSentEvent]:
    try:
        async for event in events:
            yield ServerSentEvent(dumps(MessageToDict(to_stream_response(event))))
    except A2AError as error:
        yield ServerSentEvent(dumps(build_rest_error_payload(error)), event="error")
    finally:
        await events.aclose()
