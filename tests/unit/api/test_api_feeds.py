"""The change feed as a stream: live, paced by its reader, shared, and ended without losing anybody's place."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.api.api.feeds import FeedLimits, Feeds
from aeterna.api.testing import RecordingFeedObserver
from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.errors import ChangesExpiredError, FeedsExhaustedError, InvalidQueryError, StorageError
from aeterna.graph.testing import MemoryGraphStores
from fixtures.fix_graph import ACME, GraphBench

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from aeterna.graph.usecases.following import SessionPart
    from aeterna.graph.usecases.graphs import Graph

pytestmark = pytest.mark.anyio

QUICK = FeedLimits(look_every=timedelta(milliseconds=5), heartbeat=timedelta(seconds=30))


@pytest.fixture
def observer() -> RecordingFeedObserver:
    return RecordingFeedObserver()


@pytest.fixture
def graph() -> Graph:
    return GraphBench(stores=MemoryGraphStores()).graphs().of(ACME)


def _commit(graph: Graph, *ids: str) -> None:
    for id_ in ids:
        graph.commit(session_of(id_, subject="ada", nodes=[node_of(f"n:{id_}", "Thing")]))


async def _open(
    feeds: Feeds, graph: Graph, after: int | None = 0, *, draining: Callable[[], bool] = lambda: False
) -> AsyncGenerator[bytes]:
    return await feeds.open(ACME, graph.history.following, after=after, draining=draining)


async def _sessions(feed: AsyncGenerator[bytes], count: int) -> list[str]:
    """Read until so many sessions came."""
    found: list[str] = []
    while len(found) < count:
        blocks = (await anext(feed)).decode().split("\n\n")
        told = [block.partition("data: ")[2] for block in blocks if "event: changes" in block]
        found += [json.loads(data)["session_id"] for data in told]
    return found


async def test_a_feed_goes_on_live_when_it_has_told_what_there_was(
    graph: Graph, observer: RecordingFeedObserver
) -> None:
    _commit(graph, "a", "b")
    async with aclosing(await _open(Feeds(QUICK, observer), graph)) as feed:
        assert await _sessions(feed, 2) == ["a", "b"]

        later = asyncio.create_task(_sessions(feed, 1))
        await asyncio.to_thread(_commit, graph, "c")

        assert await asyncio.wait_for(later, 10) == ["c"]
    assert observer.open == 0
    assert observer.bytes > 0


async def test_all_who_follow_a_tenant_are_told(graph: Graph, observer: RecordingFeedObserver) -> None:
    feeds = Feeds(QUICK, observer)
    _commit(graph, "a")
    followed = [await _open(feeds, graph, after=None) for _ in range(3)]
    for feed in followed:
        assert b"id: 1\n\n" in await anext(feed)
    assert observer.open == 3

    later = [asyncio.create_task(_sessions(feed, 1)) for feed in followed]
    await asyncio.to_thread(_commit, graph, "b")

    assert await asyncio.wait_for(asyncio.gather(*later), 10) == [["b"]] * 3
    for feed in followed:
        await feed.aclose()
    assert feeds.count == 0


async def test_a_quiet_feed_says_that_it_lives(graph: Graph, observer: RecordingFeedObserver) -> None:
    limits = replace(QUICK, heartbeat=timedelta(milliseconds=1), look_every=timedelta(seconds=30))
    async with aclosing(await _open(Feeds(limits, observer), graph)) as feed:
        await anext(feed)

        assert b": heartbeat\n\n" in {await anext(feed), await anext(feed)}


async def test_a_slow_reader_is_waited_for_and_nothing_is_gathered_for_it(
    graph: Graph, observer: RecordingFeedObserver
) -> None:
    text = "x" * 60_000
    for number in range(40):
        graph.commit(session_of(f"s{number}", subject="ada", nodes=[node_of("n:1", "Thing", {"t": text})]))
    async with aclosing(await _open(Feeds(QUICK, observer), graph)) as feed:
        chunks = [await anext(feed) for _ in range(5)]

        assert max(map(len, chunks)) < 400_000
        assert observer.bytes < 5 * 400_000


async def test_a_drain_ends_feeds_at_the_end_of_a_session(graph: Graph, observer: RecordingFeedObserver) -> None:
    draining = asyncio.Event()
    _commit(graph, "a")
    feed = await _open(Feeds(QUICK, observer), graph, draining=draining.is_set)
    assert await _sessions(feed, 1) == ["a"]

    draining.set()
    await asyncio.to_thread(_commit, graph, "b")

    rest = [chunk async for chunk in feed]
    assert all(chunk.endswith(b"\n\n") for chunk in rest)
    assert observer.open == 0


async def test_more_feeds_than_a_process_holds_are_refused(graph: Graph, observer: RecordingFeedObserver) -> None:
    feeds = Feeds(replace(QUICK, most=1), observer)
    async with aclosing(await _open(feeds, graph)) as feed:
        await anext(feed)

        with pytest.raises(FeedsExhaustedError):
            await _open(feeds, graph)


async def test_what_would_end_a_feed_at_once_is_said_before_it_begins(
    graph: Graph, observer: RecordingFeedObserver
) -> None:
    with pytest.raises(InvalidQueryError):
        await _open(Feeds(QUICK, observer), graph, after=5)


class _Ending:
    """A history that ends as it is told to."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    def newest(self) -> int:
        return 1

    def check(self, after: int) -> None:
        """Find nothing wrong yet."""

    def after(self, after: int) -> Iterator[SessionPart]:
        """Fail when there should be news."""
        del after
        raise self._failure


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ChangesExpiredError(1, 7), b"graph.changes_expired"),
        (StorageError("read the changes", "/secret/path"), None),
    ],
)
async def test_a_feed_that_cannot_go_on_ends_between_two_events(
    failure: Exception, told: bytes | None, observer: RecordingFeedObserver
) -> None:
    feed = await Feeds(QUICK, observer).open(ACME, _Ending(failure), after=1, draining=lambda: False)

    chunks = [chunk async for chunk in feed]

    assert all(chunk.endswith(b"\n\n") for chunk in chunks)
    assert (told is None) == (len(chunks) == 1)
    assert told is None or told in chunks[-1]
    assert b"secret" not in b"".join(chunks)
    assert len(observer.codes) == 1
