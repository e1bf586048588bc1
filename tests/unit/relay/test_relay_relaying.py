"""What a client and the cache say reaches the other, at the slower one's pace, for as long as the login holds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from aeterna.relay.domain.resp import command
from aeterna.relay.domain.tally import Tally
from aeterna.relay.errors import LoginRefusedError, UpstreamUnavailableError
from aeterna.relay.testing import FakeConnection, FakeUpstream
from aeterna.relay.usecases.relaying import Relaying
from aeterna.relay.usecases.watching import Watching
from aeterna.service.clock import system_clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.relay.errors import RelayError

pytestmark = pytest.mark.anyio


async def until(condition: Callable[[], object]) -> None:
    """Return when a condition holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is looked at is no event
            await asyncio.sleep(0.001)


@dataclass
class World:
    """A relay between a fake cache and fake clients."""

    life: float = 3600.0
    most: int = 8
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.upstream = FakeUpstream(clock=system_clock, life=self.life)
        self.relaying = Relaying(self.upstream, self.tally, most=self.most, clock=system_clock, random=lambda: 0.5)

    async def begun(self) -> tuple[FakeConnection, FakeConnection, asyncio.Task[None]]:
        """Return a client, its connection to the cache, and what relays it."""
        client, before = FakeConnection(), len(self.upstream.opened)
        task = asyncio.create_task(self.relaying.serve(client))
        await until(lambda: len(self.upstream.opened) > before)
        return client, self.upstream.opened[-1], task


async def test_both_directions_pass_unread() -> None:
    world = World()
    client, cache, task = await world.begun()
    client.comes(b"\x00*1\r\n")
    cache.comes(b"\xff+OK\r\n")
    await until(lambda: client.sent and cache.sent)
    client.comes(b"")
    await task

    assert (bytes(cache.sent), bytes(client.sent)) == (b"\x00*1\r\n", b"\xff+OK\r\n")
    assert (client.closed, cache.closed, world.tally.ended["client"], world.tally.open) == (True, True, 1, 0)


@pytest.mark.parametrize(("last", "by"), [(b"", "cache"), (ConnectionResetError(), "broken")])
async def test_what_the_cache_ends_is_ended_for_the_client(last: bytes | OSError, by: str) -> None:
    world = World()
    client, cache, task = await world.begun()
    cache.comes(last)
    await task

    assert client.closed
    assert [end for end, count in world.tally.ended.items() if count] == [by]


async def test_a_side_that_takes_nothing_slows_the_other_down() -> None:
    world = World()
    client, cache, task = await world.begun()
    client.takes(10)
    for _ in range(5):
        cache.comes(b"x" * 20)
    await until(lambda: client.sent)
    await asyncio.sleep(0)
    held = len(client.sent)
    received = bytearray(client.take())
    while len(received) < 100:
        await asyncio.sleep(0)
        received += client.take()
    client.comes(b"")
    await task

    assert (held, bytes(received)) == (20, b"x" * 100)


async def test_a_login_that_ends_ends_the_connection_in_a_quiet_moment() -> None:
    world = World(life=0.2)
    client, _, task = await world.begun()
    async with asyncio.timeout(5):
        await task

    assert client.closed
    assert world.tally.ended["age"] == 1


async def test_an_answer_that_is_owed_is_waited_for_in_a_drain() -> None:
    world = World()
    client, cache, task = await world.begun()
    client.comes(b"*1\r\n$4\r\nSLOW\r\n")
    await until(lambda: cache.sent)
    world.relaying.leave()
    done, _ = await asyncio.wait([task], timeout=0.3)
    cache.comes(b"+done\r\n")
    async with asyncio.timeout(5):
        await task

    assert not done
    assert bytes(client.sent) == b"+done\r\n"
    assert world.tally.ended["drain"] == 1


async def test_one_client_too_many_is_told_so_and_costs_no_connection() -> None:
    world = World(most=1)
    first, _, task = await world.begun()
    late = FakeConnection()
    await world.relaying.serve(late)
    first.comes(b"")
    await task

    assert bytes(late.sent) == b"-ERR max number of clients reached\r\n"
    assert (late.closed, len(world.upstream.opened), world.tally.refused["limit"]) == (True, 1, 1)


@pytest.mark.parametrize(
    ("refusal", "why"),
    [(UpstreamUnavailableError("TimeoutError"), "unreachable"), (LoginRefusedError("WRONGPASS"), "login")],
)
async def test_without_the_cache_a_client_is_hung_up_on_and_told_nothing(refusal: RelayError, why: str) -> None:
    """An error would be taken for the answer to its first command."""
    world = World()
    world.upstream.refusal = refusal
    client = FakeConnection()
    await world.relaying.serve(client)

    assert (client.closed, bytes(client.sent)) == (True, b"")
    assert [name for name, count in world.tally.refused.items() if count] == [why]


async def test_the_watch_says_that_the_cache_answers_and_why_it_does_not() -> None:
    tally, upstream = Tally(), FakeUpstream(clock=system_clock)
    watching = Watching(upstream, tally, clock=system_clock, random=lambda: 0.0)
    at_first = watching.trouble
    running = asyncio.create_task(watching.run())
    await until(lambda: upstream.opened and upstream.opened[0].sent)
    asked = upstream.opened[0].take()
    upstream.opened[0].comes(b"+PONG\r\n")
    await until(lambda: tally.up)
    up = watching.trouble
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert (at_first, asked, up) == ("relay.not_asked_yet", command("PING"), None)


@pytest.mark.parametrize("answer", [b"", b"-NOAUTH Authentication required.\r\n"])
async def test_a_cache_that_answers_anything_else_is_away_and_asked_again(answer: bytes) -> None:
    tally, upstream = Tally(), FakeUpstream(clock=system_clock)
    watching = Watching(upstream, tally, clock=system_clock, random=lambda: 0.0)
    running = asyncio.create_task(watching.run())
    await until(lambda: upstream.opened)
    upstream.opened[0].comes(answer)
    await until(lambda: len(upstream.opened) > 1)
    trouble, up = watching.trouble, tally.up
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert (trouble, up) == ("relay.upstream_unavailable", False)
