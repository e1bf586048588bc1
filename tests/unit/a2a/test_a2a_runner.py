"""A process whose token the thread store does not take says why, once, and still ends in order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from aeterna.a2a.errors import StoreRefusedError
from aeterna.a2a.testing import FakeLeases, FakeLedger, FakeTaskLog
from aeterna.a2a.usecases.conversations import Conversations
from aeterna.a2a.usecases.runner import Pace
from fixtures.scripted_agents import ScriptedExecutor, echo, until

pytestmark = pytest.mark.anyio


class Denied(FakeLeases):
    """Leases of a store that takes this process's token for nobody's."""

    beats = 0

    async def beat(self, runner: str, *, ttl: timedelta) -> None:
        del runner, ttl
        self.beats += 1
        raise StoreRefusedError("token.invalid", "the token has expired")

    async def leave(self, runner: str) -> None:
        del runner
        raise StoreRefusedError("token.invalid", "the token has expired")


def process(log: FakeTaskLog, leases: FakeLeases) -> Conversations:
    return Conversations(
        ScriptedExecutor(echo),
        agent="agent",
        runner="runner-1",
        log=log,
        leases=leases,
        ledger=FakeLedger(log),
        pace=Pace(ttl=timedelta(seconds=1), beat=timedelta(milliseconds=1)),
    )


async def test_a_process_that_may_not_live_says_why_and_says_it_once() -> None:
    log = FakeTaskLog()
    leases = Denied(log)
    with capture_logs() as logged:
        working = asyncio.create_task(process(log, leases).run())
        await until(lambda: leases.beats > 3)
        working.cancel()
        await asyncio.wait({working})

    told = [(entry["code"], entry["error"]) for entry in logged if entry["event"] == "a2a.beat_failed"]
    assert told == [("a2a.store_refused", "the thread store refused (token.invalid): the token has expired")]


async def test_a_process_that_may_not_leave_ends_all_the_same() -> None:
    log = FakeTaskLog()
    with capture_logs() as logged:
        await process(log, Denied(log)).drain(0)

    assert [entry["event"] for entry in logged] == ["a2a.leave_failed"]
