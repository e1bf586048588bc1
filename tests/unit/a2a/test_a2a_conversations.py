"""Conversations that outlive the process that runs them, over a thread store in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from a2a.types import Message, Part, Task, TaskState
from a2a.utils.errors import InvalidParamsError, TaskNotCancelableError, TaskNotFoundError, UnsupportedOperationError

from aeterna.a2a.testing import FakeTaskLog
from fixtures.scripted_agents import (
    OWNER,
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
    said,
    status,
    until,
)

if TYPE_CHECKING:
    from a2a.server.agent_execution import RequestContext
    from a2a.server.events import EventQueue

pytestmark = pytest.mark.anyio


async def test_a_message_is_answered_and_the_whole_answer_is_in_the_log() -> None:
    log = FakeTaskLog()
    async with running(process(log, ScriptedExecutor(echo)), log) as conversations:
        sent = await conversations.submit(OWNER, message("a b c"))

        task = await ended(conversations, sent.task_id, after=sent.seq, until=sent.seq)

    assert (answer(task), said(task)) == ("a b c ", ["a b c"])
    assert task.status.state == TaskState.TASK_STATE_COMPLETED


async def test_a_stream_has_no_gap_and_tells_nothing_twice_wherever_it_begins() -> None:
    log = FakeTaskLog()
    async with running(process(log, ScriptedExecutor(echo)), log) as conversations:
        sent = await conversations.submit(OWNER, message("a b c d"))
        whole = [one.seq async for one in conversations.follow(sent.task_id, OWNER, sent.seq)]
        from_each = [
            [one.seq async for one in conversations.follow(sent.task_id, OWNER, place)] for place in (0, *whole)
        ]

    assert whole == [2, 3, 4, 5, 6, 7]
    assert from_each == [whole, *(whole[at + 1 :] for at in range(len(whole)))]


async def test_a_task_of_a_killed_process_goes_on_elsewhere_without_loss_or_doubling() -> None:
    log, cut = FakeTaskLog(), asyncio.Event()

    async def cut_off(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(begun(context))
        await queue.enqueue_event(chunk(context, "a ", append=False))
        await queue.enqueue_event(chunk(context, "b "))
        await durable(queue)
        cut.set()
        await asyncio.Event().wait()

    first = process(log, ScriptedExecutor(cut_off))
    async with running(first, log):
        sent = await first.submit(OWNER, message("a b c d"))
        await cut.wait()
    log.expire("runner-1")
    second = process(log, ScriptedExecutor(echo), "runner-2")
    async with running(second, log, "runner-2"):
        seen = [one async for one in second.follow(sent.task_id, OWNER, sent.seq)]
        task = await ended(second, sent.task_id)

    assert [one.seq for one in seen] == [2, 3, 4, 5, 6, 7]
    assert answer(task) == "a b c d "


async def test_another_answer_after_a_takeover_takes_the_place_of_the_one_that_was_cut_off() -> None:
    """A model says something else the second time; what it said first must not stay before it."""
    log, cut = FakeTaskLog(), asyncio.Event()

    async def first_try(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(begun(context))
        for at, word in enumerate(("the ", "cat ", "sat ")):
            await queue.enqueue_event(chunk(context, word, append=at > 0))
        await durable(queue)
        cut.set()
        await asyncio.Event().wait()

    async def second_try(context: RequestContext, queue: EventQueue) -> None:
        for at, word in enumerate(("the ", "dog ")):
            await queue.enqueue_event(chunk(context, word, append=at > 0))
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED))

    first = process(log, ScriptedExecutor(first_try))
    async with running(first, log):
        sent = await first.submit(OWNER, message("go"))
        await cut.wait()
    log.expire("runner-1")
    second = process(log, ScriptedExecutor(second_try), "runner-2")
    async with running(second, log, "runner-2"):
        task = await ended(second, sent.task_id)

    assert answer(task) == "the dog "


async def test_messages_that_come_while_the_agent_works_are_run_afterwards_in_order() -> None:
    log, going = FakeTaskLog(), asyncio.Event()

    async def ask(context: RequestContext, queue: EventQueue) -> None:
        if context.current_task is None:
            await queue.enqueue_event(begun(context))
        await going.wait()
        done = context.get_user_input() == "three"
        state = TaskState.TASK_STATE_COMPLETED if done else TaskState.TASK_STATE_INPUT_REQUIRED
        await queue.enqueue_event(status(context, state, "to " + context.get_user_input()))

    executor = ScriptedExecutor(ask)
    async with running(process(log, executor), log) as conversations:
        sent = await conversations.submit(OWNER, message("one"))
        await conversations.submit(OWNER, message("two", message_id="m2", task_id=sent.task_id))
        await conversations.submit(OWNER, message("three", message_id="m3", task_id=sent.task_id))
        going.set()
        task = await ended(conversations, sent.task_id)

    assert executor.executed == ["one", "two", "three"]
    assert said(task) == ["one", "two", "three", "to one", "to two"]


async def test_a_follow_up_goes_on_with_the_task_as_it_stands() -> None:
    log = FakeTaskLog()

    async def ask(context: RequestContext, queue: EventQueue) -> None:
        if context.current_task is None:
            await queue.enqueue_event(begun(context))
            await queue.enqueue_event(status(context, TaskState.TASK_STATE_INPUT_REQUIRED, "which?"))
            return
        await queue.enqueue_event(chunk(context, " ".join(said(context.current_task)), append=False))
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED))

    async with running(process(log, ScriptedExecutor(ask)), log) as conversations:
        sent = await conversations.submit(OWNER, message("book"))
        asked = await ended(conversations, sent.task_id, after=sent.seq, until=sent.seq)
        again = await conversations.submit(OWNER, message("this", message_id="m2", task_id=sent.task_id))
        task = await ended(conversations, sent.task_id, after=again.seq, until=again.seq)

    assert asked.status.message.parts[0].text == "which?"
    assert answer(task) == "book which? this"


async def test_the_same_message_again_reaches_the_same_task_and_is_run_once() -> None:
    log = FakeTaskLog()
    executor = ScriptedExecutor(echo)
    async with running(process(log, executor), log) as conversations:
        first = await conversations.submit(OWNER, message("a b"))
        again = await conversations.submit(OWNER, message("a b"))
        await ended(conversations, first.task_id)
        late = await conversations.submit(OWNER, message("a b"))

    assert (again.task_id, again.seq, again.repeated) == (first.task_id, first.seq, True)
    assert late.repeated
    assert executor.executed == ["a b"]


async def test_the_id_of_another_message_is_refused() -> None:
    log = FakeTaskLog()
    async with running(process(log, ScriptedExecutor(echo)), log) as conversations:
        await conversations.submit(OWNER, message("a b"))

        with pytest.raises(InvalidParamsError):
            await conversations.submit(OWNER, message("something else"))


async def test_another_owner_can_neither_see_nor_continue_nor_cancel_a_task() -> None:
    log = FakeTaskLog()
    async with running(process(log, ScriptedExecutor(echo)), log) as conversations:
        sent = await conversations.submit(OWNER, message("a b"))
        await ended(conversations, sent.task_id)

        assert await conversations.task(sent.task_id, "eve") is None
        for attempt in (
            conversations.submit("eve", message("mine", task_id=sent.task_id)),
            conversations.cancel(sent.task_id, "eve"),
            anext(conversations.follow(sent.task_id, "eve", 0)),
        ):
            with pytest.raises(TaskNotFoundError):
                await attempt


async def test_nothing_can_be_said_to_a_task_that_has_ended() -> None:
    log = FakeTaskLog()
    async with running(process(log, ScriptedExecutor(echo)), log) as conversations:
        sent = await conversations.submit(OWNER, message("a b"))
        await ended(conversations, sent.task_id)

        with pytest.raises(UnsupportedOperationError):
            await conversations.submit(OWNER, message("more", message_id="m2", task_id=sent.task_id))
        with pytest.raises(TaskNotCancelableError):
            await conversations.cancel(sent.task_id, OWNER)


async def test_a_cancelled_task_stops_where_it_runs_and_stays_cancelled() -> None:
    log, going = FakeTaskLog(), asyncio.Event()

    async def endless(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(begun(context))
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_WORKING))
        going.set()
        await asyncio.Event().wait()

    executor = ScriptedExecutor(endless)
    async with running(process(log, executor), log) as conversations:
        sent = await conversations.submit(OWNER, message("go"))
        await going.wait()
        other = process(log, ScriptedExecutor(echo), "runner-2")
        async for one in conversations.follow(sent.task_id, OWNER, 0):
            if one.state == "TASK_STATE_WORKING":
                break

        cancelled = await other.cancel(sent.task_id, OWNER)

        await until(lambda: executor.cancelled)
    assert cancelled.status.state == TaskState.TASK_STATE_CANCELED
    assert executor.cancelled == [sent.task_id]


async def test_a_process_that_was_thought_dead_writes_nothing() -> None:
    log, going, woken, stopped = FakeTaskLog(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def zombie(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(begun(context))
        await durable(queue)
        going.set()
        await woken.wait()
        try:
            await queue.enqueue_event(chunk(context, "zombie", append=False))
            await durable(queue)
        finally:
            stopped.set()

    first = process(log, ScriptedExecutor(zombie))
    second = process(log, ScriptedExecutor(echo), "runner-2")
    async with running(first, log):
        sent = await first.submit(OWNER, message("a"))
        await going.wait()
        log.beat("runner-0", 60)
        log.take(log.kept[sent.task_id], "runner-0")
        woken.set()
        await stopped.wait()
    log.expire("runner-0")
    async with running(second, log, "runner-2"):
        task = await ended(second, sent.task_id)

    assert answer(task) == "a "
    assert "zombie" not in str(log.kept[sent.task_id].rows)


async def test_what_an_executor_raises_fails_the_task_and_tells_the_caller_nothing_of_it() -> None:
    log = FakeTaskLog()

    async def broken(context: RequestContext, queue: EventQueue) -> None:
        raise ValueError("password=hunter2")

    async with running(process(log, ScriptedExecutor(broken)), log) as conversations:
        sent = await conversations.submit(OWNER, message("a b"))
        task = await ended(conversations, sent.task_id)

    assert task.status.state == TaskState.TASK_STATE_FAILED
    assert task.metadata["code"] == "a2a.executor_failed"
    assert "hunter2" not in str(task)


async def test_a_task_that_ends_its_processes_is_failed_after_five_attempts() -> None:
    log = FakeTaskLog()
    sent = await process(log, ScriptedExecutor(echo)).submit(OWNER, message("poison"))
    for at in range(5):
        log.take(log.kept[sent.task_id], f"dead-{at}")
    executor = ScriptedExecutor(echo)

    async with running(process(log, executor), log) as conversations:
        task = await ended(conversations, sent.task_id)

    assert task.status.state == TaskState.TASK_STATE_FAILED
    assert task.metadata["code"] == "a2a.attempts_exhausted"
    assert not executor.executed


async def test_a_message_that_is_answered_by_a_message_makes_no_task() -> None:
    log = FakeTaskLog()

    async def reply(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(Message(message_id="r1", parts=[Part(text="hello")]))

    async with running(process(log, ScriptedExecutor(reply)), log) as conversations:
        sent = await conversations.submit(OWNER, message("hi"))
        events = [one.event async for one in conversations.follow(sent.task_id, OWNER, sent.seq, until=sent.seq)]

        assert [type(event) for event in events] == [Message]
        assert await conversations.task(sent.task_id, OWNER) is None


async def test_a_status_without_a_task_before_it_makes_one() -> None:
    log = FakeTaskLog()

    async def hasty(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED))

    async with running(process(log, ScriptedExecutor(hasty)), log) as conversations:
        sent = await conversations.submit(OWNER, message("hi"))
        live = [one.event async for one in conversations.follow(sent.task_id, OWNER, sent.seq)]
        later = [one.event async for one in conversations.follow(sent.task_id, OWNER, 0)]

    assert isinstance(live[0], Task)
    assert live == later


async def test_a_draining_process_hands_its_tasks_over_unfinished() -> None:
    log, going = FakeTaskLog(), asyncio.Event()

    async def slow(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(begun(context))
        await durable(queue)
        going.set()
        await asyncio.Event().wait()

    first = process(log, ScriptedExecutor(slow))
    second = process(log, ScriptedExecutor(echo), "runner-2")
    async with running(first, log), running(second, log, "runner-2"):
        sent = await first.submit(OWNER, message("a b"))
        await going.wait()
        following = asyncio.create_task(ended(first, sent.task_id))

        await first.drain(0)

        await following
        task = await ended(second, sent.task_id)

    assert answer(task) == "a b "
    assert task.status.state == TaskState.TASK_STATE_COMPLETED
