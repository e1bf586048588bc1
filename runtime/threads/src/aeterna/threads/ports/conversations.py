"""Where conversations are kept, listed and searched, and what wakes their readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import (
        Append,
        MessageDraft,
        MessagePage,
        Opened,
        Position,
        Receipt,
        Thread,
        ThreadDraft,
        ThreadId,
    )
    from aeterna.threads.domain.search import HitPage, Search, SearchPlace, ThreadFilter, ThreadsFound
    from aeterna.threads.domain.task import (
        AgentId,
        News,
    )
    from aeterna.threads.errors import ThreadsError

ToldOfAppend: TypeAlias = "Callable[[int, Receipt | ThreadsError], None]"
"""Hears of an append by its place among those of its call."""


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

    async def append_all(self, tenant: TenantId, appends: Sequence[Append], told: ToldOfAppend) -> None:
        """Append all of them, in one transaction if no thread has to be waited for; tell of each what it came to.

        That is what `append` returns or raises. Those of one thread are written in their order, and no two of them may
        have the same message id. One that is refused does not touch the others.
        """
        ...

    async def messages(self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, limit: int) -> MessagePage:
        """Return at most ``limit`` messages after ``after_seq``, in order, and no more than fill a page.

        The last of them may stand before the thread's end however few they are; there is one at least if any follows.

        Raises `ThreadNotFoundError`, or `PositionAheadError` when the thread ends before ``after_seq``.
        """
        ...


class ThreadSearch(Protocol):
    """Finds what plain threads say. Kept by ``adapters.postgres_search``; faked in ``testing``.

    A tenant finds its own only, and nothing that has expired, was erased, or belongs to a task.
    """

    async def search(self, tenant: TenantId, search: Search, *, after: SearchPlace | None, limit: int) -> HitPage:
        """Return at most ``limit`` hits, newest first, that come after the place.

        Raises `SearchInvalidError` when there is nothing to look for; `StoreUnavailableError` or `StoreBusyError`.
        """
        ...


class ThreadListing(Protocol):
    """Lists some of a tenant's plain threads. Kept by ``adapters.postgres_listing``; faked in ``testing``."""

    async def find(self, tenant: TenantId, wanted: ThreadFilter, *, after: Position | None, limit: int) -> ThreadsFound:
        """Return at most ``limit`` threads that fit, newest first, that come after the position.

        Raises `StoreUnavailableError` or `StoreBusyError`.
        """
        ...


class SearchIndex(Protocol):
    """The index of the search, of all tenants. Kept by ``adapters.postgres_search``."""

    async def sweep(self, *, limit: int) -> bool | None:
        """Make what so many threads say searchable, as far as one step goes; return whether to go on at once.

        None where another process is at it. Raises `StoreUnavailableError` or `StoreBusyError`.
        """
        ...


class Waiter(Protocol):
    """One reader's wait for news of one thread."""

    async def wait(self, timeout: timedelta) -> bool:  # noqa: ASYNC109 - the timeout is the heartbeat, part of what is asked for
        """Return True as soon as there may be news since the last call, or False when the time is up.

        A wake is a hint: it may come without news, and it may fail to come. The store alone knows.
        """
        ...


class AgentWaiter(Protocol):
    """An agent's wait for news of any of its tasks."""

    async def wait(self, timeout: timedelta) -> News | None:  # noqa: ASYNC109 - as in `Waiter`
        """Return what may be new since the last call as soon as anything may be, or None when the time is up.

        News are hints, as wakes are. What a reader is too slow for is told together, in the end as ``everything``.
        """
        ...


class Wakes(Protocol):
    """Tells readers that a thread may have grown. Kept by ``adapters.listen``; faked in ``testing``."""

    def subscribe_agent(self, tenant: TenantId, agent: AgentId) -> AbstractAsyncContextManager[AgentWaiter]:
        """Return a context in which what is announced of the agent's tasks, by any process, reaches the waiter."""
        ...

    def announce_task(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, version: int) -> None:
        """Have the agent's readers told soon that its task has grown to a version; neither waits nor raises."""
        ...

    def subscribe(self, tenant: TenantId, thread_id: ThreadId) -> AbstractAsyncContextManager[Waiter]:
        """Return a context in which what is announced of the thread, by any process, wakes the waiter."""
        ...

    def announce(self, tenant: TenantId, thread_id: ThreadId) -> None:
        """Have the readers of the thread woken soon; neither waits nor raises."""
        ...

    def wake_all(self) -> None:
        """Wake this process's readers, because something may have been missed or the process is ending."""
        ...
