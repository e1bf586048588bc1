"""The ports of conversations in memory: a store of threads, and something that wakes their readers."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aeterna.service.clock import system_clock
from aeterna.threads.domain.conversation import (
    Message,
    MessageId,
    MessagePage,
    Opened,
    Position,
    Receipt,
    Thread,
    canonical,
    filling,
    part_json,
)
from aeterna.threads.domain.lifetimes import Lifetimes
from aeterna.threads.errors import (
    MessageConflictError,
    PositionAheadError,
    SequenceConflictError,
    StoreUnavailableError,
    ThreadConflictError,
    ThreadNotFoundError,
    ThreadsError,
)
from aeterna.threads.usecases.waiting import EventWaiter, NewsWaiter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from aeterna.service.caller import TenantId
    from aeterna.service.clock import Clock
    from aeterna.threads.domain.conversation import Append, MessageDraft, ThreadDraft, ThreadId
    from aeterna.threads.domain.task import AgentId
    from aeterna.threads.ports import ToldOfAppend


@dataclass(slots=True)
class _Conversation:
    thread: Thread
    digest: bytes
    ttl: timedelta | None
    messages: list[Message] = field(default_factory=list[Message])
    digests: dict[MessageId, tuple[int, bytes]] = field(default_factory=dict[MessageId, tuple[int, bytes]])


class FakeWakes:
    """A `Wakes` for one event loop."""

    def __init__(self) -> None:
        self._waiters: dict[tuple[TenantId, ThreadId], list[EventWaiter]] = {}
        self._agents: dict[tuple[TenantId, AgentId], list[NewsWaiter]] = {}

    @asynccontextmanager
    async def subscribe_agent(self, tenant: TenantId, agent: AgentId) -> AsyncGenerator[NewsWaiter]:
        """See `Wakes.subscribe_agent`."""
        waiter = NewsWaiter()
        waiters = self._agents.setdefault((tenant, agent), [])
        waiters.append(waiter)
        try:
            yield waiter
        finally:
            waiters.remove(waiter)

    def announce_task(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, version: int) -> None:
        """See `Wakes.announce_task`."""
        for waiter in self._agents.get((tenant, agent), ()):
            waiter.tell(task_id, version)

    @asynccontextmanager
    async def subscribe(self, tenant: TenantId, thread_id: ThreadId) -> AsyncGenerator[EventWaiter]:
        """See `Wakes.subscribe`."""
        waiter = EventWaiter()
        waiters = self._waiters.setdefault((tenant, thread_id), [])
        waiters.append(waiter)
        try:
            yield waiter
        finally:
            waiters.remove(waiter)

    def announce(self, tenant: TenantId, thread_id: ThreadId) -> None:
        """See `Wakes.announce`."""
        for waiter in self._waiters.get((tenant, thread_id), ()):
            waiter.event.set()

    def wake_all(self) -> None:
        """See `Wakes.wake_all`."""
        for tenant, thread_id in self._waiters:
            self.announce(tenant, thread_id)
        for waiters in self._agents.values():
            for waiter in waiters:
                waiter.tell_everything()


class FakeThreadStore:
    """A `ThreadStore` in memory; ``available`` switches it off, and an append wakes the readers it was given."""

    def __init__(self, wakes: FakeWakes | None = None, *, clock: Clock = system_clock) -> None:
        self._wakes = wakes or FakeWakes()
        self._clock = clock
        self._kept: dict[tuple[TenantId, ThreadId], _Conversation] = {}
        self.available = True

    async def open(self, tenant: TenantId, draft: ThreadDraft, *, by: str) -> Opened:
        """See `ThreadStore.open`."""
        self._require()
        digest, ttl = draft.digest(), Lifetimes().of_thread(draft.ttl)
        found = self._kept.get((tenant, draft.thread_id))
        if found is not None and self._lives(found.thread):
            if found.digest != digest:
                raise ThreadConflictError(draft.thread_id)
            return Opened(thread=found.thread, created=False)
        now = self._now()
        thread = Thread(
            thread_id=draft.thread_id,
            title=draft.title,
            metadata=draft.metadata,
            created_by=by,
            created_at=now,
            updated_at=now,
            last_seq=0,
            version=1,
            expires_at=None if ttl is None else now + ttl,
        )
        self._kept[tenant, draft.thread_id] = _Conversation(thread, digest, ttl)
        return Opened(thread=thread, created=True)

    async def thread(self, tenant: TenantId, thread_id: ThreadId) -> Thread:
        """See `ThreadStore.thread`."""
        return self._find(tenant, thread_id).thread

    async def threads(self, tenant: TenantId, *, after: Position | None, limit: int) -> tuple[Thread, ...]:
        """See `ThreadStore.threads`."""
        self._require()
        own = [kept.thread for (owner, _), kept in self._kept.items() if owner == tenant and self._lives(kept.thread)]
        if after is not None:
            own = [thread for thread in own if _place(thread) < (after.created_at, after.thread_id)]
        return tuple(sorted(own, key=_place, reverse=True)[:limit])

    async def append(
        self, tenant: TenantId, thread_id: ThreadId, draft: MessageDraft, *, by: str, expected_seq: int | None = None
    ) -> Receipt:
        """See `ThreadStore.append`."""
        digest = draft.digest()
        kept = self._find(tenant, thread_id)
        if (earlier := kept.digests.get(draft.message_id)) is not None:
            seq, first = earlier
            if first != digest:
                raise MessageConflictError(draft.message_id, seq)
            moment = kept.messages[seq - 1].created_at
            return Receipt(seq=seq, message_id=draft.message_id, created_at=moment, created=False)
        if expected_seq is not None and expected_seq != kept.thread.last_seq:
            raise SequenceConflictError(expected_seq, kept.thread.last_seq)
        now = max(self._now(), kept.thread.updated_at)
        message = Message(
            seq=kept.thread.last_seq + 1,
            message_id=draft.message_id,
            role=draft.role,
            parts=draft.parts,
            metadata=draft.metadata,
            author=by,
            created_at=now,
        )
        kept.messages.append(message)
        kept.digests[draft.message_id] = (message.seq, digest)
        kept.thread = replace(
            kept.thread,
            last_seq=message.seq,
            version=kept.thread.version + 1,
            updated_at=now,
            expires_at=None if kept.ttl is None else now + kept.ttl,
        )
        self._wakes.announce(tenant, thread_id)
        return Receipt(seq=message.seq, message_id=draft.message_id, created_at=now, created=True)

    async def append_all(self, tenant: TenantId, appends: Sequence[Append], told: ToldOfAppend) -> None:
        """See `ThreadStore.append_all`."""
        for place, each in enumerate(appends):
            try:
                receipt = await self.append(
                    tenant, each.thread_id, each.draft, by=each.by, expected_seq=each.expected_seq
                )
                told(place, receipt)
            except StoreUnavailableError:
                raise
            except ThreadsError as exc:
                told(place, exc)

    async def messages(self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, limit: int) -> MessagePage:
        """See `ThreadStore.messages`."""
        kept = self._find(tenant, thread_id)
        if after_seq > kept.thread.last_seq:
            raise PositionAheadError(after_seq, kept.thread.last_seq)
        messages = kept.messages[after_seq : after_seq + limit]
        page = messages[: filling(map(_size, messages))]
        return MessagePage(messages=tuple(page), last_seq=kept.thread.last_seq)

    async def check(self) -> None:
        """Return while available; raise `StoreUnavailableError` while not."""
        self._require()

    def now(self) -> datetime:
        """Return the time that it is here; raise `StoreUnavailableError` while not available."""
        self._require()
        return self._now()

    def said(self, tenant: TenantId) -> Sequence[tuple[ThreadId, Message]]:
        """Return every message of the tenant's threads that have not expired."""
        return [
            (thread_id, message)
            for (owner, thread_id), kept in self._kept.items()
            if owner == tenant and self._lives(kept.thread)
            for message in kept.messages
        ]

    def _require(self) -> None:
        if not self.available:
            raise StoreUnavailableError

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _find(self, tenant: TenantId, thread_id: ThreadId) -> _Conversation:
        self._require()
        found = self._kept.get((tenant, thread_id))
        if found is None or not self._lives(found.thread):
            raise ThreadNotFoundError(thread_id)
        return found

    def _lives(self, thread: Thread) -> bool:
        return thread.expires_at is None or thread.expires_at > self._now()


def _size(message: Message) -> int:
    parts = [part_json(part) for part in message.parts]
    return len(canonical(parts).encode()) + len(canonical(message.metadata).encode())


def _place(thread: Thread) -> tuple[datetime, ThreadId]:
    return thread.created_at, thread.thread_id
