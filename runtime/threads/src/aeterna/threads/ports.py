"""What the thread store needs from the outside: a durable store, and something that wakes readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain import (
        MessageDraft,
        MessagePage,
        Opened,
        Position,
        Receipt,
        Thread,
        ThreadDraft,
        ThreadId,
    )


class ThreadStore(Protocol):
    """The durable conversations of every tenant; no call sees or touches another tenant's.

    Kept by ``adapters.postgres``; faked in ``testing``. What is returned is durable. Every call is safe to repeat.
    Any call may raise `StoreUnavailableError` or `StoreBusyError`: then nothing is half-written, and an append may or
    may not have happened, which repeating it settles.
    """

    async def open(self, tenant: TenantId, draft: ThreadDraft, *, by: str) -> Opened:
        """Create the thread, or return the one that an equal draft created.

        Raises `ThreadConflictError` when the id is taken by a thread with another title or other metadata.
        """
        ...

    async def thread(self, tenant: TenantId, thread_id: ThreadId) -> Thread:
        """Return the thread, or raise `ThreadNotFoundError`."""
        ...

    async def threads(self, tenant: TenantId, *, after: Position | None, limit: int) -> tuple[Thread, ...]:
        """Return at most ``limit`` threads, newest first (by creation, then id), that come after the position."""
        ...

    async def append(
        self, tenant: TenantId, thread_id: ThreadId, draft: MessageDraft, *, by: str, expected_seq: int | None = None
    ) -> Receipt:
        """Write the message after the thread's last one, exactly once, and return where it stands.

        The same message id with the same content returns the first receipt, whatever ``expected_seq`` says; with
        other content it raises `MessageConflictError`. ``expected_seq`` is the ``last_seq`` that the writer saw: if
        the thread ends elsewhere, `SequenceConflictError`. `ThreadNotFoundError` when there is no such thread.
        `MessageTooLargeError` before anything is sent.
        """
        ...

    async def messages(self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, limit: int) -> MessagePage:
        """Return at most ``limit`` messages after ``after_seq``, in order.

        Raises `ThreadNotFoundError`, or `PositionAheadError` when the thread ends before ``after_seq``.
        """
        ...


class Waiter(Protocol):
    """One reader's wait for news of one thread."""

    async def wait(self, timeout: timedelta) -> bool:  # noqa: ASYNC109 - the timeout is the heartbeat, part of what is asked for
        """Return True as soon as there may be news since the last call, or False when the time is up.

        A wake is a hint: it may come without news, and it may fail to come. The store alone knows.
        """
        ...


class Wakes(Protocol):
    """Tells readers that a thread may have grown. Kept by ``adapters.listen``; faked in ``testing``."""

    def subscribe(self, tenant: TenantId, thread_id: ThreadId) -> AbstractAsyncContextManager[Waiter]:
        """Return a context in which what is announced of the thread, by any process, wakes the waiter."""
        ...

    def announce(self, tenant: TenantId, thread_id: ThreadId) -> None:
        """Have the readers of the thread woken soon; neither waits nor raises."""
        ...

    def wake_all(self) -> None:
        """Wake this process's readers, because something may have been missed or the process is ending."""
        ...
