"""Claims of many runners at once: every task once, nothing read of what runs, and no trace of the dead."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, LiteralString

import pytest
from psycopg import AsyncConnection

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.threads.adapters.database import DATABASE, queries
from aeterna.threads.adapters.postgres_cleanup import ROLE, PostgresCleanup
from aeterna.threads.adapters.postgres_runs import PostgresRuns
from aeterna.threads.domain.task import RunnerId
from fixtures.leased_tasks import ACME, BOT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from aeterna.service.json_value import JsonValue

pytestmark = pytest.mark.anyio

LONG: Final = timedelta(hours=1)
GRACE: Final = timedelta(minutes=1)
FILL: Final[LiteralString] = """
INSERT INTO threads.threads (tenant, thread_id, digest, created_by, agent, context_id, state, runner, waiting,
                             waiting_since, born, ttl, expires_at)
SELECT 'acme', 'task-' || coalesce(%(runner)s, 'none') || '-' || n, sha256(''), 'ada', 'bot', 'context',
       'TASK_STATE_WORKING', %(runner)s, true, clock_timestamp(), current_date, '1h', clock_timestamp() + interval '1h'
FROM generate_series(1, %(many)s) AS n
"""
DEAD: Final[LiteralString] = """
UPDATE threads.runners SET expires_at = clock_timestamp() - %(since)s WHERE runner = %(runner)s
"""


class Yard:
    """Runners on a pool as the service has it, and the database's owner beside them."""

    def __init__(self, runs: PostgresRuns, owner: AsyncConnection) -> None:
        self.runs = runs
        self.owner = owner

    async def fill(self, many: int, runner: str | None = None) -> None:
        """Let so many tasks wait, in the hands of a runner or of nobody."""
        await self.owner.execute(FILL, {"many": many, "runner": runner})

    async def live(self, runner: str) -> RunnerId:
        """Let a runner live."""
        await self.runs.beat(ACME, BOT, RunnerId(runner), ttl=LONG)
        return RunnerId(runner)

    async def die(self, runner: str, since: timedelta) -> None:
        """Let a runner be dead since a while."""
        await self.owner.execute(DEAD, {"runner": runner, "since": since})

    async def rows(self, query: LiteralString) -> list[tuple[object, ...]]:
        """Ask as the owner."""
        return await (await self.owner.execute(query)).fetchall()


@asynccontextmanager
async def opened(dsn: str) -> AsyncGenerator[Yard]:
    """Return a yard on a database of the test's own."""
    async with (
        connection_pool(dsn, Limits(acquire=timedelta(seconds=30)), DATABASE.names) as pool,
        await AsyncConnection.connect(dsn, autocommit=True) as owner,
    ):
        yield Yard(PostgresRuns(pool), owner)


@pytest.fixture
async def yard(database: str) -> AsyncGenerator[Yard]:
    """Return where runners claim."""
    async with opened(database) as yard:
        yield yard


@pytest.fixture
async def cleanup(database: str) -> AsyncGenerator[PostgresCleanup]:
    """Return the clean-up, as the role that it acts as."""
    async with connection_pool(database, Limits(max_connections=2), DATABASE.names, role=ROLE) as pool:
        yield PostgresCleanup(pool)


async def test_a_herd_of_runners_shares_the_tasks_each_once(yard: Yard) -> None:
    """All of them at the same moment, as after an outage; a deadlock or a lock timeout would raise."""
    await yard.fill(1000)
    runners = [await yard.live(f"runner-{number}") for number in range(50)]

    async def run(runner: RunnerId) -> list[str]:
        claimed: list[str] = []
        while leases := await yard.runs.claim(ACME, BOT, runner, limit=10):
            claimed += [lease.task_id for lease in leases]
        return claimed

    shares = await asyncio.gather(*(run(runner) for runner in runners))
    counts = Counter(task_id for share in shares for task_id in share)
    # What was locked by somebody whose claim did not need it in the end was skipped, and waits for the next poll.
    left = await run(runners[0])
    counts.update(left)

    assert (len(counts), set(counts.values())) == (1000, {1})
    assert await yard.rows("SELECT DISTINCT epoch FROM threads.threads") == [(1,)]


async def test_a_herd_shares_what_the_dead_left_each_once(yard: Yard) -> None:
    await yard.live("dead")
    await yard.fill(200, "dead")
    await yard.die("dead", GRACE)
    runners = [await yard.live(f"runner-{number}") for number in range(20)]

    async def run(runner: RunnerId) -> list[str]:
        return [lease.task_id for lease in await yard.runs.claim(ACME, BOT, runner, limit=20)]

    shares = await asyncio.gather(*(run(runner) for runner in runners))
    while more := await run(runners[0]):
        shares.append(more)

    counts = Counter(task_id for share in shares for task_id in share)
    assert (len(counts), set(counts.values())) == (200, {1})


async def test_a_claim_that_finds_nothing_reads_nothing_of_the_tasks_that_run(yard: Yard) -> None:
    """Every runner asks twice a second; what it costs must not grow with what is under way."""
    await yard.live("busy")
    await yard.live("dead")
    await yard.fill(3000, "busy")
    await yard.fill(2, "dead")
    await yard.fill(5000)
    await yard.owner.execute("UPDATE threads.threads SET waiting = false WHERE runner IS NULL")
    await yard.die("dead", GRACE)
    await yard.owner.execute("ANALYZE threads.threads, threads.runners")
    await yard.runs.claim(ACME, BOT, await yard.live("idle"), limit=10)
    claim = queries("runs.sql")["claim"]
    parameters = {"tenant": ACME, "agent": BOT, "runner": "idle", "limit": 10, "held": None}

    async with yard.owner.transaction():
        await yard.owner.execute("SELECT set_config('role', 'aeterna_threads', true)")
        await yard.owner.execute("SELECT set_config('aeterna.tenant', 'acme', true)")
        cursor = await yard.owner.execute(b"EXPLAIN (ANALYZE, FORMAT JSON) " + claim, parameters)
        (document,) = await cursor.fetchone() or ({},)

    on_threads = [node for node in nodes(document) if node.get("Relation Name") == "threads"]
    assert {str(node.get("Index Name")) for node in nodes(document)} >= {"threads_waiting", "threads_claimed"}
    assert sum(read(node) for node in on_threads) == 0


def nodes(document: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """Return every node of a plan."""
    match document:
        case list():
            for item in document:
                yield from nodes(item)
        case dict():
            yield document
            for item in document.values():
                yield from nodes(item)
        case _:
            pass


def read(node: dict[str, JsonValue]) -> float:
    """Return how many rows a node took from its table, whether it gave them on or not."""
    counts = (node.get(name, 0) for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"))
    return sum(count for count in counts if isinstance(count, int | float))


async def test_the_dead_are_removed_and_what_they_had_is_free(yard: Yard, cleanup: PostgresCleanup) -> None:
    for runner, since in (("long-dead", LONG), ("just-dead", timedelta(seconds=1)), ("alive", -LONG)):
        await yard.live(runner)
        await yard.fill(3, runner)
        await yard.die(runner, since)

    await cleanup.upkeep(grace=GRACE, limit=100)

    assert sorted(await yard.rows("SELECT runner FROM threads.runners")) == [("alive",), ("just-dead",)]
    assert await yard.rows("SELECT runner, count(*) FROM threads.threads GROUP BY 1 ORDER BY 1") == [
        ("alive", 3),
        ("just-dead", 3),
        (None, 3),
    ]
    claimed = await yard.runs.claim(ACME, BOT, await yard.live("heir"), limit=100)
    assert len(claimed) == 6


async def test_a_dead_runner_stays_while_a_task_names_it(yard: Yard, cleanup: PostgresCleanup) -> None:
    """Somebody writes to the task just now: without the row, nobody would ever find the task again."""
    await yard.live("dead")
    await yard.fill(1, "dead")
    await yard.die("dead", LONG)

    async with yard.owner.transaction():
        await yard.owner.execute("SELECT FROM threads.threads FOR NO KEY UPDATE")
        await cleanup.upkeep(grace=GRACE, limit=100)

    assert await yard.rows("SELECT runner FROM threads.runners") == [("dead",)]
    await cleanup.upkeep(grace=GRACE, limit=100)
    assert await yard.rows("SELECT runner FROM threads.runners") == []
