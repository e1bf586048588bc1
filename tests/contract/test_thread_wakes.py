"""What every `Wakes` does, the fake and the real one alike."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.listen import PostgresWakes
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.task import AgentId, News
from aeterna.threads.testing import FakeWakes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.threads.ports import Waiter, Wakes

pytestmark = pytest.mark.anyio

ACME, OTHER = TenantId("acme"), TenantId("other")
ONE, TWO = ThreadId("t-1"), ThreadId("t-2")
AGENT, RIVAL = AgentId("agents/Abrechnung ünïcode/\u2028"), AgentId("agents/Abrechnung")
NOW, LONG = timedelta(milliseconds=1), timedelta(seconds=30)


@asynccontextmanager
async def _listening(dsn: str) -> AsyncGenerator[PostgresWakes]:
    async with connection_pool(dsn, Limits(), DATABASE.names) as pool, asyncio.TaskGroup() as tasks:
        wakes = PostgresWakes(dsn, pool)
        async with wakes.subscribe(ACME, ONE) as waiter:
            work = [tasks.create_task(wakes.listen()), tasks.create_task(wakes.tell())]
            # Everybody is woken once, when the connection that listens has come up.
            assert await waiter.wait(LONG)
        yield wakes
        for task in work:
            task.cancel()


@pytest.fixture(params=["fake", "postgres"])
async def wakes(request: pytest.FixtureRequest) -> AsyncGenerator[Wakes]:
    """Return each in turn."""
    if request.param == "fake":
        yield FakeWakes()
        return
    async with _listening(request.getfixturevalue("database")) as listening:
        yield listening


async def test_an_announcement_wakes_every_reader_of_the_thread(wakes: Wakes) -> None:
    async with AsyncExitStack() as stack:
        waiters = [await stack.enter_async_context(wakes.subscribe(ACME, ONE)) for _ in range(3)]

        wakes.announce(ACME, ONE)

        assert [await waiter.wait(LONG) for waiter in waiters] == [True] * 3


async def test_an_announcement_before_the_wait_is_not_lost(wakes: Wakes) -> None:
    """A reader looks at the store between two waits; what comes meanwhile must wake the next wait."""
    async with wakes.subscribe(ACME, ONE) as waiter, wakes.subscribe(ACME, ONE) as witness:
        wakes.announce(ACME, ONE)
        await witness.wait(LONG)

        assert await waiter.wait(NOW)


@pytest.mark.parametrize(("tenant", "thread"), [(ACME, TWO), (OTHER, ONE)], ids=["thread", "tenant"])
async def test_readers_of_another_thread_sleep_on(wakes: Wakes, tenant: TenantId, thread: ThreadId) -> None:
    async with wakes.subscribe(ACME, ONE) as waiter, wakes.subscribe(tenant, thread) as witness:
        wakes.announce(tenant, thread)
        await witness.wait(LONG)

        assert not await waiter.wait(NOW)


async def test_a_wake_is_used_up_by_the_wait(wakes: Wakes) -> None:
    async with wakes.subscribe(ACME, ONE) as waiter:
        wakes.announce(ACME, ONE)
        await waiter.wait(LONG)

        assert not await waiter.wait(NOW)


async def test_everybody_is_woken_when_something_may_have_been_missed(wakes: Wakes) -> None:
    async with wakes.subscribe(ACME, ONE) as one, wakes.subscribe(OTHER, TWO) as other:
        wakes.wake_all()

        assert [await one.wait(NOW), await other.wait(NOW)] == [True, True]


async def test_many_announcements_reach_their_readers(wakes: Wakes) -> None:
    threads = [ThreadId(f"t-{n}") for n in range(200)]
    async with AsyncExitStack() as stack:
        waiters: list[Waiter] = [await stack.enter_async_context(wakes.subscribe(ACME, thread)) for thread in threads]

        for thread in threads:
            wakes.announce(ACME, thread)

        assert all([await waiter.wait(LONG) for waiter in waiters])


async def test_an_agent_is_told_which_of_its_tasks_have_grown_and_how_far(wakes: Wakes) -> None:
    async with wakes.subscribe_agent(ACME, AGENT) as waiter:
        grown = dict[ThreadId, int]()
        wakes.announce_task(ACME, AGENT, ONE, 7)
        wakes.announce_task(ACME, AGENT, TWO, 2)
        wakes.announce_task(ACME, AGENT, ONE, 8)
        while grown != {ONE: 8, TWO: 2}:
            news = await waiter.wait(LONG)
            assert news is not None
            assert not news.everything
            grown |= news.grown


@pytest.mark.parametrize(("tenant", "agent"), [(OTHER, AGENT), (ACME, RIVAL)], ids=["tenant", "agent"])
async def test_an_agent_is_not_told_of_the_tasks_of_others(wakes: Wakes, tenant: TenantId, agent: AgentId) -> None:
    async with wakes.subscribe_agent(ACME, AGENT) as waiter, wakes.subscribe_agent(tenant, agent) as witness:
        wakes.announce_task(tenant, agent, ONE, 1)
        assert await witness.wait(LONG) == News(grown={ONE: 1}, everything=False)

        assert await waiter.wait(NOW) is None


async def test_when_something_may_have_been_missed_an_agent_is_told_that_anything_may_have_grown(wakes: Wakes) -> None:
    async with wakes.subscribe_agent(ACME, AGENT) as waiter:
        wakes.wake_all()

        assert await waiter.wait(LONG) == News(grown={}, everything=True)


async def test_a_slow_agent_is_told_of_many_tasks_together(wakes: Wakes) -> None:
    """Nothing is kept for a reader that does not read but a bounded number of names."""
    async with wakes.subscribe_agent(ACME, AGENT) as waiter, wakes.subscribe_agent(ACME, AGENT) as witness:
        for n in range(3000):
            wakes.announce_task(ACME, AGENT, ThreadId(f"{'t' * 200}-{n:04}"), 1)
        told = await witness.wait(LONG)
        while told is not None and not told.everything and ThreadId(f"{'t' * 200}-2999") not in told.grown:
            told = await witness.wait(LONG)

        news = await waiter.wait(LONG)

        assert news == News(grown={}, everything=True)


async def test_what_others_say_on_our_channel_wakes_nobody_and_ends_nothing(database: str) -> None:
    """Every login of the database may notify; it ended the process that listened."""
    async with _listening(database) as wakes, wakes.subscribe_agent(ACME, AGENT) as waiter:
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as stranger:
            ours = f"acme/{hashlib.sha256(AGENT.encode()).hexdigest()[:32]}/t-9"
            for payload in (
                "",
                "rubbish",
                "a/b/c",
                "/\n/\n",
                f"{ours}/",
                f"{ours}/x",
                f"{ours}/-1",
                f"{ours}/" + "9" * 5000,
            ):
                await stranger.execute("SELECT pg_notify('aeterna_tasks', %s)", (payload,))

        wakes.announce_task(ACME, AGENT, ONE, 3)

        assert await waiter.wait(LONG) == News(grown={ONE: 3}, everything=False)
