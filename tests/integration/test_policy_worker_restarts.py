"""Workers that cannot live, and workers that will not die: how long the parent waits for either."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from aeterna.policy.adapters.shared_tallies import SharedTallies
from aeterna.policy.adapters.workers import Workers
from aeterna.policy.domain.tally import PROCESS
from aeterna.service.clock import steady_clock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

pytestmark = pytest.mark.anyio

NOTED = "import sys, time, signal; open(sys.argv[1], 'a').write(f'{time.monotonic()}\\n'); "
ENDS_AT_ONCE = NOTED + "raise SystemExit(3)"
DOES_NOT_END = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + NOTED + "time.sleep(600)"


def noted(notes: Path) -> str:
    """Return what the workers noted until now."""
    return notes.read_text() if notes.exists() else ""


@asynccontextmanager
async def kept(program: str, notes: Path, *, grace: float = 5) -> AsyncGenerator[tuple[Workers, asyncio.Task[None]]]:
    """Keep one worker that runs a program, which first notes when it began."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        workers = Workers(
            (sys.executable, "-c", program, str(notes)),
            listeners=[listener],
            shared=SharedTallies.created(1),
            grace=timedelta(seconds=grace),
            clock=steady_clock,
        )
        running = asyncio.create_task(workers.run())
        try:
            yield workers, running
        finally:
            workers.stop()
            async with asyncio.timeout(20):
                await running


async def begun(notes: Path, count: int) -> list[float]:
    """Return when the first so many workers began."""
    async with asyncio.timeout(20):
        while True:
            lines = await asyncio.to_thread(noted, notes)
            if lines.count("\n") >= count:
                return [float(line) for line in lines.splitlines()[:count]]
            await asyncio.sleep(0.01)


async def test_a_worker_that_cannot_live_is_started_again_less_and_less_often(tmp_path: Path) -> None:
    """A loop that starts a broken program as fast as it can takes the machine from those who decide."""
    with capture_logs() as logs:
        async with kept(ENDS_AT_ONCE, tmp_path / "notes"):
            moments = await begun(tmp_path / "notes", 4)

    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert all(pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.4), strict=True))
    assert {(entry["event"], entry["status"]) for entry in logs} == {("policy.worker_ended", 3)}


async def test_a_worker_that_does_not_drain_in_its_time_is_ended(tmp_path: Path) -> None:
    async with kept(DOES_NOT_END, tmp_path / "notes", grace=0.2) as (workers, running):
        await begun(tmp_path / "notes", 1)

        workers.stop()
        async with asyncio.timeout(20):
            await running


async def test_a_worker_that_does_not_listen_yet_is_not_nudged_to_death(tmp_path: Path) -> None:
    """The signal that means "look" ends a program that has not said yet what it means to it."""
    async with kept(NOTED + "time.sleep(600)", tmp_path / "notes") as (workers, running):
        await begun(tmp_path / "notes", 1)

        workers.nudge()
        ended, _ = await asyncio.wait([running], timeout=0.2)
        moments = await begun(tmp_path / "notes", 1)

    assert not ended
    assert len(moments) == 1
    assert len((tmp_path / "notes").read_text().splitlines()) == 1


def test_a_row_says_nothing_of_a_process_until_one_listens() -> None:
    assert [tally.words[PROCESS] for tally in SharedTallies.created(3).tallies] == [0, 0, 0]
