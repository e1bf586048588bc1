"""Search finds nothing that the caller may not read, and its index remembers nobody who was erased."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from psycopg import errors

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_cleanup import ROLE
from aeterna.threads.adapters.postgres_search import PostgresSearchIndex, PostgresThreadSearch
from aeterna.threads.domain.search import Hit, search_for
from aeterna.threads.errors import SearchInvalidError
from aeterna.threads.usecases.indexing import Indexing, IndexLimits
from fixtures.fix_thread_retention import ACME

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fixtures.fix_thread_retention import Retained

pytestmark = pytest.mark.anyio

OTHER: Final = TenantId("other")
SEARCHED: Final = (
    "SELECT thread_id FROM threads.search_log(%s, 'canary', NULL, '-infinity', 'infinity', '', 9, 9) WHERE hit"
)


@pytest.fixture
async def indexing(retained: Retained) -> AsyncGenerator[Indexing]:
    """Return what keeps the index."""
    async with connection_pool(retained.dsn, Limits(), DATABASE.names, role=ROLE) as jobs:
        yield Indexing(PostgresSearchIndex(jobs), IndexLimits())


async def found(retained: Retained, words: str, tenant: TenantId = ACME) -> list[tuple[str, int]]:
    """Return the places of what a tenant finds."""
    page = await PostgresThreadSearch(retained.pool).search(tenant, search_for(words), after=None, limit=50)
    return [(hit.place.thread_id, hit.place.seq) for hit in page.hits]


async def erased(retained: Retained) -> None:
    """Clean up until no erasure is pending."""
    async with asyncio.timeout(30):
        while retained.execute("SELECT FROM threads.erasures WHERE state = 'pending'"):
            await retained.cleanup.round()


async def test_the_index_holds_no_word_that_anybody_said(retained: Retained, indexing: Indexing) -> None:
    await retained.thread("t-1", ("ada", "canary"))

    await indexing.catch_up()

    ((words,),) = retained.execute("SELECT words::text FROM threads.search_documents")
    assert words
    assert "canary" not in words


async def test_one_word_of_two_tenants_is_two_keys(retained: Retained, indexing: Indexing) -> None:
    """So nobody's search costs what others said, and a key tells nothing about another tenant."""
    await retained.thread("t-1", ("ada", "canary"))
    await retained.thread("t-1", ("ada", "canary"), tenant=OTHER)

    await indexing.catch_up()

    assert len(retained.execute("SELECT DISTINCT words::text FROM threads.search_documents")) == 2


async def test_who_serves_reads_the_index_of_no_tenant_but_through_its_own_search(
    retained: Retained, indexing: Indexing
) -> None:
    await retained.thread("t-1", ("ada", "canary"))
    await indexing.catch_up()

    with psycopg.connect(retained.dsn) as connection:
        connection.execute("SET ROLE aeterna_threads")
        connection.execute("SELECT set_config('aeterna.tenant', 'acme', true)")
        assert connection.execute(SEARCHED.encode(), ["acme"]).fetchall() == [("t-1",)]
        for statement in (b"SELECT FROM threads.search_documents", b"SELECT FROM threads.search_progress"):
            with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)
        with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
            connection.execute(SEARCHED.encode(), ["other"])


async def test_what_a_subject_said_is_not_found_once_it_is_erased(retained: Retained, indexing: Indexing) -> None:
    await retained.thread("of-ada", ("ada", "canary alone"), by="ada", ttl=None)
    await retained.thread("of-bob", ("bob", "canary of bob"), ("ada", "canary of ada"), by="bob", ttl=None)
    await indexing.catch_up()
    before = await found(retained, "canary")

    await retained.erase("ada")
    await erased(retained)

    assert len(before) == 3
    assert await found(retained, "canary") == [("of-bob", 1)]
    index = retained.execute("SELECT thread_id, seq, words <> '' FROM threads.search_documents ORDER BY 1, 2")
    assert index == [("of-bob", 1, True), ("of-bob", 2, False)]


async def test_what_is_erased_before_it_was_indexed_is_never_indexed(retained: Retained, indexing: Indexing) -> None:
    await retained.thread("of-bob", ("bob", "hello"), ("ada", "canary of ada"), by="bob")
    await retained.erase("ada")
    await erased(retained)

    await indexing.catch_up()

    assert await found(retained, "canary") == []
    assert await found(retained, "hello") == [("of-bob", 1)]


async def test_an_index_that_kept_too_much_finds_nothing_that_the_log_does_not_say(
    retained: Retained, indexing: Indexing
) -> None:
    """The log is the truth: as after a restore of the one without the other."""
    await retained.thread("of-bob", ("ada", "canary of ada"), by="bob")
    await indexing.catch_up()
    retained.execute("ALTER TABLE threads.events DISABLE TRIGGER forget_words")
    retained.execute('UPDATE threads.events SET parts = \'[{"kind":"text","text":""}]\'')

    assert await found(retained, "canary") == []


async def test_what_is_cleaned_up_leaves_the_index(retained: Retained, indexing: Indexing) -> None:
    thread = await retained.thread("t-1", ("ada", "canary"))
    await indexing.catch_up()
    retained.expire(thread)
    hidden = await found(retained, "canary")

    await retained.cleanup.round()

    assert hidden == []
    assert retained.execute("SELECT FROM threads.search_documents") == []


async def test_tasks_are_not_found(retained: Retained, indexing: Indexing) -> None:
    await retained.task("task", "canary")

    await indexing.catch_up()

    assert await found(retained, "canary") == []
    assert retained.execute("SELECT FROM threads.search_documents") == []


@pytest.mark.parametrize(
    "words", ["word " * 10_000, "x" * 100_000, "canary" + " or" * 200, "\x00", "a\ud800"], ids=range(5)
)
def test_a_hostile_search_is_refused_before_the_database_hears_of_it(words: str) -> None:
    with pytest.raises(SearchInvalidError):
        search_for(words)


@pytest.mark.parametrize(
    "words",
    ["-".join("abcdefgh" * 31), '"' * 499, "((((" * 125, "a" * 500, "' | !'x' & '", "\\" * 500, "or or or", "a:*|b:*"],
    ids=range(8),
)
async def test_a_strange_search_is_an_answer_or_a_refusal(retained: Retained, indexing: Indexing, words: str) -> None:
    await retained.thread("t-1", ("ada", "canary"))
    await indexing.catch_up()

    with suppress(SearchInvalidError):
        assert await found(retained, words) == []


async def test_a_frequent_word_of_long_ago_is_reached_page_by_page(retained: Retained, indexing: Indexing) -> None:
    """No page reads more than so many messages, and none is left out."""
    await retained.thread("t-1", ("ada", "canary"), ttl=None)
    await indexing.catch_up()
    retained.execute(
        "INSERT INTO threads.search_documents SELECT tenant, thread_id, n, created_at + n * interval '1 ms',"
        " CASE WHEN n < 6000 THEN words ELSE '' END FROM threads.search_documents, generate_series(2, 30000) AS n"
    )
    search, place, pages, hits = search_for("canary"), None, 0, list[Hit]()
    store = PostgresThreadSearch(retained.pool)

    async with asyncio.timeout(60):
        while pages == 0 or place is not None:
            page = await store.search(ACME, search, after=place, limit=100)
            hits += page.hits
            place, pages = page.next_place, pages + 1

    assert [hit.place.seq for hit in hits] == [1]
    assert 3 <= pages <= 100


async def test_only_one_process_indexes_at_a_time(retained: Retained) -> None:
    async with connection_pool(retained.dsn, Limits(), DATABASE.names, role=ROLE) as jobs:
        index = PostgresSearchIndex(jobs)
        with psycopg.connect(retained.dsn) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended('aeterna.threads.search', 0))")

            meanwhile = await index.sweep(limit=10)

        assert meanwhile is None
        assert await index.sweep(limit=10) is False


async def test_a_thread_that_is_being_erased_is_left_for_the_next_sweep(retained: Retained) -> None:
    await retained.thread("t-1", ("ada", "canary"), ttl=timedelta(hours=1).total_seconds())
    async with connection_pool(retained.dsn, Limits(), DATABASE.names, role=ROLE) as jobs:
        index = PostgresSearchIndex(jobs)
        with psycopg.connect(retained.dsn) as eraser:
            eraser.execute("SELECT FROM threads.threads FOR UPDATE")

            await index.sweep(limit=10)

        assert await found(retained, "canary") == []
        await index.sweep(limit=10)
        assert await found(retained, "canary") == [("t-1", 1)]
