"""What every `ThreadSearch` finds, the fake and the real one alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.service.clock import system_clock
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.adapters.postgres_cleanup import ROLE
from aeterna.threads.adapters.postgres_search import PostgresSearchIndex, PostgresThreadSearch
from aeterna.threads.domain.conversation import (
    DataPart,
    MessageDraft,
    MessageId,
    Role,
    TextPart,
    ThreadDraft,
    ThreadId,
)
from aeterna.threads.domain.search import MAX_SNIPPET, search_for
from aeterna.threads.errors import SearchInvalidError
from aeterna.threads.testing import FakeThreadStore
from aeterna.threads.testing.search import FakeThreadSearch
from aeterna.threads.usecases.indexing import Indexing, IndexLimits

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from aeterna.threads.domain.search import HitPage, SearchPlace
    from aeterna.threads.ports import ThreadSearch, ThreadStore

pytestmark = pytest.mark.anyio

ACME, OTHER = TenantId("acme"), TenantId("other")
LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)


class Ahead:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return system_clock() + self._seconds

    def jump(self) -> None:
        """Go forward by more than anything may live."""
        self._seconds += timedelta(days=400).total_seconds()


class World:
    """A store with its search, and what a test says of both in one line."""

    def __init__(
        self, store: ThreadStore, search: ThreadSearch, *, expire: Callable[[], None], indexing: Indexing | None = None
    ) -> None:
        """Take what lets every thread expire that may, and the index's upkeep where there is one."""
        self.store = store
        self.search = search
        self.expire = expire
        self._indexing = indexing

    async def say(self, thread: str, *texts: str, tenant: TenantId = ACME, ttl: timedelta | None = None) -> None:
        """Append messages to a thread, which is opened if need be, and have them indexed."""
        thread_id = ThreadId(thread)
        opened = await self.store.open(tenant, ThreadDraft(thread_id=thread_id, ttl=ttl), by="ada")
        for number, text in enumerate(texts, start=opened.thread.last_seq + 1):
            await self.store.append(
                tenant,
                thread_id,
                MessageDraft(message_id=MessageId(f"m-{number}"), role=Role.USER, parts=(TextPart(text=text),)),
                by="ada",
            )
        await self.index()

    async def index(self) -> None:
        """Let everything that was appended be searchable."""
        if self._indexing is not None:
            await self._indexing.catch_up()

    async def page(
        self,
        words: str,
        *,
        tenant: TenantId = ACME,
        within: str | None = None,
        since: datetime | None = None,
        after: SearchPlace | None = None,
        limit: int = 100,
    ) -> HitPage:
        """Search once."""
        search = search_for(words, within=None if within is None else ThreadId(within), since=since)
        return await self.search.search(tenant, search, after=after, limit=limit)

    async def found(
        self, words: str, *, tenant: TenantId = ACME, within: str | None = None, since: datetime | None = None
    ) -> list[tuple[str, int]]:
        """Return the places of all hits."""
        page = await self.page(words, tenant=tenant, within=within, since=since)
        return [(hit.place.thread_id, hit.place.seq) for hit in page.hits]


@pytest.fixture(params=["fake", "postgres"])
async def world(request: pytest.FixtureRequest) -> AsyncGenerator[World]:
    """Return each world in turn."""
    if request.param == "fake":
        ahead = Ahead()
        store = FakeThreadStore(clock=ahead)
        yield World(store, FakeThreadSearch(store), expire=ahead.jump)
        return
    dsn = request.getfixturevalue("database")
    pool = connection_pool(dsn, Limits(), DATABASE.names)
    jobs = connection_pool(dsn, Limits(), DATABASE.names, role=ROLE)
    async with pool, jobs:
        indexing = Indexing(PostgresSearchIndex(jobs), IndexLimits())

        def expire() -> None:
            with psycopg.connect(dsn) as connection:
                connection.execute("UPDATE threads.threads SET expires_at = now() WHERE ttl IS NOT NULL")

        yield World(PostgresThreadStore(pool), PostgresThreadSearch(pool), expire=expire, indexing=indexing)


async def test_a_word_is_found_whatever_its_case_with_who_said_it_and_where(world: World) -> None:
    await world.say("t-1", "The Ledger is down", "nothing")

    (hit,) = (await world.page("ledger")).hits

    assert (hit.place.thread_id, hit.place.seq, hit.author, hit.role) == ("t-1", 1, "ada", Role.USER)
    assert "Ledger is down" in hit.snippet


async def test_every_word_must_be_there_unless_it_is_to_be_left_out(world: World) -> None:
    await world.say("t-1", "ledger down", "ledger up", "down", "up the ledger went down")

    assert await world.found("down ledger") == [("t-1", 4), ("t-1", 1)]
    assert await world.found("ledger -down") == [("t-1", 2)]


async def test_a_phrase_is_its_words_in_order(world: World) -> None:
    await world.say("t-1", "is the ledger down", "down the ledger", "the ledger is down")

    assert await world.found('"ledger down"') == [("t-1", 1)]
    assert await world.found('ledger -"ledger down"') == [("t-1", 3), ("t-1", 2)]


async def test_the_newest_come_first_across_threads(world: World) -> None:
    await world.say("t-1", "ledger")
    await world.say("t-2", "ledger")
    await world.say("t-1", "ledger")

    assert await world.found("ledger") == [("t-1", 2), ("t-2", 1), ("t-1", 1)]


async def test_one_thread_or_what_was_said_lately_can_be_searched_alone(world: World) -> None:
    await world.say("t-1", "ledger")
    await world.say("t-2", "ledger", "ledger")
    second = (await world.page("ledger", within="t-2")).hits[0].place.created_at

    assert await world.found("ledger", within="t-2") == [("t-2", 2), ("t-2", 1)]
    assert await world.found("ledger", since=second) == [("t-2", 2)]
    assert len(await world.found("ledger", since=LONG_AGO)) == 3
    assert await world.found("ledger", within="nowhere") == []


async def test_pages_joined_are_the_whole_while_appends_go_on(world: World) -> None:
    await world.say("t-1", *["ledger"] * 5)
    await world.say("t-2", *["ledger"] * 4)
    whole = await world.found("ledger")
    joined, place, more = list[tuple[str, int]](), None, True

    while more:
        page = await world.page("ledger", after=place, limit=2)
        joined += [(hit.place.thread_id, hit.place.seq) for hit in page.hits]
        place, more = page.next_place, page.next_place is not None
        await world.say("t-1", "ledger")

    assert joined == whole
    assert len(whole) == 9


@pytest.mark.parametrize("limit", [1, 2])
async def test_the_pages_of_one_thread_joined_are_the_whole(world: World, limit: int) -> None:
    await world.say("t-1", "ledger", "other", "ledger", "ledger")
    await world.say("t-2", "ledger")
    joined, place, more = list[int](), None, True

    while more:
        page = await world.page("ledger", within="t-1", after=place, limit=limit)
        joined += [hit.place.seq for hit in page.hits]
        place, more = page.next_place, page.next_place is not None

    assert joined == [4, 3, 1]


async def test_another_tenant_finds_nothing(world: World) -> None:
    await world.say("t-1", "ledger")
    await world.say("t-1", "other words", tenant=OTHER)

    assert await world.found("ledger", tenant=OTHER) == []
    assert await world.found("ledger", tenant=OTHER, within="t-1") == []


async def test_what_has_expired_is_not_found(world: World) -> None:
    await world.say("brief", "ledger", ttl=timedelta(hours=1))
    await world.say("kept", "ledger")

    world.expire()

    assert await world.found("ledger") == [("kept", 1)]


@pytest.mark.parametrize("words", ["", " ", "-ledger", '-"the ledger"', "& | ! ( )", '""', "---", "<->"])
async def test_a_search_for_nothing_is_refused(world: World, words: str) -> None:
    await world.say("t-1", "ledger")

    with pytest.raises(SearchInvalidError):
        await world.page(words)


@pytest.mark.parametrize("words", ["ledger:*", "ledger'", "ledger\\", "(ledger", "ledger))", "ledger <->", "'ledger'"])
async def test_signs_around_a_word_do_no_harm(world: World, words: str) -> None:
    await world.say("t-1", "ledger")

    assert await world.found(words) == [("t-1", 1)]


async def test_a_snippet_is_short_and_without_tags(world: World) -> None:
    await world.say("t-1", "<script>alert(1)</script> " + "word " * 5000 + "ledger <b>bold</b> " + "word " * 5000)

    (hit,) = (await world.page("ledger")).hits

    assert len(hit.snippet) <= MAX_SNIPPET
    assert "<" not in hit.snippet


async def test_data_is_not_searched(world: World) -> None:
    await world.say("t-1")
    draft = MessageDraft(message_id=MessageId("m"), role=Role.USER, parts=(DataPart(data={"word": "ledger"}),))
    await world.store.append(ACME, ThreadId("t-1"), draft, by="ada")
    await world.index()

    assert await world.found("ledger") == []


async def test_it_says_until_when_what_was_said_can_be_found(world: World) -> None:
    await world.say("t-1", "ledger")

    page = await world.page("ledger")

    assert page.searchable_until is not None
    assert page.searchable_until >= page.hits[0].place.created_at
