"""A run that something goes wrong with neither leaves a hole in the log nor is made again for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from a2a.types import TaskState
from a2a.utils.errors import TaskNotCancelableError
from structlog.testing import capture_logs

from aeterna.a2a.errors import StoreRefusedError
from aeterna.a2a.testing import FakeTaskLog
from fixtures.scripted_agents import (
    OWNER,
    PACE,
    ScriptedExecutor,
    answer,
    begun,
    chunk,
    durable,
    echo,
    ended,
    message,
    process,
    running,
    status,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, MutableMapping

    from a2a.server.agent_execution import RequestContext
    from a2a.server.events import EventQueue

    from aeterna.a2a.domain.rows import TaskView, Write, Written
    from aeterna.contracts.json_value import JsonValue

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
        await asyncio.wait_for(until(lambda: log.kept[sent.task_id].task.attempts > PACE.most_attempts), 5)

    assert len(executor.executed) == PACE.most_attempts


async def test_how_often_a_message_is_begun_is_for_those_to_say_who_serve_the_agent() -> None:
    """Where processes end more often than messages are answered, more attempts are what brings an answer."""
    log, cut = FakeTaskLog(), asyncio.Event()

    async def hang(context: RequestContext, queue: EventQueue) -> None:
        cut.set()
        await asyncio.Event().wait()

    pace = replace(PACE, most_attempts=PACE.most_attempts + 2)
    sent = await process(log, ScriptedExecutor(echo)).submit(OWNER, message("a b"))
    for number in range(pace.most_attempts - 1):
        name = f"runner-{number}"
        cut.clear()
        async with running(process(log, ScriptedExecutor(hang), name, pace=pace), log, name):
            await asyncio.wait_for(cut.wait(), 5)
        log.expire(name)
    async with running(process(log, ScriptedExecutor(echo), "last", pace=pace), log, "last") as conversations:
        task = await asyncio.wait_for(ended(conversations, sent.task_id), 5)

    assert (task.status.state, answer(task)) == (TaskState.TASK_STATE_COMPLETED, "a b ")


async def test_a_task_that_cannot_be_read_shows_in_its_attempts() -> None:
    class Unreadable(FakeTaskLog):
        async def task(self, task_id: str, **asked: object) -> TaskView:
            raise StoreRefusedError("threads.part_lost", f"{task_id} {asked}")

    log = Unreadable()
    sent = await process(log, ScriptedExecutor(echo)).submit(OWNER, message("go"))

    async with running(process(log, ScriptedExecutor(echo)), log):
        await asyncio.wait_for(until(lambda: log.kept[sent.task_id].task.attempts > 1), 5)


class SlowLog(FakeTaskLog):
    """Keeps the answer to each write of a run until ``answers`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()

    async def write(self, write: Write) -> Written:
        written = await super().write(write)
        if write.epoch is not None:
            await self.answers.wait()
        return written


async def test_a_cancel_elsewhere_is_noticed_though_its_wake_comes_while_something_is_written() -> None:
    """Else the agent works on, for as long as it says nothing, for a task that has ended."""
    log = SlowLog()

    async def work(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(begun(context))
        await asyncio.Event().wait()

    executor = ScriptedExecutor(work)
    first, second = process(log, executor), process(log, executor, "runner-2")
    async with running(first, log), running(second, log, "runner-2"):
        sent = await first.submit(OWNER, message("go"))
        await until(lambda: log.kept[sent.task_id].task.state)
        await second.cancel(sent.task_id, OWNER)
        for _ in range(20):
            await asyncio.sleep(0)
        log.answers.set()

        await asyncio.wait_for(until(lambda: executor.cancelled), 5)


class RepeatingLog(FakeTaskLog):
    """Loses the first answer to a cancel, so that the adapter calls again."""

    async def cancel(self, task_id: str, *, owner: str, status: Mapping[str, JsonValue]) -> Written:
        await super().cancel(task_id, owner=owner, status=status)
        return await super().cancel(task_id, owner=owner, status=status)


async def test_a_cancel_whose_first_answer_was_lost_has_cancelled_the_task() -> None:
    log = RepeatingLog()

    async def work(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(begun(context))
        await asyncio.Event().wait()

    async with running(process(log, ScriptedExecutor(work)), log) as conversations:
        sent = await conversations.submit(OWNER, message("go"))
        await until(lambda: log.kept[sent.task_id].task.state)

        task = await conversations.cancel(sent.task_id, OWNER)
        with pytest.raises(TaskNotCancelableError):
            await conversations.cancel(sent.task_id, OWNER)

    assert task.status.state == TaskState.TASK_STATE_CANCELED


async def test_what_is_said_while_an_artifact_is_put_back_comes_after_that() -> None:
    """An agent may say several things at once; none may be lost because the run before said something else."""
    log, cut = FakeTaskLog(), asyncio.Event()

    async def first_try(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(begun(context))
        for at, word in enumerate(("the ", "cat ", "sat ")):
            await queue.enqueue_event(chunk(context, word, append=at > 0))
        await durable(queue)
        cut.set()
        await asyncio.Event().wait()

    async def second_try(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(chunk(context, "the ", append=False))
        await asyncio.gather(*(queue.enqueue_event(chunk(context, word)) for word in ("dog ", "barks ")))
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED))

    first = process(log, ScriptedExecutor(first_try))
    async with running(first, log):
        sent = await first.submit(OWNER, message("go"))
        await cut.wait()
    log.expire("runner-1")
    second = process(log, ScriptedExecutor(second_try), "runner-2")
    async with running(second, log, "runner-2"):
        task = await asyncio.wait_for(ended(second, sent.task_id), 5)

    assert answer(task) == "the dog barks "
