"""Conversations as asynchronous code sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from aeterna.client import thread_operations as operations
from aeterna.client.async_dead_letters import AsyncDeadLetters
from aeterna.client.async_leases import AsyncLeases
from aeterna.client.async_retention import AsyncRetention
from aeterna.client.async_tasks import AsyncTasks
from aeterna.client.event_stream import EventStream
from aeterna.client.thread_problem_codes import ThreadConflictError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime, timedelta

    from aeterna.client.async_runner import AsyncRunner
    from aeterna.client.json_value import JsonObject
    from aeterna.client.thread_operations import PartLike
    from aeterna.client.thread_values import Appended, Message, MessagePage, Role, ThreadHit, ThreadHitPage, ThreadInfo


class AsyncThread:
    """One conversation."""

    def __init__(self, runner: AsyncRunner, thread_id: str) -> None:
        self._runner = runner
        self.thread_id = thread_id

    def __repr__(self) -> str:
        return f"AsyncThread({self.thread_id!r})"

    async def append(
        self,
        role: Role,
        parts: Sequence[PartLike],
        *,
        message_id: str | None = None,
        metadata: JsonObject | None = None,
        expected_seq: int | None = None,
    ) -> Appended:
        """Append a message exactly once.

        The message id is the idempotency key: without one it is drawn, which makes this call safe to retry; give
        your own to make it safe across restarts of the caller. ``expected_seq`` is the last sequence number that the
        caller has seen: if the thread has gone on since, `SequenceConflictError` is raised and nothing is written.
        """
        return await self._runner.run(
            operations.append(
                self.thread_id,
                role=role,
                parts=parts,
                message_id=str(uuid4()) if message_id is None else message_id,
                metadata=metadata,
                expected_seq=expected_seq,
            )
        )

    async def messages(self, *, after_seq: int = 0, page: int | None = None) -> AsyncIterator[Message]:
        """Give out every message after ``after_seq`` in order, reading ``page`` of them at a time."""
        after: int | None = after_seq
        while after is not None:
            answer = await self.page(after_seq=after, limit=page)
            for message in answer.messages:
                yield message
            after = answer.next_after

    async def page(self, *, after_seq: int = 0, limit: int | None = None) -> MessagePage:
        """Read one page of messages."""
        return await self._runner.run(operations.messages(self.thread_id, after_seq=after_seq, limit=limit))

    def events(self, *, after_seq: int = 0) -> AsyncIterator[Message]:
        """Give out every message after ``after_seq``, then each new one as it is appended, without end.

        A connection that breaks is made again and resumes after the last message given out: nothing is missed and
        nothing comes twice. The error is raised when the service stays away longer than the retry policy allows.
        """
        wire = self._runner.wire
        stream = EventStream(self.thread_id, after_seq=after_seq, policy=wire.policy, random=wire.random)
        return self._runner.follow(stream)

    async def info(self) -> ThreadInfo:
        """Read the thread's own facts."""
        return await self._runner.run(operations.thread(self.thread_id))


class AsyncThreads:
    """The tenant's conversations."""

    def __init__(self, runner: AsyncRunner) -> None:
        self._runner = runner
        self.dead_letters = AsyncDeadLetters(runner)
        self.retention = AsyncRetention(runner)
        self.leases = AsyncLeases(runner)
        self.tasks = AsyncTasks(runner)

    async def open(
        self,
        thread_id: str,
        *,
        title: str | None = None,
        metadata: JsonObject | None = None,
        ttl: timedelta | None = None,
    ) -> AsyncThread:
        """Return the thread, made if it is not there yet.

        A title or metadata must be those it was made with, or `ThreadConflictError` is raised; without either, any
        thread of this id will do. A ``ttl`` counts when the thread is made: with it, it is gone that long after its
        last message.
        """
        try:
            await self._runner.run(operations.open_thread(thread_id, title=title, metadata=metadata, ttl=ttl))
        except ThreadConflictError:
            if title is not None or metadata is not None:
                raise
        return AsyncThread(self._runner, thread_id)

    def get(self, thread_id: str) -> AsyncThread:
        """Return the thread without asking whether it is there."""
        return AsyncThread(self._runner, thread_id)

    async def list(
        self,
        *,
        page: int | None = None,
        created_by: str | None = None,
        created_since: datetime | None = None,
        created_before: datetime | None = None,
        updated_since: datetime | None = None,
        updated_before: datetime | None = None,
        title: str | None = None,
        metadata: tuple[str, str] | None = None,
    ) -> AsyncIterator[ThreadInfo]:
        """Give out every thread that fits, newest first, reading ``page`` of them at a time.

        Times ``since`` are included, times ``before`` are not. ``title`` is a piece of the title; ``metadata`` is a
        member and the text that it is.
        """
        cursor: str | None = None
        while True:
            answer = await self._runner.run(
                operations.threads(
                    limit=page,
                    cursor=cursor,
                    created_by=created_by,
                    created=(created_since, created_before),
                    updated=(updated_since, updated_before),
                    title=title,
                    metadata=metadata,
                )
            )
            for found in answer.threads:
                yield found
            cursor = answer.next_cursor
            if cursor is None:
                return

    async def search(
        self, words: str, *, within: str | None = None, since: datetime | None = None, page: int | None = None
    ) -> AsyncIterator[ThreadHit]:
        """Give out every message that holds all of the words, newest first, reading ``page`` hits at a time.

        ``words`` is written as for a search engine: "a phrase", this or that, -not this. ``within`` is the only thread
        to look in. A message can be found about a second after it was appended.
        """
        cursor: str | None = None
        while True:
            answer = await self.search_page(words, within=within, since=since, limit=page, cursor=cursor)
            for hit in answer.hits:
                yield hit
            cursor = answer.next_cursor
            if cursor is None:
                return

    async def search_page(
        self,
        words: str,
        *,
        within: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ThreadHitPage:
        """Read one page of hits, and until when what was said was searched."""
        return await self._runner.run(operations.search(words, within=within, since=since, limit=limit, cursor=cursor))
