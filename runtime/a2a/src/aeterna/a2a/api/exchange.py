"""One call on its way through the SDK, by whichever binding: who asks, where to go on, and how it was refused."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from a2a.extensions.common import HTTP_EXTENSION_HEADER, get_requested_extensions
from a2a.server.context import ServerCallContext
from a2a.server.request_handlers.grpc_handler import GrpcServerCallContextBuilder
from a2a.server.routes.common import ServerCallContextBuilder
from a2a.utils.constants import VERSION_HEADER
from a2a.utils.errors import VersionNotSupportedError

from aeterna.contracts.errors import AeternaError
from aeterna.service.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grpc.aio import ServicerContext
    from starlette.requests import Request


Binding: TypeAlias = Literal["jsonrpc", "rest", "grpc"]
Metadata: TypeAlias = "Sequence[tuple[str, str | bytes]]"
GrpcContext: TypeAlias = "ServicerContext[Any, Any]"
"""grpc.aio's context of a call, of whatever messages."""

_KEY: Final = "aeterna"
_call: ContextVar[Exchange] = ContextVar("aeterna_a2a_exchange")


@dataclass(slots=True, kw_only=True)
class Exchange:
    """What the kit notes of one call beside what the SDK passes on; written while the call is under way.

    ``seq`` is the place in the log of the event that was given out last: the SDK's events have no room for it.
    ``rested`` says that after it there is nothing to wait for. ``refusal`` is why the call failed, where the SDK has no
    error of its own for that. ``unknown`` names a parameter with a value that the SDK's parser passes over. ``opened``
    is set once a stream will not be refused any more, before its first event.
    """

    binding: Binding
    caller: Caller
    last_event_id: str | None = None
    seq: int | None = None
    rested: bool = False
    refusal: AeternaError | None = None
    unknown: str | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)


def exchange_of(context: ServerCallContext) -> Exchange:
    """Return the exchange that a context builder of ours put into the SDK's context."""
    return cast("Exchange", context.state[_KEY])


class HttpContexts(ServerCallContextBuilder):
    """Builds the SDK's context of an HTTP request whose exchange is in ``request.state``."""

    def build(self, request: Request) -> ServerCallContext:
        """Pass on the exchange and the one header that the SDK looks at; nobody else needs the caller's headers."""
        return ServerCallContext(
            state={
                _KEY: request.state.exchange,
                "headers": {VERSION_HEADER: request.headers.get(VERSION_HEADER, "")},
            },
            requested_extensions=get_requested_extensions(request.headers.getlist(HTTP_EXTENSION_HEADER)),
        )


class GrpcContexts(GrpcServerCallContextBuilder):
    """Builds the SDK's context of a gRPC call whose exchange the interceptor has begun."""

    def __init__(self, version: str) -> None:
        """Take the version of the protocol that the service speaks; its name says it, so callers need not."""
        self._version = version

    def build(self, context: GrpcContext) -> ServerCallContext:
        """Pass on the exchange and what matters to the protocol; raise `VersionNotSupportedError`."""
        metadata = cast("Metadata", context.invocation_metadata() or ())
        for version in values(metadata, VERSION_HEADER):
            if version.split(".")[0] != self._version.split(".")[0]:
                raise VersionNotSupportedError(
                    message=f"A2A version {version!r:.40} is not the {self._version} of this service"
                )
        return ServerCallContext(
            state={_KEY: _call.get(), "headers": {VERSION_HEADER: self._version}},
            requested_extensions=get_requested_extensions(values(metadata, HTTP_EXTENSION_HEADER)),
        )


def begin_call(exchange: Exchange) -> None:
    """Make this the exchange of the gRPC call that the running task serves."""
    _call.set(exchange)


def current_call() -> Exchange:
    """Return the exchange of the gRPC call that the running task serves."""
    return _call.get()


def values(metadata: Metadata, name: str) -> list[str]:
    """Return the values that a key of a call's metadata has, in order."""
    wanted = name.lower()
    return [
        value if isinstance(value, str) else value.decode("latin-1") for key, value in metadata if key.lower() == wanted
    ]
