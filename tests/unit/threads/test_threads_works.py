"""A process whose work has failed stops, rather than to answer for ever that it cannot."""

from __future__ import annotations

import asyncio

import pytest

from aeterna.threads.main.works import watched

pytestmark = pytest.mark.anyio


async def test_a_work_that_fails_stops_the_process() -> None:
    stops: list[str] = []

    async def failing() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await watched(failing, lambda: stops.append("stop"))

    assert stops == ["stop"]


async def test_a_work_that_is_cancelled_stops_nothing() -> None:
    stops: list[str] = []

    async def endless() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(watched(endless, lambda: stops.append("stop")))
    await asyncio.sleep(0)

    task.cancel()
    await asyncio.wait([task])

    assert (task.cancelled(), stops) == (True, [])
