"""gRPC of both versions: proof before anything is parsed, errors with details, streams that end with the process."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import grpc
import structlog
from a2a.compat.v0_3.grpc_handler import CompatGrpcHandler
from a2a.server.request_handlers.grpc_handler import GrpcHandler
from a2a.utils.grpc_status import status_to_grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc.aio import AbortError, ServerInterceptor

from aeterna.a2a.api.exchange import Exchange, begin_call, current_call, values
from aeterna.a2a.api.problem import RETRY_AFTER, grpc_status, worth_repeating
from aeterna.a2a.errors import GoingAwayError
from aeterna.contracts.errors import AeternaError
from aeterna.service.trace import TRACE_HEADER, current_trace_id, enter_trace, trace_id_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable

    from a2a.utils.errors import A2AError
    from google.protobuf.message import Message

    from aeterna.a2a.api.exchange import GrpcContext, Metadata
    from aeterna.a2a.api.gate import Gate
    from aeterna.a2a.api.streams import Streams

LAST_EVENT_ID: Final = "last-event-id"
_DOMAIN: Final = "aeterna"

log = structlog.stdlib.get_logger(__name__)


class _Method(Protocol):
    """A method's handler as grpc.aio keeps it, in which grpc's own types leave everything optional and synchronous."""

    request_deserializer: Callable[[bytes], Message]
    unary_unary: Callable[[Message, GrpcContext], Awaitable[Message]]
    unary_stream: Callable[[Message, GrpcContext], AsyncIterable[Message]]


class Servicer(GrpcHandler):
    """The SDK's servicer of 1.0, which can also say what the protocol has no error for."""

    async def abort_context(self, error: A2AError, context: GrpcContext) -> None:
        """End the call with the status and details of the error."""
        await _abort_refused(context)
        await super().abort_context(error, context)  # pyright: ignore[reportUnknownMemberType] - as the SDK has it


class LegacyServicer(CompatGrpcHandler):
    """The SDK's servicer of 0.3, which can also say what the protocol has no error for."""

    async def abort_context(self, error: A2AError, context: GrpcContext) -> None:
        """End the call with the status of the error."""
        await _abort_refused(context)
        await super().abort_context(error, context)  # pyright: ignore[reportUnknownMemberType] - as the SDK has it


class Door(ServerInterceptor):
    """Lets calls in: a trace and a proof for each, before its request is parsed."""

    def __init__(self, gate: Gate, streams: Streams) -> None:
        self._gate = gate
        self._streams = streams

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return the method's handler behind the door; its requests arrive as the bytes that were sent."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._streaming(cast("_Method", handler)), response_serializer=handler.response_serializer
            )
        return grpc.unary_unary_rpc_method_handler(
            self._answering(cast("_Method", handler)), response_serializer=handler.response_serializer
        )

    def _answering(self, handler: _Method) -> Callable[[bytes, GrpcContext], Awaitable[Any]]:
        async def call(raw: bytes, context: GrpcContext) -> Message:
            await self._begin(context)
            request = await _parsed(handler, raw, context)
            try:
                return await handler.unary_unary(request, context)
            except AbortError:
                raise
            except Exception:
                log.exception("a2a.failed", binding="grpc")
                await _abort_unforeseen(context)
                raise

        return call

    def _streaming(self, handler: _Method) -> Callable[[bytes, GrpcContext], AsyncIterable[Any]]:
        async def call(raw: bytes, context: GrpcContext) -> AsyncGenerator[Message]:
            exchange = await self._begin(context)
            request = await _parsed(handler, raw, context)
            # Headers at once: the first event may take as long as the executor thinks.
            await context.send_initial_metadata(_trace())
            source = _Watched(handler.unary_stream(request, context))
            try:
                async with aclosing(self._streams.paced(source.items(), "grpc")) as items:
                    async for item in items:
                        if item is not None:
                            yield item
            except AbortError:
                raise
            except Exception:
                log.exception("a2a.failed", binding="grpc")
                await _abort_unforeseen(context)
                raise
            position = () if exchange.seq is None else ((LAST_EVENT_ID, str(exchange.seq)),)
            context.set_trailing_metadata((*_trace(), *position))
            # A stream that ended because the process does must not look like one that is over.
            if not exchange.rested and (not source.ended or self._streams.leaving):
                await _abort(GoingAwayError(), context, position)

        return call

    async def _begin(self, context: GrpcContext) -> Exchange:
        """Prove the caller and note the call, or end it."""
        metadata: Metadata = tuple(context.invocation_metadata() or ())
        parents = values(metadata, "traceparent")
        enter_trace(trace_id_of(parents[0].encode("latin-1") if len(parents) == 1 else None))
        context.set_trailing_metadata(_trace())
        positions = values(metadata, LAST_EVENT_ID)
        try:
            caller = await self._gate.prove(values(metadata, "authorization"))
        except AeternaError as error:
            await _abort(error, context)
            raise
        exchange = Exchange(binding="grpc", caller=caller, last_event_id=positions[-1] if positions else None)
        begin_call(exchange)
        return exchange


class _Watched:
    """A source of a stream, and whether it came to its own end."""

    def __init__(self, source: AsyncIterable[Message]) -> None:
        self._source = source
        self.ended = False

    async def items(self) -> AsyncGenerator[Message]:
        async for item in self._source:
            yield item
        self.ended = True


async def _parsed(handler: _Method, raw: bytes, context: GrpcContext) -> Message:
    """Return the request, or end the call: what is no message, or is nested too deep for one, is the caller's fault."""
    try:
        return handler.request_deserializer(raw)
    except (DecodeError, ValueError):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the request is not a message of this method")
        raise


async def _abort_refused(context: GrpcContext) -> None:
    refusal = current_call().refusal
    if refusal is not None:
        await _abort(refusal, context)


async def _abort(error: AeternaError, context: GrpcContext, told: Metadata = ()) -> None:
    """End the call with what the protocol has no error for."""
    code = grpc_status(error)
    status = Status(
        code=code.value[0], message=str(error) if code is not grpc.StatusCode.INTERNAL else "internal error"
    )
    info = ErrorInfo(reason=error.code.replace(".", "_").upper(), domain=_DOMAIN, metadata={"code": error.code})
    info.metadata["traceId"] = current_trace_id() or ""
    details: list[Message] = [info]
    if worth_repeating(error):
        retry = RetryInfo()
        retry.retry_delay.FromTimedelta(RETRY_AFTER)
        details.append(retry)
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    rich = status_to_grpc(status)
    found = cast("Metadata", rich.trailing_metadata)  # pyright: ignore[reportUnknownMemberType] - as the SDK has it
    context.set_trailing_metadata((*_trace(), *told, *found))
    await context.abort(rich.code, rich.details)


async def _abort_unforeseen(context: GrpcContext) -> None:
    """End the call without details, because they may hold a secret; the log has them."""
    await context.abort(grpc.StatusCode.INTERNAL, "the agent failed in a way it did not foresee")


def _trace() -> tuple[tuple[str, str], ...]:
    trace_id = current_trace_id()
    return () if trace_id is None else ((TRACE_HEADER, trace_id),)
