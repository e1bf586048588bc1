"""Whatever the order in which things happen, a task ends once and its log tells one story."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from a2a.types import TaskArtifactUpdateEvent, TaskState
from a2a.utils.errors import TaskNotCancelableError
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.a2a.testing import FakeTaskLog
from fixtures.scripted_agents import (
    OWNER,
    ScriptedExecutor,
    answer,
    begun,
    chunk,
    durable,
    ended,
    message,
    process,
    running,
    status,
)

if TYPE_CHECKING:
    from a2a.server.agent_execution import RequestContext
    from a2a.server.events import EventQueue

WORDS = "a b c d"


def _text(event: TaskArtifactUpdateEvent) -> str:
    return event.artifact.parts[0].text


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@settings(max_examples=60, deadline=None)
@given(pace=st.integers(0, 4), wait=st.integers(0, 40))
def test_a_cancel_that_races_the_end_leaves_one_terminal_state_that_both_sides_agree_on(pace: int, wait: int) -> None:
    async def race() -> None:
        log = FakeTaskLog()

        async def work(context: RequestContext, queue: EventQueue) -> None:
            await queue.enqueue_event(begun(context))
            for at, word in enumerate(WORDS.split()):
                await turns(pace)
                await queue.enqueue_event(chunk(context, word, append=at > 0))
            await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED))

        async with running(process(log, ScriptedExecutor(work)), log) as conversations:
            sent = await conversations.submit(OWNER, message(WORDS))
            async for _ in conversations.follow(sent.task_id, OWNER, sent.seq):
                break
            await turns(wait)
            try:
                cancelled = (await conversations.cancel(sent.task_id, OWNER)).status.state
            except TaskNotCancelableError:
                cancelled = None
            task = await ended(conversations, sent.task_id)
        expected = TaskState.TASK_STATE_COMPLETED if cancelled is None else TaskState.TASK_STATE_CANCELED
        terminal = [row for row in log.kept[sent.task_id].rows if row.row.kind == "status"]
        assert task.status.state == expected
        assert len(terminal) == 1

    asyncio.run(race())


@settings(max_examples=60, deadline=None)
@given(kills=st.lists(st.integers(0, 30), min_size=1, max_size=4), pace=st.integers(0, 3), run_ahead=st.booleans())
def test_wherever_a_process_is_killed_the_answer_is_whole_and_nobody_hears_a_word_twice(
    kills: list[int], pace: int, run_ahead: bool
) -> None:
    async def survive() -> None:
        log = FakeTaskLog()

        async def work(context: RequestContext, queue: EventQueue) -> None:
            if context.current_task is None:
                await queue.enqueue_event(begun(context))
            for at, word in enumerate(WORDS.split()):
                await turns(pace)
                await queue.enqueue_event(chunk(context, word, append=at > 0))
                if not run_ahead:
                    await durable(queue)
            await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED))

        sent = await process(log, ScriptedExecutor(work)).submit(OWNER, message(WORDS))
        for number, wait in enumerate(kills):
            name = f"runner-{number}"
            async with running(process(log, ScriptedExecutor(work), name), log, name):
                await turns(wait)
            log.expire(name)
        async with running(process(log, ScriptedExecutor(work), "last"), log, "last") as conversations:
            events = [one async for one in conversations.follow(sent.task_id, OWNER, 0)]
            task = await ended(conversations, sent.task_id)
        told = [_text(one.event) for one in events if isinstance(one.event, TaskArtifactUpdateEvent)]
        assert told == WORDS.split()
        assert answer(task) == "".join(WORDS.split())
        assert [row.seq for row in log.kept[sent.task_id].rows] == list(range(1, len(events) + 2))

    asyncio.run(survive())


@settings(max_examples=60, deadline=None)
@given(waits=st.lists(st.integers(0, 12), min_size=2, max_size=5), pace=st.integers(0, 3))
def test_messages_are_run_once_each_in_the_order_of_the_log_whenever_they_come(waits: list[int], pace: int) -> None:
    async def talk() -> None:
        log = FakeTaskLog()

        async def listen(context: RequestContext, queue: EventQueue) -> None:
            if context.current_task is None:
                await queue.enqueue_event(begun(context))
            await turns(pace)
            await queue.enqueue_event(status(context, TaskState.TASK_STATE_INPUT_REQUIRED))

        first, second = ScriptedExecutor(listen), ScriptedExecutor(listen)
        one, two = process(log, first), process(log, second, "runner-2")
        async with running(one, log), running(two, log, "runner-2"):
            last = sent = await one.submit(OWNER, message("0"))
            async for _ in one.follow(sent.task_id, OWNER, sent.seq):
                break
            for number, wait in enumerate(waits, 1):
                await turns(wait)
                last = await (one, two)[number % 2].submit(
                    OWNER, message(str(number), message_id=f"n{number}", task_id=sent.task_id)
                )
            await ended(two, sent.task_id, after=last.seq, until=last.seq)
        assert sorted(first.executed + second.executed) == [str(number) for number in range(len(waits) + 1)]
        assert not log.kept[sent.task_id].task.waiting

    asyncio.run(talk())


@settings(max_examples=60, deadline=None)
@given(wait=st.integers(0, 25), pace=st.integers(0, 3))
def test_a_process_that_lost_its_lease_without_knowing_adds_nothing(wait: int, pace: int) -> None:
    async def outlive() -> None:
        log = FakeTaskLog()

        async def work(context: RequestContext, queue: EventQueue) -> None:
            if context.current_task is None:
                await queue.enqueue_event(begun(context))
            for at, word in enumerate(WORDS.split()):
                await turns(pace)
                await queue.enqueue_event(chunk(context, word, append=at > 0))
                await durable(queue)
            await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED))

        async with running(process(log, ScriptedExecutor(work)), log) as conversations:
            sent = await conversations.submit(OWNER, message(WORDS))
            await turns(wait)
            kept = log.kept[sent.task_id]
            if kept.task.waiting:
                log.beat("thief", 60)
                log.take(kept, "thief")
                version = kept.task.version
                await turns(60)
                assert kept.task.version == version
            log.expire("thief")
            events = [one async for one in conversations.follow(sent.task_id, OWNER, 0)]
        told = [_text(one.event) for one in events if isinstance(one.event, TaskArtifactUpdateEvent)]
        assert told == WORDS.split()

    asyncio.run(outlive())
