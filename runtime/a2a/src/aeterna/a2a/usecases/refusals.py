"""What a refusal of the thread store is to a caller of A2A."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from a2a.utils.errors import (
    InvalidParamsError,
    PushNotificationNotSupportedError,
    TaskNotFoundError,
    UnsupportedOperationError,
)

if TYPE_CHECKING:
    from aeterna.a2a.errors import StoreRefusedError

_INVALID: Final = {
    "threads.message_conflict": "This messageId was used for another message.",
    "threads.position_ahead": "The task's stream does not reach that far.",
    "threads.invalid_cursor": "The page token is not one of this agent's.",
    "threads.invalid_write": "",
    "threads.message_too_large": "",
    "threads.push_url_refused": "",
}
"""What is wrong with a caller's request, by the store's code; an empty text stands for the store's own words."""


def of_caller(error: StoreRefusedError) -> Exception:
    """Return what a refusal of the store is to the caller of A2A; what is none of the caller's stays as it is."""
    if error.problem == "threads.task_not_found":
        return TaskNotFoundError()
    if error.problem == "threads.task_ended":
        return UnsupportedOperationError(message="The task has ended; begin another one.")
    if error.problem == "threads.push_unavailable":
        return PushNotificationNotSupportedError()
    says = _INVALID.get(error.problem)
    return error if says is None else InvalidParamsError(message=says or error.detail)
