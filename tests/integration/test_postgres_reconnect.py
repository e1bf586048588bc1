"""A service finds its database again after an outage, for those who wait as well, and writes nothing twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.domain.conversation import MessageDraft, MessageId, Role, TextPart, ThreadDraft, ThreadId
from aeterna.threads.errors import StoreBusyError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.postgres.pool import Pool
    from fixtures.fix_postgres import Postgres

pytestmark = pytest.mark.anyio

ACME, THREAD = TenantId("acme"), ThreadId("shared")
WRITERS, EACH = 4, 60
# Longer than any outage here: who waits is served because the database is back, and not because they ask again.
PATIENT = Limits(acquire=timedelta(seconds=60))


@pytest.fixture
async def pool(database: str) -> AsyncGenerator[Pool]:
    """Return an open pool of connections."""
    async with connection_pool(database, PATIENT, DATABASE.names) as opened:
        await opened.wait()
        yield opened


def said(writer: int, number: int) -> MessageDraft:
    """Return the message of a writer."""
    text = TextPart(text="still here")
    return MessageDraft(message_id=MessageId(f"w{writer}-{number}"), role=Role.AGENT, parts=(text,))


async def test_a_restart_of_the_server_loses_and_doubles_nothing(pool: Pool, postgres: Postgres) -> None:
    store = PostgresThreadStore(pool)
    await store.open(ACME, ThreadDraft(thread_id=THREAD), by="ada")
    acknowledged: dict[str, int] = {}
    some = asyncio.Event()

    async def write(writer: int) -> None:
        for number in range(EACH):
            draft = said(writer, number)
            while draft.message_id not in acknowledged:
                try:
                    receipt = await store.append(ACME, THREAD, draft, by="ada")
                    acknowledged[draft.message_id] = receipt.seq
                except (StoreUnavailableError, StoreBusyError):
                    continue
            if len(acknowledged) >= WRITERS * EACH // 3:
                some.set()

    async def restart() -> None:
        await some.wait()
        await asyncio.to_thread(postgres.stop)
        await asyncio.to_thread(postgres.start)

    async with asyncio.timeout(120):
        await asyncio.gather(restart(), *(write(writer) for writer in range(WRITERS)))

    page = await store.messages(ACME, THREAD, after_seq=0, limit=500)
    assert [(message.seq, message.message_id) for message in page.messages] == sorted(
        (seq, message_id) for message_id, seq in acknowledged.items()
    )
    assert [message.seq for message in page.messages] == list(range(1, WRITERS * EACH + 1))
    assert pool.get_stats()["returns_bad"] > 0


async def test_who_waits_for_a_connection_gets_one_when_the_database_is_back(pool: Pool, postgres: Postgres) -> None:
    """Nobody else asks meanwhile, and no connection is left."""
    store = PostgresThreadStore(pool)
    await asyncio.to_thread(postgres.stop)
    try:
        errors = 0
        waiting = asyncio.create_task(store.open(ACME, ThreadDraft(thread_id=THREAD), by="ada"))
        # Until the pool has tried, given up and tried again, several times over.
        async with asyncio.timeout(60):
            while errors < 8:
                await asyncio.sleep(0)
                errors = pool.get_stats().get("connections_errors", 0)
    finally:
        await asyncio.to_thread(postgres.start)

    async with asyncio.timeout(30):
        opened = await waiting

    assert opened.created
