"""When whoever pushes is asked to push everything again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from aeterna.policy.errors import FeedUnreachableError
from aeterna.policy.testing import FakeResync
from aeterna.policy.usecases.resyncing import Resyncing

pytestmark = pytest.mark.anyio

GONE = FeedUnreachableError("http://127.0.0.1:7000", "does not answer")


def resyncing(resync: FakeResync, *, chance: float = 0.0, interval: float = 60.0) -> Resyncing:
    """Return the asking of this feed, with chance held still."""
    return Resyncing(resync, interval=timedelta(seconds=interval), random=lambda: chance)


async def test_it_asks_as_soon_as_it_runs() -> None:
    """What happened while the sidecar was away is unknown to it."""
    begun = asyncio.Event()
    asking = Resyncing(FakeResync(), interval=timedelta(minutes=1), random=lambda: 0.0, begun=begun.set)
    running = asyncio.create_task(asking.run())

    async with asyncio.timeout(5):
        assert await begun.wait()

    running.cancel()


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 60.0), (0.5, 57.0), (0.999, 54.0)])
async def test_chance_only_shortens_the_interval(chance: float, seconds: float) -> None:
    asking = resyncing(FakeResync(), chance=chance)

    await asking.ask()

    assert asking.delay() == pytest.approx(seconds, abs=0.1)


async def test_while_nothing_can_come_the_wait_doubles_up_to_ten_seconds() -> None:
    resync = FakeResync()
    resync.trouble = GONE
    asking = resyncing(resync)

    waits: list[float] = []
    for _ in range(6):
        await asking.ask()
        waits.append(asking.delay())

    assert waits == [1, 2, 4, 8, 10, 10]


async def test_chance_takes_up_to_a_half_of_a_retry() -> None:
    """Sidecars that lost the same server must not come back to it in one moment."""
    resync = FakeResync()
    resync.trouble = GONE
    asking = resyncing(resync, chance=0.5)

    await asking.ask()

    assert asking.delay() == 0.75


async def test_a_retry_is_never_later_than_the_interval() -> None:
    resync = FakeResync()
    resync.trouble = GONE
    asking = resyncing(resync, interval=3)

    for _ in range(8):
        await asking.ask()

    assert asking.delay() == 3


async def test_after_the_return_it_asks_at_the_interval_again() -> None:
    resync = FakeResync()
    resync.trouble = GONE
    asking = resyncing(resync)
    await asking.ask()
    resync.trouble = None

    await asking.ask()

    assert asking.delay() == 60


async def test_whoever_waits_for_a_whole_push_is_told_before_it_can_come() -> None:
    resync = FakeResync()
    asked_before: list[int] = []
    asking = Resyncing(
        resync, interval=timedelta(minutes=1), random=lambda: 0.0, begun=lambda: asked_before.append(resync.asked)
    )

    await asking.ask()

    assert asked_before == [0]
