"""The SDK's dispatchers, except that a stream is opened before its first event is there.

The SDK's own wait for the first event before they answer, so that an executor that thinks for a minute keeps its caller
without headers and heartbeats for as long; a proxy hangs up by then. Here a stream is open once the message is durable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from a2a.server.jsonrpc_models import InternalError as Unforeseen
from a2a.server.jsonrpc_models import MethodNotFoundError as UnknownMethod
from a2a.server.request_handlers.response_helpers import build_error_response
from a2a.server.routes.jsonrpc_dispatcher import JsonRpcDispatcher
from a2a.server.routes.rest_dispatcher import RestDispatcher
from a2a.types import SendMessageRequest, SubscribeToTaskRequest
from a2a.utils.constants import PROTOCOL_VERSION_1_0
from a2a.utils.error_handlers import build_rest_error_payload, rest_error_handler, rest_stream_error_handler
from a2a.utils.errors import A2AError, InternalError, MethodNotFoundError
from a2a.utils.json_utils import dumps
from a2a.utils.proto_utils import to_stream_response
from a2a.utils.version_validator import validate_version
from google.protobuf.json_format import MessageToDict, Parse
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse

from aeterna.a2a.api.answered import tracing
from aeterna.a2a.api.choices import unknown_in_call, unknown_in_query
from aeterna.a2a.api.legacy import LegacyJsonRpc
from aeterna.a2a.api.problem import traced

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from a2a.server.context import ServerCallContext
    from a2a.server.events.event_queue import Event
    from a2a.server.jsonrpc_models import JSONRPCError
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response

    from aeterna.a2a.api.exchange import HttpContexts
    from aeterna.a2a.api.handler import ConversationHandler

T = TypeVar("T")


class JsonRpcBinding(JsonRpcDispatcher):
    """JSON-RPC of both versions."""

    def __init__(self, handler: ConversationHandler, contexts: HttpContexts) -> None:
        super().__init__(handler, contexts, enable_v0_3_compat=True)
        self._v03_adapter = LegacyJsonRpc(handler, contexts)
        self._handler = handler

    async def handle_requests(self, request: Request) -> Response:
        """Answer a request, once it is noted what the SDK's parser would pass over."""
        request.state.exchange.unknown = unknown_in_call(await request.json() if await request.body() else None)
        return await super().handle_requests(request)

    async def _process_non_streaming_request(
        self,
        request_obj: Any,  # noqa: ANN401 - as the SDK has it: any request of the protocol
        context: ServerCallContext,
    ) -> dict[str, Any] | None:
        with tracing():
            return await super()._process_non_streaming_request(request_obj, context)

    def _generate_error_response(
        self, request_id: str | int | None, error: Exception | JSONRPCError | A2AError
    ) -> JSONResponse:
        return super()._generate_error_response(request_id, _shown(error))

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

    @rest_error_handler
    async def list_tasks(self, request: Request) -> Response:
        """Answer with a page of tasks, once it is noted what the SDK's parser would pass over."""
        request.state.exchange.unknown = unknown_in_query(request.query_params)
        return await super().list_tasks(request)

    async def _handle_non_streaming(
        self, request: Request, handler_func: Callable[[ServerCallContext], Awaitable[T]]
    ) -> T:
        with tracing():
            return await super()._handle_non_streaming(request, handler_func)

    @rest_stream_error_handler
    async def on_message_send_stream(self, request: Request) -> EventSourceResponse:
        """Take a message and answer with a stream."""
        params = SendMessageRequest()
        with tracing():
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

        with tracing():
            return EventSourceResponse(_rest(await opened(self._build_call_context(request))))


def _shown(error: Exception | JSONRPCError | A2AError) -> Exception | JSONRPCError | A2AError:
    """Return an error of the SDK's dispatcher as one of the protocol's, which has room for the trace id."""
    match error:
        case A2AError():
            return traced(error)
        case UnknownMethod():
            return traced(MethodNotFoundError())
        case Exception() | Unforeseen():
            # The SDK would tell the words of the exception.
            return traced(InternalError(message="The agent failed in a way it did not foresee"))
        case _:
            return error


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
