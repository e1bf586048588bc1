"""What an A2A server needs of its conversations: take a message, follow a task, read it, cancel it, and run the agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from collections.abc import Set as AbstractSet

    from a2a.server.events.event_queue import Event
    from a2a.types import ListTasksRequest, ListTasksResponse, SendMessageRequest, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """Where a message came to stand; ``repeated`` when the same message had been sent before."""

    task_id: str
    context_id: str
    seq: int
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """An event that is durable, its place in the log, and the task's state after it (None while there is no task)."""

    event: Event
    seq: int
    state: str | None


class Conversations:
    """One agent's conversations, as one of its processes serves them."""

    async def submit(
        self, owner: str, request: SendMessageRequest, *, extensions: AbstractSet[str] = frozenset()
    ) -> Submitted:
        """Make the message durable, and let it be run here or wherever the task is run by now.

        Raises the SDK's `TaskNotFoundError`, `InvalidParamsError` (ids that cannot be kept, another context, the id of
        another message) and `UnsupportedOperationError` (the task has ended); `StoreAwayError`.
        """
        raise NotImplementedError

    def follow(self, task_id: str, owner: str, after: int, *, until: int | None = None) -> AsyncIterator[Followed]:
        """Give out what a subscriber of the task sees after a place in the log, from whichever process it comes.

        Ends after a terminal state or a reply; with ``until``, the seq of a message, also when that message was handled;
        and when this process drains. Raises the SDK's `TaskNotFoundError`; `InvalidParamsError` when the log ends before ``after``.
        """
        raise NotImplementedError

    async def task(
        self, task_id: str, owner: str, *, history_length: int | None = None, artifacts: bool = True
    ) -> tuple[Task, int] | None:
        """Return the task and its version, or None where there is none for this owner."""
        raise NotImplementedError

    async def tasks(self, owner: str, request: ListTasksRequest) -> ListTasksResponse:
        """Return a page of the owner's tasks, the one whose status changed last first."""
        raise NotImplementedError

    async def cancel(self, task_id: str, owner: str) -> Task:
        """End the task as canceled wherever it runs, or raise the SDK's `TaskNotFoundError`, `TaskNotCancelableError`."""
        raise NotImplementedError

    async def run(self) -> None:
        """Beat, claim and run until cancelled."""
        raise NotImplementedError

    async def drain(self, timeout: float) -> None:  # noqa: ASYNC109 - how long runs may go on is what is asked for
        """Take nothing new, let what runs go on for so many seconds, then hand the rest to the others."""
        raise NotImplementedError
