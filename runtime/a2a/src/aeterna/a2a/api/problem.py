"""What errors are to a caller of A2A: the protocol's own wherever it has one, the chassis's problems at the door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import grpc
from a2a.utils.errors import (
    A2AError,
    InternalError,
    InvalidParamsError,
    PushNotificationNotSupportedError,
    TaskNotFoundError,
    UnsupportedOperationError,
)

from aeterna.a2a import errors
from aeterna.service.errors import (
    AuthenticationError,
    DecisionUnavailableError,
    KeysUnavailableError,
    PermissionDeniedError,
    RequestTooLargeError,
    ServiceError,
    TenantMissingError,
)
from aeterna.service.trace import current_trace_id

if TYPE_CHECKING:
    from aeterna.contracts.errors import AeternaError

STATUSES: Final[Mapping[type[AeternaError], int]] = MappingProxyType(
    {
        errors.ForeignTenantError: 403,
        errors.StoreAwayError: 503,
        errors.GoingAwayError: 503,
        errors.StillRunningError: 503,
        errors.StoreRefusedError: 500,
        errors.NotificationInvalidError: 401,
        # What follows never leaves the engine; should it, it is a defect of ours.
        errors.LeaseGoneError: 500,
        errors.StepUncertainError: 500,
        errors.TokenUnreadableError: 500,
        errors.AgentError: 500,
    }
)

RETRY_AFTER: Final = timedelta(seconds=1)

# Answered before the protocol is spoken: by status and problem document over HTTP, by status over gRPC.
_AT_THE_DOOR: Final = (ServiceError, DecisionUnavailableError, errors.ForeignTenantError)
_GRPC: Final[tuple[tuple[type[AeternaError], grpc.StatusCode], ...]] = (
    (AuthenticationError, grpc.StatusCode.UNAUTHENTICATED),
    (TenantMissingError, grpc.StatusCode.PERMISSION_DENIED),
    (PermissionDeniedError, grpc.StatusCode.PERMISSION_DENIED),
    (errors.ForeignTenantError, grpc.StatusCode.PERMISSION_DENIED),
    (RequestTooLargeError, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (KeysUnavailableError, grpc.StatusCode.UNAVAILABLE),
    (DecisionUnavailableError, grpc.StatusCode.UNAVAILABLE),
    (errors.StoreAwayError, grpc.StatusCode.UNAVAILABLE),
    (errors.GoingAwayError, grpc.StatusCode.UNAVAILABLE),
    (errors.StillRunningError, grpc.StatusCode.DEADLINE_EXCEEDED),
)

_Protocol: TypeAlias = Callable[[str], A2AError]


def _params(message: str) -> A2AError:
    return InvalidParamsError(message=message)


# What the thread store refuses, where that is the caller's doing. The store's words are for callers too.
_REFUSALS: Final[Mapping[str, _Protocol]] = MappingProxyType(
    {
        "threads.task_not_found": lambda _: TaskNotFoundError(),
        "threads.task_ended": lambda _: UnsupportedOperationError(message="The task has ended; begin another one"),
        "threads.message_conflict": lambda _: InvalidParamsError(
            message="This message id was used for another message"
        ),
        "threads.message_too_large": _params,
        "threads.push_unavailable": lambda _: PushNotificationNotSupportedError(
            message="The agent's store sends no push notifications"
        ),
        "threads.invalid_cursor": lambda _: InvalidParamsError(message="The page token is not one of this agent's"),
        "threads.position_ahead": lambda _: InvalidParamsError(
            message="Last-Event-ID is beyond the end of the task's log"
        ),
        "request.invalid": _params,
        "request.malformed": _params,
        "request.too_large": _params,
    }
)
_PUSH: Final = "threads.push_"


def at_the_door(error: AeternaError) -> bool:
    """Whether the error says that the caller is not let in, or that nobody could tell."""
    return isinstance(error, _AT_THE_DOOR)


def worth_repeating(error: AeternaError | None) -> bool:
    """Whether the same call may succeed a little later."""
    return isinstance(error, errors.StoreAwayError | errors.GoingAwayError)


def grpc_status(error: AeternaError) -> grpc.StatusCode:
    """Return the status of an error for which the protocol has no error of its own."""
    for kind, status in _GRPC:
        if isinstance(error, kind):
            return status
    return grpc.StatusCode.INTERNAL


def protocol_error(error: AeternaError) -> A2AError:
    """Return what an error of ours is in the protocol: nothing of the inside beyond its stable code."""
    if isinstance(error, errors.StoreRefusedError):
        refused = _REFUSALS.get(error.problem) or (_params if error.problem.startswith(_PUSH) else None)
        if refused is not None:
            return refused(error.detail)
    if isinstance(error, errors.StillRunningError):
        return InternalError(message=str(error), data={"code": error.code, **error.facts})
    if worth_repeating(error):
        retry = {"code": error.code, "retryDelay": f"{RETRY_AFTER.total_seconds():g}s"}
        return InternalError(message="The agent cannot answer now; repeat with the same ids", data=retry)
    return InternalError(message="The agent failed in a way it did not foresee", data={"code": error.code})


def traced(error: A2AError) -> A2AError:
    """Return the error with the trace id among its data, where operators and callers can both find it."""
    trace_id = current_trace_id()
    if trace_id is not None:
        data = cast("dict[str, object] | None", error.data)  # pyright: ignore[reportUnknownMemberType] - as the SDK has it
        error.data = {**(data or {}), "traceId": trace_id}
    return error
