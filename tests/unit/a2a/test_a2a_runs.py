"""A run that something goes wrong with neither leaves a hole in the log nor is made again for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from a2a.types import TaskState
from structlog.testing import capture_logs

from aeterna.a2a.errors import StoreRefusedError
from aeterna.a2a.testing import FakeTaskLog
from aeterna.a2a.usecases.run import ATTEMPTS
from fixtures.scripted_agents import (
    OWNER,
    ScriptedExecutor,
    answer,
    begun,
    chunk,
    echo,
    ended,
    message,
    process,
    running,
    status,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, MutableMapping

    from a2a.server.agent_execution import RequestContext
    from a2a.server.events import EventQueue

    from aeterna.a2a.domain.rows import TaskView, Write, Written

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def logged() -> Generator[list[MutableMapping[str, Any]]]:
    """Return what is logged; drawing the traces of defects would take longer than the tests."""
    with capture_logs() as entries:
        yield entries


class DefectiveLog(FakeTaskLog):
    """Fails in ways that the port does not name, for as long as ``fails`` says so of a write."""

    def __init__(self, fails: Callable[[Write], bool]) -> None:
        super().__init__()
        self._fails = fails

    async def write(self, write: Write) -> Written:
        if write.epoch is not None and self._fails(write):
            raise ValueError("a defect")
        return await super().write(write)


def _tells(write: Write, word: str) -> bool:
    return any(word in str(row.payload) for row in write.rows)


async def test_nothing_follows_in_the_log_what_could_not_be_written() -> None:
    failures = iter([True])
    log = DefectiveLog(lambda write: _tells(write, "'b '") and next(failures, False))

    async def work(context: RequestContext, queue: EventQueue) -> None:
        if context.current_task is None:
            await queue.enqueue_event(begun(context))
        for at, word in enumerate("abcd"):
            await queue.enqueue_event(chunk(context, word + " ", append=at > 0))
            for _ in range(5):
                await asyncio.sleep(0)
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED))

    async with running(process(log, ScriptedExecutor(work)), log) as conversations:
        sent = await conversations.submit(OWNER, message("go"))
        task = await asyncio.wait_for(ended(conversations, sent.task_id), 5)

    assert answer(task) == "a b c d "


async def test_an_agent_whose_answer_can_never_be_written_is_not_run_for_ever() -> None:
    """Each attempt may cost what a model costs; and operators see a task only by its attempts."""
    log, executor = DefectiveLog(lambda _: True), ScriptedExecutor(echo)
    async with running(process(log, executor), log) as conversations:
        sent = await conversations.submit(OWNER, message("go"))
        await asyncio.wait_for(until(lambda: log.kept[sent.task_id].task.attempts > ATTEMPTS), 5)

    assert len(executor.executed) == ATTEMPTS


async def test_a_task_that_cannot_be_read_shows_in_its_attempts() -> None:
    class Unreadable(FakeTaskLog):
        async def task(self, task_id: str, **asked: object) -> TaskView:
            raise StoreRefusedError("threads.part_lost", f"{task_id} {asked}")

    log = Unreadable()
    sent = await process(log, ScriptedExecutor(echo)).submit(OWNER, message("go"))

    async with running(process(log, ScriptedExecutor(echo)), log):
        await asyncio.wait_for(until(lambda: log.kept[sent.task_id].task.attempts > 1), 5)
