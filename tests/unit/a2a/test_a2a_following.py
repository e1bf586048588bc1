"""A subscriber hears everything once, whatever happens while its process reads the log."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from a2a.utils.errors import InvalidParamsError

from aeterna.a2a.testing import FakeTaskLog
from aeterna.a2a.usecases.runner import Pace
from fixtures.scripted_agents import OWNER, PACE, ScriptedExecutor, begun, durable, message, process, running, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from a2a.server.agent_execution import RequestContext
    from a2a.server.events import EventQueue

    from aeterna.a2a.domain.rows import RowPage
    from aeterna.a2a.usecases.following import Followed

pytestmark = pytest.mark.anyio

PATIENT = Pace(ttl=PACE.ttl, beat=PACE.beat, poll=PACE.poll)


class EventfulLog(FakeTaskLog):
    """Something happens while the rows after a place are read: before it is read where the log ends, or after it."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        self.torn = False

    async def rows(self, task_id: str, *, owner: str, after: int, limit: int = 200) -> RowPage:
        page = await super().rows(task_id, owner=owner, after=after, limit=limit)
        if page.rows or (meanwhile := self.meanwhile) is None:
            return page
        self.meanwhile = None
        await meanwhile()
        task = self.kept[task_id].task
        return replace(page, version=task.version, state=task.state) if self.torn else page


async def _held(context: RequestContext, queue: EventQueue) -> None:
    await queue.enqueue_event(begun(context))
    await durable(queue)
    await asyncio.Event().wait()


async def _heard(followed: AsyncIterator[Followed]) -> list[str | None]:
    return [one.state async for one in followed]


@pytest.mark.parametrize("torn", [True, False])
async def test_what_ends_a_task_while_its_log_is_read_is_heard_at_once(torn: bool) -> None:
    """The rows may be read before the last is there, and the state after it; or the wake comes before the answer."""
    log, woken = EventfulLog(), list[None]()
    log.torn = torn
    first = process(log, ScriptedExecutor(_held))
    elsewhere = process(log, ScriptedExecutor(_held), "runner-2", pace=PATIENT)

    async def cancelled() -> None:
        await first.cancel(sent.task_id, OWNER)
        # The wake takes its way meanwhile.
        for _ in range(5):
            await asyncio.sleep(0)
        woken.append(None)

    async with running(first, log), running(elsewhere, log, "runner-2"):
        sent = await first.submit(OWNER, message("go"))
        begun_at = await anext(first.follow(sent.task_id, OWNER, sent.seq))
        log.meanwhile = cancelled
        listening = asyncio.create_task(_heard(elsewhere.follow(sent.task_id, OWNER, begun_at.seq)))
        await until(lambda: woken)
        await asyncio.wait({listening}, timeout=1)

        assert listening.done()
        assert listening.result() == ["TASK_STATE_CANCELED"]


async def test_a_place_beyond_the_end_is_refused_by_the_process_that_runs_the_task_too() -> None:
    log = FakeTaskLog()
    conversations = process(log, ScriptedExecutor(_held))
    async with running(conversations, log):
        sent = await conversations.submit(OWNER, message("go"))
        async for _ in conversations.follow(sent.task_id, OWNER, sent.seq):
            break

        with pytest.raises(InvalidParamsError):
            await asyncio.wait_for(_heard(conversations.follow(sent.task_id, OWNER, 999)), 5)
