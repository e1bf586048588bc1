"""Concurrent writers of one log agree on one order, whatever happens to their connections."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.adapters.postgres_tasks import PostgresTaskLog
from aeterna.threads.domain.conversation import MessageDraft, MessageId, Role, TextPart, ThreadDraft, ThreadId
from aeterna.threads.domain.task import AgentId, Creation, Kind, Row, Write, Written
from aeterna.threads.errors import StoreBusyError, StoreUnavailableError
from aeterna.threads.usecases.batching import BatchedTaskLog, BatchedThreadStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio

ACME, AGENT, THREAD = TenantId("acme"), AgentId("billing"), ThreadId("busy")
SERVICES, WRITERS, EACH = 4, 100, 3


@pytest.fixture
async def stores(database: str) -> AsyncGenerator[list[BatchedThreadStore]]:
    """Return stores that share nothing but the database, as the processes of a service do."""
    async with AsyncExitStack() as stack:
        limits = Limits(min_connections=1, max_connections=3)
        pools = [
            await stack.enter_async_context(connection_pool(database, limits, DATABASE.names)) for _ in range(SERVICES)
        ]
        yield [BatchedThreadStore(PostgresThreadStore(pool)) for pool in pools]


async def test_a_hundred_writers_make_one_history_that_every_reader_sees(stores: list[BatchedThreadStore]) -> None:
    """Gapless, the same for all, and what was answered before another was asked stands before it."""
    await stores[0].open(ACME, ThreadDraft(thread_id=THREAD), by="ada")
    spans = dict[str, tuple[float, float, int]]()
    total = WRITERS * EACH

    async def write(writer: int) -> None:
        for n in range(EACH):
            name = f"m-{writer}-{n}"
            draft = MessageDraft(message_id=MessageId(name), role=Role.USER, parts=(TextPart(text=name),))
            begun = time.monotonic()
            receipt = await stores[(writer + n) % SERVICES].append(ACME, THREAD, draft, by=f"writer-{writer}")
            spans[name] = (begun, time.monotonic(), receipt.seq)

    async def read(store: BatchedThreadStore) -> list[str]:
        seen = list[str]()
        while len(seen) < total:
            page = await store.messages(ACME, THREAD, after_seq=len(seen), limit=50)
            assert [message.seq for message in page.messages] == [
                *range(len(seen) + 1, len(seen) + len(page.messages) + 1)
            ]
            seen += [message.message_id for message in page.messages]
        return seen

    readers = [asyncio.create_task(read(store)) for store in stores]
    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    histories = await asyncio.gather(*readers)

    assert all(history == histories[0] for history in histories)
    assert {name: seq for name, (_, _, seq) in spans.items()} == {
        name: seq for seq, name in enumerate(histories[0], start=1)
    }
    in_order = [spans[name] for name in histories[0]]
    latest = 0.0
    for begun, ended, _ in reversed(in_order):
        # Nothing that stands later may have been answered before this one was asked for.
        assert latest == 0.0 or begun <= latest
        latest = ended if latest == 0.0 else min(latest, ended)


async def test_writes_whose_answers_were_lost_are_made_once(database: str) -> None:
    """Connections are cut while writes are on their way: nobody knows which were made, and repeating settles it."""
    tasks = [ThreadId(f"task-{n}") for n in range(8)]
    made, more = 0, asyncio.Condition()
    async with connection_pool(database, Limits(), DATABASE.names) as pool:
        log = BatchedTaskLog(PostgresTaskLog(pool))

        async def insist(write: Write) -> Written:
            nonlocal made
            while True:
                (result,) = await log.write(ACME, AGENT, [write])
                if isinstance(result, Written):
                    break
                assert isinstance(result, StoreUnavailableError | StoreBusyError)
            async with more:
                made += 1
                more.notify_all()
            return result

        async def run(task_id: ThreadId) -> None:
            status = Row(kind=Kind.STATUS, streamed=True, author="billing", payload={"n": 0})
            creation = Creation(context_id="c")
            write = Write(task_id=task_id, owner="ada", write_id="0", rows=(status,), creation=creation)
            version = (await insist(write)).version
            for n in range(1, 30):
                row = Row(kind=Kind.STATUS, streamed=True, author="billing", payload={"n": n})
                write = Write(task_id=task_id, owner="ada", write_id=f"{n}", rows=(row,), expected_version=version)
                version = (await insist(write)).version

        async def cut() -> int:
            cuts = 0
            async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
                for progress in range(5, len(tasks) * 30, 10):
                    async with more:
                        await more.wait_for(lambda progress=progress: made >= progress)
                    ended = await connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = %s AND datname = current_database()",
                        [DATABASE.names.application],
                    )
                    cuts += ended.rowcount
            return cuts

        cutting = asyncio.create_task(cut())
        await asyncio.gather(*(run(task_id) for task_id in tasks))

        assert await cutting > 0
        for task_id in tasks:
            page = await log.rows(ACME, AGENT, task_id, owner="ada", after=0, limit=100)
            assert [stored.row.payload for stored in page.rows] == [{"n": n} for n in range(30)]
