"""Runners that die and come back in the middle of each other's writes, on real connections at the same time."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from aeterna.service.caller import TenantId
from aeterna.threads.domain.conversation import MessageId, Role, ThreadId
from aeterna.threads.domain.task import Creation, Kind, Row, RunnerId, Write, Written
from aeterna.threads.errors import LeaseLostError
from fixtures.lease_worlds import BOT, PostgresWorld

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable

    from aeterna.threads.domain.task import Lease

pytestmark = pytest.mark.anyio

ACME: Final = TenantId("acme")
OWNER: Final = "ada"
LONG: Final = timedelta(hours=1)
RUNNERS: Final = tuple(RunnerId(f"runner-{number}") for number in range(6))
TASKS: Final = tuple(ThreadId(f"task-{number}") for number in range(12))
ROWS: Final = 4
SIDE_EFFECT: Final = "mail"


@pytest.fixture
async def world(database: str) -> AsyncGenerator[PostgresWorld]:
    """Return a store in which every task waits."""
    async with AsyncExitStack() as stack:
        world = await PostgresWorld.of(database, stack)
        await world.log.write(ACME, BOT, [submitted(task_id) for task_id in TASKS])
        yield world


def submitted(task_id: ThreadId) -> Write:
    """Return what a user says to a new task."""
    row = Row(
        kind=Kind.MESSAGE,
        streamed=False,
        said=True,
        author=OWNER,
        message_id=MessageId(f"{task_id}-m"),
        role=Role.USER,
        parts=({"kind": "text", "text": "go"},),
    )
    creation = Creation(context_id="context")
    return Write(task_id=task_id, owner=OWNER, write_id=f"{task_id}-w", rows=(row,), creation=creation, waiting=True)


class Storm:
    """Every runner claims what it can, and now and then somebody's time is over; each choice is a seed's."""

    def __init__(self, world: PostgresWorld, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.lost = 0
        self._world = world
        self._random = Random(seed)  # noqa: S311 - a story, not a secret
        self._mailed: set[str] = set()

    async def run(self, runner: RunnerId) -> None:
        """Run tasks until all of them are done."""
        while len(self.done) < len(TASKS):
            await self._world.runs.beat(ACME, BOT, runner, ttl=LONG)
            for lease in await self._world.runs.claim(ACME, BOT, runner, limit=2):
                await self._run(runner, lease)

    async def _run(self, runner: RunnerId, lease: Lease) -> None:
        """Run one task; whoever has it first is thought dead in the middle, and goes on beside the heir."""
        try:
            await self._mail(lease)
        except LeaseLostError:
            self.lost += 1
            return
        heirs: list[Awaitable[None]] = []
        for number in range(ROWS):
            if lease.attempts == 1 and number == self._random.randrange(ROWS):
                await self._world.die(ACME, runner)
                heirs = await self._heirs(self._random.choice(RUNNERS))
            if not await self._write(lease, last=number == ROWS - 1):
                self.lost += 1
                break
        else:
            self.done[lease.task_id] += 1
        await asyncio.gather(*heirs)

    async def _heirs(self, runner: RunnerId) -> list[Awaitable[None]]:
        """Let a runner take over what is free, and return its runs, which have begun."""
        await self._world.runs.beat(ACME, BOT, runner, ttl=LONG)
        leases = await self._world.runs.claim(ACME, BOT, runner, limit=len(TASKS))
        return [asyncio.create_task(self._run(runner, lease)) for lease in leases]

    async def _mail(self, lease: Lease) -> None:
        """Do the side effect, unless it was done."""
        place = (ACME, BOT, lease.task_id, SIDE_EFFECT)
        mailed = lease.task_id in self._mailed
        step = await self._world.ledger.begin(*place, epoch=lease.epoch, fingerprint="same")
        assert step.finished or not mailed
        if not step.finished:
            await self._world.ledger.finish(*place, epoch=lease.epoch, result=lease.epoch)
            self._mailed.add(lease.task_id)

    async def _write(self, lease: Lease, *, last: bool) -> bool:
        row = Row(kind=Kind.STATUS, streamed=True, author=BOT, payload={"epoch": lease.epoch, "last": last})
        write = Write(
            task_id=lease.task_id,
            owner=OWNER,
            write_id=f"{lease.task_id}-{lease.epoch}-{self._random.random()}",
            rows=(row,),
            epoch=lease.epoch,
            handled_seq=1 if last else None,
        )
        (result,) = await self._world.log.write(ACME, BOT, [write])
        assert isinstance(result, Written | LeaseLostError)
        return isinstance(result, Written)


async def test_of_runners_at_the_same_time_one_epoch_writes_and_each_task_is_done_once(world: PostgresWorld) -> None:
    storm = Storm(world, seed=7)

    await asyncio.gather(*(storm.run(runner) for runner in RUNNERS))

    seen = await world.look(ACME)
    assert storm.done == Counter(TASKS)
    # Or nothing was ever taken from anybody, and the test proved nothing.
    assert storm.lost > 0
    for rows in seen.writers.values():
        epochs = [epoch for epoch in rows if isinstance(epoch, int)]
        assert epochs == sorted(epochs)
        assert epochs.count(epochs[-1]) == ROWS
    assert {key for _, key in seen.steps} == {SIDE_EFFECT}
    assert len(seen.steps) == len(TASKS)
