"""Every error of the kit is something to a caller, and none tells of the inside."""

from __future__ import annotations

from typing import cast

import grpc
import pytest
from a2a.utils.errors import (
    A2AError,
    InternalError,
    InvalidParamsError,
    PushNotificationNotSupportedError,
    TaskNotFoundError,
    UnsupportedOperationError,
)

from aeterna.a2a import errors
from aeterna.a2a.api.problem import STATUSES, grpc_status, protocol_error, worth_repeating
from aeterna.service.problem import without_status


def test_every_error_has_a_status() -> None:
    assert without_status("aeterna.a2a", STATUSES) == set()


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("threads.task_not_found", TaskNotFoundError),
        ("threads.task_ended", UnsupportedOperationError),
        ("threads.message_conflict", InvalidParamsError),
        ("threads.message_too_large", InvalidParamsError),
        ("request.too_large", InvalidParamsError),
        ("threads.invalid_cursor", InvalidParamsError),
        ("threads.position_ahead", InvalidParamsError),
        ("threads.push_url_refused", InvalidParamsError),
        ("threads.push_unavailable", PushNotificationNotSupportedError),
        ("policy.denied", InternalError),
        ("token.invalid", InternalError),
        ("threads.defect", InternalError),
    ],
)
def test_a_refusal_of_the_store_is_the_callers_fault_only_where_it_is(problem: str, expected: type[A2AError]) -> None:
    assert type(protocol_error(errors.StoreRefusedError(problem, "detail"))) is expected


def test_what_the_store_says_of_the_agents_own_token_is_not_passed_on() -> None:
    error = protocol_error(errors.StoreRefusedError("token.invalid", "the token of agent orders has expired"))

    assert "orders" not in repr(error)


@pytest.mark.parametrize("error", [errors.StoreAwayError("10.0.0.1 refused"), errors.GoingAwayError()])
def test_what_may_be_repeated_says_after_how_long(error: errors.AgentError) -> None:
    shown = protocol_error(error)

    assert worth_repeating(error)
    assert grpc_status(error) == grpc.StatusCode.UNAVAILABLE
    assert _data(shown) == {"code": error.code, "retryDelay": "1s"}
    assert "10.0.0.1" not in shown.message


def test_a_task_that_still_runs_is_named() -> None:
    shown = protocol_error(errors.StillRunningError("t-1"))

    assert _data(shown) == {"code": "a2a.still_running", "taskId": "t-1"}


def _data(error: A2AError) -> object:
    return cast("dict[str, object] | None", error.data)  # pyright: ignore[reportUnknownMemberType] - as the SDK has it
