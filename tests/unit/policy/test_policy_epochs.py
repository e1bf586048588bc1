"""The stream of epochs: what enforcement points are told, when, and how it ends."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.testing import FakeEngine
from aeterna.policy.api import epochs
from aeterna.policy.domain.publication import Publication
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.policy.usecases.decide import Decider
from aeterna.service.lifecycle import Drain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.service.asgi import Message

pytestmark = pytest.mark.anyio


class Line:
    """A caller of the stream, with the decider's time in its hands."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.drain = Drain()
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.hung_up = asyncio.Event()
        self.decider = Decider(
            cache=lambda: VerdictCache(ttl=timedelta(0), capacity=0, clock=lambda: self.now, random=lambda: 0.0),
            steady=lambda: self.now,
            system=lambda: self.now,
            max_age=timedelta(seconds=60),
        )

    def publish(self, epoch: int) -> str:
        """Have the decider take on an edition, and return its digest."""
        digest = f"sha256:{epoch:064x}"
        self.decider.adopt(FakeEngine(), Publication(epoch=epoch, digest=digest, confirmed_at=self.now))
        return digest

    async def receive(self) -> Message:
        """Wait until the caller hangs up."""
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    async def body(self) -> bytes:
        """Return the next piece of the body."""
        async with asyncio.timeout(10):
            while True:
                message = await self.sent.get()
                if message["type"] == "http.response.body":
                    return message["body"]

    async def event(self) -> dict[str, object]:
        """Return the data of the next event, past the heartbeats."""
        while True:
            piece = await self.body()
            if piece.startswith(b"event: epoch\ndata: "):
                return json.loads(piece.removeprefix(b"event: epoch\ndata: "))

    @asynccontextmanager
    async def open(self, heartbeat: float = 3600) -> AsyncGenerator[asyncio.Task[None]]:
        """Have the line open."""
        task = asyncio.create_task(
            epochs.stream(self.decider, self.drain, self.receive, self.sent.put, heartbeat=heartbeat)
        )
        yield task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_epoch_in_use_is_told_at_once() -> None:
    line = Line()
    digest = line.publish(3)
    line.now += 2

    async with line.open():
        event = await line.event()

    assert event == {"epoch": 3, "digest": digest, "age": 2.0, "trusted": True}


async def test_each_new_epoch_is_told() -> None:
    line = Line()
    line.publish(1)

    async with line.open():
        told = [(await line.event())["epoch"]]
        for epoch in (2, 3):
            line.publish(epoch)
            told.append((await line.event())["epoch"])

    assert told == [1, 2, 3]


async def test_that_the_policies_became_too_old_is_told_and_that_they_are_young_again() -> None:
    line = Line()
    digest = line.publish(1)

    async with line.open(heartbeat=0.01):
        told = [(await line.event())["trusted"]]
        line.now += 61
        told.append((await line.event())["trusted"])
        line.decider.confirm(Publication(epoch=1, digest=digest, confirmed_at=line.now))
        told.append((await line.event())["trusted"])

    assert told == [True, False, True]


async def test_while_nothing_happens_the_line_shows_that_it_is_alive() -> None:
    line = Line()
    line.publish(1)

    async with line.open(heartbeat=0.01):
        pieces = [await line.body() for _ in range(3)]

    assert [piece.startswith(b":") for piece in pieces] == [False, True, True]


@pytest.mark.parametrize("why", ["drain", "hang up"])
async def test_it_ends_when_the_process_drains_or_the_caller_hangs_up(why: str) -> None:
    line = Line()
    line.publish(1)

    async with line.open() as stream:
        await line.event()
        if why == "drain":
            line.drain.begin()
        else:
            line.hung_up.set()
        async with asyncio.timeout(10):
            await stream
        last = await line.body()

    assert last == b""


async def test_before_there_are_policies_epoch_nought_is_not_to_be_trusted() -> None:
    line = Line()

    async with line.open():
        event = await line.event()

    assert (event["epoch"], event["digest"], event["trusted"]) == (0, "", False)
