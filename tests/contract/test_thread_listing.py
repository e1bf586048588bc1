"""What every `ThreadListing` lists, the fake and the real one alike, and what it costs the real one."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE, queries
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.adapters.postgres_listing import WALK, PostgresThreadListing
from aeterna.threads.domain.conversation import MessageDraft, MessageId, Role, TextPart, ThreadDraft, ThreadId
from aeterna.threads.domain.search import ThreadFilter
from aeterna.threads.testing import FakeThreadStore
from aeterna.threads.testing.search import FakeThreadListing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from aeterna.threads.domain.conversation import Thread
    from aeterna.threads.ports import ThreadListing, ThreadStore

pytestmark = pytest.mark.anyio

ACME, OTHER = TenantId("acme"), TenantId("other")
MANY = """
INSERT INTO threads.threads (tenant, thread_id, title, digest, created_by, created_at, updated_at)
SELECT CASE WHEN n % 5 = 0 THEN 'other' ELSE 'acme' END, 't-' || n, 'Title ' || n, decode(repeat('00', 32), 'hex'),
       'user-' || n % 100, now() - n * interval '1 minute', now() - n * interval '30 s'
FROM generate_series(1, 50000) AS n
"""


class World:
    """A store with its listing."""

    def __init__(self, store: ThreadStore, listing: ThreadListing) -> None:
        self.store = store
        self.listing = listing

    async def open(self, thread: str, tenant: TenantId = ACME, by: str = "ada", **draft: Any) -> Thread:  # noqa: ANN401
        """Open a thread with a title or metadata."""
        return (await self.store.open(tenant, ThreadDraft(thread_id=ThreadId(thread), **draft), by=by)).thread

    async def pages(self, wanted: ThreadFilter, *, limit: int, tenant: TenantId = ACME) -> list[str]:
        """Return the ids of all pages joined; before each next page a thread is opened that fits as the others do."""
        joined, place, more = list[str](), None, True
        while more:
            found = await self.listing.find(tenant, wanted, after=place, limit=limit)
            joined += [thread.thread_id for thread in found.threads]
            place, more = found.next_place, found.next_place is not None
            if more:
                await self.open(f"new-{uuid4().hex}", tenant, title="new", metadata={"team": "red"})
        return joined

    async def found(self, **wanted: Any) -> list[str]:  # noqa: ANN401 - the fields of a filter
        """Return the ids of the threads that fit."""
        return await self.pages(ThreadFilter(**wanted), limit=100)


@pytest.fixture(params=["fake", "postgres", "postgres that looks at two threads for a page"])
async def world(request: pytest.FixtureRequest) -> AsyncGenerator[World]:
    """Return each world in turn."""
    if request.param == "fake":
        store = FakeThreadStore()
        yield World(store, FakeThreadListing(store))
        return
    async with connection_pool(request.getfixturevalue("database"), Limits(), DATABASE.names) as pool:
        walk = WALK if request.param == "postgres" else 2
        yield World(PostgresThreadStore(pool), PostgresThreadListing(pool, walk=walk))


async def test_threads_are_found_by_who_opened_them(world: World) -> None:
    await world.open("t-1")
    await world.open("t-2", by="bob")
    await world.open("t-3")

    assert await world.found(by="ada") == ["t-3", "t-1"]


async def test_threads_are_found_by_when_they_were_opened(world: World) -> None:
    await world.open("t-1")
    middle = (await world.open("t-2")).created_at
    await world.open("t-3")

    assert await world.found(created_since=middle) == ["t-3", "t-2"]
    assert await world.found(created_before=middle) == ["t-1"]
    assert await world.found(by="ada", created_since=middle, created_before=middle + timedelta(microseconds=1)) == [
        "t-2"
    ]


async def test_threads_are_found_by_when_they_changed(world: World) -> None:
    await world.open("t-1")
    await world.open("t-2")
    message = MessageDraft(message_id=MessageId("m"), role=Role.USER, parts=(TextPart(text="hello"),))
    changed = (await world.store.append(ACME, ThreadId("t-1"), message, by="bob")).created_at

    assert await world.found(updated_since=changed) == ["t-1"]
    assert await world.found(updated_before=changed) == ["t-2"]


async def test_threads_are_found_by_a_piece_of_the_title_whatever_its_case(world: World) -> None:
    await world.open("t-1", title="The Ledger is down")
    await world.open("t-2", title="100 % of it")
    await world.open("t-3")

    assert await world.found(title="ledger") == ["t-1"]
    assert await world.found(title="%") == ["t-2"]


async def test_threads_are_found_by_a_text_of_their_metadata(world: World) -> None:
    await world.open("t-1", metadata={"team": "red", "level": 1})
    await world.open("t-2", metadata={"team": "blue"})

    assert await world.found(metadata=("team", "red")) == ["t-1"]
    assert await world.found(metadata=("level", "1")) == []


async def test_another_tenants_threads_are_not_found(world: World) -> None:
    await world.open("t-1", OTHER)

    assert await world.found(by="ada") == []


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    threads=st.lists(st.tuples(st.sampled_from(["ada", "bob"]), st.sampled_from(["red", "blue"])), max_size=8),
    by=st.sampled_from([None, "ada"]),
    team=st.sampled_from([None, "red"]),
    limit=st.integers(1, 4),
)
async def test_pages_joined_are_the_whole_while_threads_are_opened(
    world: World, threads: list[tuple[str, str]], by: str | None, team: str | None, limit: int
) -> None:
    tenant = TenantId(f"t{uuid4().hex}")
    for number, (owner, color) in enumerate(threads):
        await world.open(f"t-{number}", tenant, by=owner, metadata={"team": color})
    wanted = ThreadFilter(by=by, metadata=None if team is None else ("team", team))

    joined = await world.pages(wanted, limit=limit, tenant=tenant)

    assert joined == [
        f"t-{number}"
        for number, (owner, color) in reversed(list(enumerate(threads)))
        if by in {None, owner} and team in {None, color}
    ]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return every node of a plan."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


@pytest.fixture
def many(database: str) -> str:
    """Return a database of 50,000 threads, four fifths of them acme's."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(MANY)
        connection.execute("ANALYZE threads.threads")
    return database


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"by": "user-7"},
        {"by": "nobody"},
        {"title": "nowhere"},
        {"updated_since": "2020-01-01Z", "by": "user-7"},
        {"updated_since": "9999-01-01Z"},
        {"key": "team", "value": "red"},
        {"created_since": "2026-01-01Z", "created_before": "2026-01-02Z"},
    ],
    ids=str,
)
@pytest.mark.parametrize("page", ["first", "later"])
def test_no_listing_reads_more_than_a_bounded_number_of_threads(many: str, asked: dict[str, str], page: str) -> None:
    """Whatever is asked for: an index gives the order, and nothing is sorted that was not cut off before."""
    parameters = dict.fromkeys(("by", "title", "key", "value")) | {
        "tenant": "acme",
        "created_since": "-infinity",
        "created_before": "infinity",
        "updated_since": "-infinity",
        "updated_before": "infinity",
        "at": "infinity" if page == "first" else "2100-01-01Z",
        "thread_id": "",
        "walk": WALK,
        "limit": 51,
        **asked,
    }
    statements = queries("listing.sql")
    statement = statements["threads_by" if "by" in asked else "threads_of_all"]
    with psycopg.connect(many) as connection:
        connection.execute("SET ROLE aeterna_threads")
        connection.execute("SELECT set_config('aeterna.tenant', 'acme', true)")
        connection.execute(statements["in_order"])
        ((explained,),) = connection.execute(b"EXPLAIN (ANALYZE, FORMAT JSON) " + statement, parameters).fetchall()
    plan = explained[0] if not isinstance(explained, str) else json.loads(explained)[0]
    scans = [node for node in nodes(plan["Plan"]) if node.get("Relation Name") == "threads"]

    assert {node["Node Type"] for node in scans} == {"Index Scan"}
    assert sum(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in scans) <= WALK
