"""JSON-RPC and HTTP+JSON of both versions as routes: proof first, then the SDK's dispatchers, then our answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from a2a.server.jsonrpc_models import JSONParseError as MalformedJson
from a2a.server.request_handlers.response_helpers import build_error_response
from a2a.utils.error_handlers import build_error_details, build_rest_error_payload
from a2a.utils.errors import A2AError, InvalidRequestError, JSONParseError
from sse_starlette.sse import EventSourceResponse
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from aeterna.a2a.api.bodies import unreadable
from aeterna.a2a.api.dispatch import JsonRpcBinding, RestBinding
from aeterna.a2a.api.exchange import Exchange, HttpContexts
from aeterna.a2a.api.legacy import LegacyRest
from aeterna.a2a.api.problem import RETRY_AFTER, at_the_door, traced, worth_repeating
from aeterna.a2a.api.sse import event_stream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from aeterna.a2a.api.exchange import Binding
    from aeterna.a2a.api.gate import Gate
    from aeterna.a2a.api.handler import ConversationHandler
    from aeterna.a2a.api.streams import Streams

_Endpoint: TypeAlias = "Callable[[Request], Awaitable[Response]]"

_RETRY_AFTER: Final = {"Retry-After": f"{RETRY_AFTER.total_seconds():.0f}"}


def http_routes(handler: ConversationHandler, gate: Gate, streams: Streams) -> Sequence[BaseRoute]:
    """Return the routes: JSON-RPC at ``/``, HTTP+JSON beside it and under ``/{tenant}``, its 0.3 under ``/v1``."""
    contexts = HttpContexts()
    door = _Door(gate, streams)
    legacy = LegacyRest(handler, contexts).routes()
    rest = [_route(path, method, door.endpoint("rest", call)) for (path, method), call in _rest(handler, contexts)]
    return [
        _route("/", "POST", door.endpoint("jsonrpc", JsonRpcBinding(handler, contexts).handle_requests)),
        *(_route(path, method, door.endpoint("rest", call)) for (path, method), call in legacy.items()),
        *rest,
        Mount("/{tenant}", routes=rest),
    ]


def _rest(handler: ConversationHandler, contexts: HttpContexts) -> Sequence[tuple[tuple[str, str], _Endpoint]]:
    """Return the paths of the specification's HTTP+JSON binding, the more specific ones first."""
    rest = RestBinding(handler, contexts)
    configs = "/tasks/{id}/pushNotificationConfigs"
    return [
        (("/message:send", "POST"), rest.on_message_send),
        (("/message:stream", "POST"), rest.on_message_send_stream),
        (("/tasks/{id}:cancel", "POST"), rest.on_cancel_task),
        (("/tasks/{id}:subscribe", "GET"), rest.on_subscribe_to_task),
        (("/tasks/{id}:subscribe", "POST"), rest.on_subscribe_to_task),
        (("/tasks/{id}", "GET"), rest.on_get_task),
        ((f"{configs}/{{push_id}}", "GET"), rest.get_push_notification),
        ((f"{configs}/{{push_id}}", "DELETE"), rest.delete_push_notification),
        ((configs, "POST"), rest.set_push_notification),
        ((configs, "GET"), rest.list_push_notifications),
        (("/tasks", "GET"), rest.list_tasks),
        (("/extendedAgentCard", "GET"), rest.handle_authenticated_agent_card),
    ]


def _route(path: str, method: str, endpoint: _Endpoint) -> Route:
    async def matched(request: Request) -> Response:
        # The chassis labels its metrics with the template, which plain Starlette does not leave in the scope.
        request.scope["route"] = route
        return await endpoint(request)

    route = Route(path, matched, methods=[method])
    return route


class _Door:
    """Lets a request in, and writes the answer where the SDK's is not enough."""

    def __init__(self, gate: Gate, streams: Streams) -> None:
        self._gate = gate
        self._streams = streams

    def endpoint(self, binding: Binding, dispatch: _Endpoint) -> _Endpoint:
        """Return what answers a request of the binding that the dispatcher is for."""

        async def answer(request: Request) -> Response:
            caller = await self._gate.prove(request.headers.getlist("authorization"))
            request.state.caller = caller
            exchange = Exchange(binding=binding, caller=caller, last_event_id=request.headers.get("last-event-id"))
            request.state.exchange = exchange
            fault = await unreadable(request)
            if fault is not None:
                return _refused(binding, fault)
            return await self._finished(await dispatch(request), exchange)

        return answer

    async def _finished(self, response: Response, exchange: Exchange) -> Response:
        if isinstance(response, EventSourceResponse):
            try:
                return await event_stream(response, exchange, self._streams)
            except A2AError as error:
                # Only HTTP+JSON of 0.3 comes here: the SDK's adapter calls the method when the stream is read.
                response = JSONResponse(
                    payload := build_rest_error_payload(error), status_code=payload["error"]["code"]
                )
        refusal = exchange.refusal
        if refusal is None:
            return response
        if at_the_door(refusal):
            raise refusal
        if worth_repeating(refusal):
            response.headers.update(_RETRY_AFTER)
            if exchange.binding == "rest":
                response.status_code = 503
        return response


def _refused(binding: Binding, error: A2AError) -> Response:
    """Answer what was refused before the SDK saw it; its tables know JSONParseError as an error of JSON-RPC only."""
    malformed = isinstance(error, JSONParseError)
    shown = traced(InvalidRequestError(error.message) if malformed else error)
    if binding == "rest":
        return JSONResponse(build_rest_error_payload(shown), 400)
    if malformed:
        return JSONResponse(build_error_response(None, MalformedJson(data=build_error_details(shown))))
    return JSONResponse(build_error_response(None, shown))
