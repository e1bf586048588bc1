"""A receiver that goes away while its task is written to: the task must not notice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_push import PostgresPushConfigs
from aeterna.threads.adapters.postgres_tasks import PostgresTaskLog
from aeterna.threads.domain.push import ConfigId, PushDraft, PushSecrets
from aeterna.threads.domain.push_url import PushRules, parse_push_url
from fixtures.pushed_tasks import ACME, AGENT, OWNER, begin_task, grow_task, status_row

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.postgres.pool import Pool

pytestmark = pytest.mark.anyio

PHONE = PushDraft(
    config_id=ConfigId("phone"),
    url=parse_push_url("https://hooks.example/x", PushRules()),
    scheme=None,
    secrets=PushSecrets(),
)
WAITING = "SELECT FROM pg_locks WHERE NOT granted"


@pytest.fixture
async def pool(database: str) -> AsyncGenerator[Pool]:
    """Return connections as the service has them."""
    async with connection_pool(database, Limits(), DATABASE.names) as opened:
        yield opened


async def test_a_receiver_that_is_removed_meanwhile_refuses_no_write(pool: Pool) -> None:
    """The outbox would name a configuration that has just gone, and the database refused the whole write for it."""
    log, configs = PostgresTaskLog(pool), PostgresPushConfigs(pool, most=3)
    task = await begin_task(log, "task-1")
    version = 1
    for _ in range(60):
        await configs.put(ACME, AGENT, task, PHONE, None, owner=OWNER)

        version, _ = await asyncio.gather(
            grow_task(log, task, status_row("more"), at=version),
            configs.delete(ACME, AGENT, task, PHONE.config_id, owner=OWNER),
        )

    assert version == 61


async def test_a_removal_waits_for_whoever_writes_to_the_task(pool: Pool) -> None:
    log, configs = PostgresTaskLog(pool), PostgresPushConfigs(pool, most=3)
    task = await begin_task(log, "task-1")
    await configs.put(ACME, AGENT, task, PHONE, None, owner=OWNER)
    async with pool.connection() as writer, pool.connection() as watcher, writer.transaction():
        await writer.execute("SELECT set_config('aeterna.tenant', 'acme', true)")
        await writer.execute("SELECT FROM threads.threads FOR NO KEY UPDATE")
        removal = asyncio.create_task(configs.delete(ACME, AGENT, task, PHONE.config_id, owner=OWNER))
        async with asyncio.timeout(10):
            while True:
                if (await watcher.execute(WAITING)).rowcount:
                    break

        assert not removal.done()

    await removal
    assert await configs.configs(ACME, AGENT, task, owner=OWNER) == ()
