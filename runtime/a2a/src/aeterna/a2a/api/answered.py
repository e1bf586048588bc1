"""Whatever goes wrong in a method of the protocol becomes one of the protocol's errors, and each call is counted."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast

import structlog
from a2a.utils.errors import A2A_ERROR_REASONS, A2AError, InternalError, InvalidRequestError
from google.protobuf.json_format import ParseError

from aeterna.a2a.api.exchange import exchange_of
from aeterna.a2a.api.problem import protocol_error, traced
from aeterna.contracts.errors import AeternaError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import CoroutineType

    from a2a.server.context import ServerCallContext

    from aeterna.a2a.api.exchange import Exchange
    from aeterna.a2a.api.metrics import CallMetrics

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.stdlib.get_logger(__name__)


class _Counting(Protocol):
    metrics: CallMetrics


@contextmanager
def answering(exchange: Exchange) -> Generator[None]:
    """Raise only the protocol's errors; an error of ours is kept in the exchange, and one of nobody's is logged."""
    try:
        yield
    except A2AError as error:
        raise traced(error) from None
    except AeternaError as error:
        shown = protocol_error(error)
        if isinstance(shown, InternalError):
            # The protocol has no error of its own for this: the binding says more than "internal".
            exchange.refusal = error
        log.info("a2a.refused", code=error.code, binding=exchange.binding)
        raise traced(shown) from None
    except Exception:
        log.exception("a2a.failed", binding=exchange.binding)
        raise traced(InternalError(message="The agent failed in a way it did not foresee")) from None


@contextmanager
def tracing() -> Generator[None]:
    """Put the trace id into the errors that the SDK raises itself, before the handler is called."""
    try:
        yield
    except A2AError as error:
        raise traced(error) from None
    except ParseError as error:
        raise traced(InvalidRequestError(message=str(error))) from None


def answered(
    method: str,
) -> Callable[[Callable[P, CoroutineType[Any, Any, R]]], Callable[P, CoroutineType[Any, Any, R]]]:
    """Decorate a handler's method of the protocol, whose last argument is the SDK's context."""

    def decorated(function: Callable[P, CoroutineType[Any, Any, R]]) -> Callable[P, CoroutineType[Any, Any, R]]:
        @functools.wraps(function)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            handler = cast("_Counting", args[0])
            exchange = exchange_of(cast("ServerCallContext", args[-1]))
            outcome = "cancelled"
            try:
                with answering(exchange):
                    result = await function(*args, **kwargs)
                outcome = "ok"
            except A2AError as error:
                refusal = exchange.refusal
                outcome = A2A_ERROR_REASONS[type(error)].lower() if refusal is None else refusal.code
                raise
            finally:
                handler.metrics.count(exchange.binding, method, outcome)
            return result

        return wrapper

    return decorated
