"""Following a thread: every message once and in order, however the news of it comes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.service.caller import TenantId
from aeterna.threads.api.streams import StreamLimits, Streams
from aeterna.threads.domain.conversation import (
    MAX_MESSAGE_BYTES,
    PAGE_BYTES,
    Message,
    MessageDraft,
    MessageId,
    Role,
    TextPart,
    ThreadDraft,
    ThreadId,
)
from aeterna.threads.errors import StreamsExhaustedError
from aeterna.threads.testing import FakeThreadStore, FakeWakes
from aeterna.threads.usecases.follow import BATCH, SILENCE, Follower

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

ACME, THREAD = TenantId("acme"), ThreadId("t-1")
SOON, LONG = timedelta(milliseconds=1), timedelta(minutes=1)


class Conversation:
    """A store in memory with one thread, and what wakes its readers."""

    def __init__(self) -> None:
        self.wakes = FakeWakes()
        self.store = FakeThreadStore(self.wakes)

    async def say(self, *numbers: int) -> None:
        """Append messages."""
        for n in numbers:
            draft = MessageDraft(message_id=MessageId(f"m-{n}"), role=Role.USER, parts=(TextPart(text=str(n)),))
            await self.store.append(ACME, THREAD, draft, by="ada")

    def follow(self, heartbeat: timedelta = LONG, after_seq: int = 0) -> AsyncIterator[Message | object]:
        """Follow the thread for ever."""
        return Follower(self.store, self.wakes, heartbeat).follow(
            ACME, THREAD, after_seq=after_seq, ending=lambda: False
        )


@pytest.fixture
async def conversation() -> Conversation:
    """Return a conversation with an open thread."""
    conversation = Conversation()
    await conversation.store.open(ACME, ThreadDraft(thread_id=THREAD), by="ada")
    return conversation


def seq(item: object) -> int | None:
    """Return a message's place, or None for silence."""
    return item.seq if isinstance(item, Message) else None


async def test_what_was_said_before_comes_first(conversation: Conversation) -> None:
    await conversation.say(1, 2, 3)
    news = conversation.follow()

    assert [seq(await anext(news)) for _ in range(3)] == [1, 2, 3]


async def test_a_page_that_its_bytes_cut_short_is_no_end(conversation: Conversation) -> None:
    many = PAGE_BYTES // MAX_MESSAGE_BYTES * 2 + 3
    for n in range(many):
        text = TextPart(text="x" * (MAX_MESSAGE_BYTES - 1000))
        draft = MessageDraft(message_id=MessageId(f"m-{n}"), role=Role.USER, parts=(text,))
        await conversation.store.append(ACME, THREAD, draft, by="ada")
    news = conversation.follow(SOON)

    assert [seq(await anext(news)) for _ in range(many + 1)] == [*range(1, many + 1), None]


async def test_following_goes_on_after_the_last_seen(conversation: Conversation) -> None:
    await conversation.say(1, 2, 3)

    assert seq(await anext(conversation.follow(after_seq=2))) == 3


async def test_news_arrive_while_waiting(conversation: Conversation) -> None:
    waiting = asyncio.ensure_future(anext(conversation.follow()))
    await conversation.say(1)

    assert seq(await waiting) == 1


async def test_more_than_a_batch_arrives_whole(conversation: Conversation) -> None:
    await conversation.say(*range(1, 2 * BATCH + 2))
    news = conversation.follow()

    assert [seq(await anext(news)) for _ in range(2 * BATCH + 1)] == list(range(1, 2 * BATCH + 2))


async def test_silence_is_told_each_heartbeat(conversation: Conversation) -> None:
    news = conversation.follow(SOON)

    assert [await anext(news) for _ in range(3)] == [SILENCE] * 3


async def test_a_message_whose_wake_was_lost_comes_with_the_next_heartbeat() -> None:
    """The process that appended it was killed between its commit and its notification."""
    conversation = Conversation()
    conversation.store = FakeThreadStore(FakeWakes())
    await conversation.store.open(ACME, ThreadDraft(thread_id=THREAD), by="ada")
    news = conversation.follow(SOON)
    await anext(news)
    await conversation.say(1)

    assert 1 in [seq(await anext(news)) for _ in range(2)]


async def test_a_wake_without_news_says_nothing_twice(conversation: Conversation) -> None:
    await conversation.say(1)
    news = conversation.follow()
    await anext(news)
    waiting = asyncio.ensure_future(anext(news))
    conversation.wakes.wake_all()
    await conversation.say(2)

    assert seq(await waiting) == 2


async def stream(conversation: Conversation, limits: StreamLimits, *, draining: bool = False) -> list[bytes]:
    """Return the pieces of a stream that ends by itself."""
    streams = Streams(conversation.store, conversation.wakes, limits)
    pieces = await streams.open(ACME, THREAD, after_seq=0, draining=lambda: draining)
    return [piece async for piece in pieces]


async def test_a_stream_ends_when_its_time_is_up(conversation: Conversation) -> None:
    pieces = await stream(conversation, StreamLimits(heartbeat=SOON, lifetime=timedelta(milliseconds=5)))

    assert pieces[0] == b"retry: 1000\n\n"
    assert set(pieces[1:]) == {b": heartbeat\n\n"}


async def test_a_stream_ends_when_the_process_drains(conversation: Conversation) -> None:
    assert await stream(conversation, StreamLimits(), draining=True) == [b"retry: 1000\n\n"]


async def test_a_stream_that_loses_the_database_ends_between_two_events(conversation: Conversation) -> None:
    await conversation.say(1)
    streams = Streams(conversation.store, conversation.wakes, StreamLimits(heartbeat=SOON))
    pieces = await streams.open(ACME, THREAD, after_seq=0, draining=lambda: False)
    first = [await anext(pieces), await anext(pieces)]
    conversation.store.available = False

    rest = [piece async for piece in pieces]

    assert first[1].startswith(b"id: 1\nevent: message\ndata: {")
    assert set(rest) <= {b": heartbeat\n\n"}
    assert streams.count == 0


async def test_no_more_streams_than_the_limit_are_open(conversation: Conversation) -> None:
    streams = Streams(conversation.store, conversation.wakes, StreamLimits(most=1))
    async with aclosing(await streams.open(ACME, THREAD, after_seq=0, draining=lambda: False)) as first:
        await anext(first)

        with pytest.raises(StreamsExhaustedError):
            await streams.open(ACME, THREAD, after_seq=0, draining=lambda: False)

    assert streams.count == 0
