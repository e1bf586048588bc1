"""Side effects that are done once, whatever happens to the process that does them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from a2a.server.agent_execution import RequestContext
from a2a.server.context import ServerCallContext
from a2a.types import TaskState

from aeterna.a2a.testing import FakeTaskLog
from aeterna.a2a.usecases.steps import Done, NotDone, steps
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
    from a2a.server.events import EventQueue
    from a2a.types import Task

    from aeterna.a2a.usecases.steps import OnDoubt

pytestmark = pytest.mark.anyio


class Shop:
    """A side effect that counts, and that may be cut off after it was done or before."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.hanging = asyncio.Event()
        self.hangs = True

    async def buy(self, key: str) -> str:
        self.keys.append(key)
        if self.hangs:
            self.hanging.set()
            await asyncio.Event().wait()
        return f"receipt {len(self.keys)}"


def buyer(shop: Shop, *, after: asyncio.Event | None = None, on_doubt: OnDoubt = "fail") -> ScriptedExecutor:
    """Return an agent that buys, and then hangs if it is given what to set."""

    async def script(context: RequestContext, queue: EventQueue) -> None:
        if context.current_task is None:
            await queue.enqueue_event(begun(context))
        receipt = await steps(context).run("buy", shop.buy, arguments={"item": "tea"}, on_doubt=on_doubt)
        await queue.enqueue_event(chunk(context, str(receipt), append=False))
        if after is not None:
            await durable(queue)
            after.set()
            await asyncio.Event().wait()
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED))

    return ScriptedExecutor(script)


async def cut_off_and_resumed(
    shop: Shop, first: ScriptedExecutor, cut: asyncio.Event, second: ScriptedExecutor
) -> Task:
    """Run the first agent until it is cut off, and the second one in another process to the end."""
    log = FakeTaskLog()
    killed = process(log, first)
    async with running(killed, log):
        sent = await killed.submit(OWNER, message("buy"))
        await cut.wait()
    log.expire("runner-1")
    shop.hangs = False
    resumed = process(log, second, "runner-2")
    async with running(resumed, log, "runner-2"):
        return await ended(resumed, sent.task_id)


async def test_a_finished_step_is_not_done_again_after_a_takeover() -> None:
    shop, cut = Shop(), asyncio.Event()
    shop.hangs = False

    task = await cut_off_and_resumed(shop, buyer(shop, after=cut), cut, buyer(shop))

    assert (len(shop.keys), answer(task)) == (1, "receipt 1")


async def test_a_step_that_was_cut_off_fails_the_task_unless_the_author_says_otherwise() -> None:
    shop = Shop()

    task = await cut_off_and_resumed(shop, buyer(shop), shop.hanging, buyer(shop))

    assert (len(shop.keys), task.status.state) == (1, TaskState.TASK_STATE_FAILED)


async def test_a_step_that_may_be_repeated_is_done_again_under_the_same_key() -> None:
    shop = Shop()

    task = await cut_off_and_resumed(shop, buyer(shop), shop.hanging, buyer(shop, on_doubt="run_again"))

    assert (len(shop.keys), len(set(shop.keys)), answer(task)) == (2, 1, "receipt 2")


@pytest.mark.parametrize(("found", "times", "says"), [(Done(result="found"), 1, "found"), (NotDone(), 2, "receipt 2")])
async def test_the_author_can_find_out_whether_a_step_was_done(found: Done | NotDone, times: int, says: str) -> None:
    shop, asked = Shop(), list[str]()

    async def find_out(key: str) -> Done | NotDone:
        asked.append(key)
        return found

    task = await cut_off_and_resumed(shop, buyer(shop), shop.hanging, buyer(shop, on_doubt=find_out))

    assert (len(shop.keys), answer(task), asked) == (times, says, shop.keys[:1])


async def test_what_was_said_before_a_step_is_durable_when_the_step_begins() -> None:
    log = FakeTaskLog()
    seen: list[int] = []

    async def script(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(begun(context))

        async def look(_key: str) -> None:
            seen.append(log.kept[context.task_id or ""].task.version)

        await steps(context).run("look", look)
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED))

    async with running(process(log, ScriptedExecutor(script)), log) as conversations:
        sent = await conversations.submit(OWNER, message("a"))
        await ended(conversations, sent.task_id)

    assert seen == [2]


async def test_the_same_key_in_another_message_is_another_step() -> None:
    log, shop = FakeTaskLog(), Shop()
    shop.hangs = False

    async def script(context: RequestContext, queue: EventQueue) -> None:
        if context.current_task is None:
            await queue.enqueue_event(begun(context))
        await steps(context).run("buy", shop.buy)
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_INPUT_REQUIRED))

    async with running(process(log, ScriptedExecutor(script)), log) as conversations:
        sent = await conversations.submit(OWNER, message("a"))
        await ended(conversations, sent.task_id, until=sent.seq)
        again = await conversations.submit(OWNER, message("b", message_id="m2", task_id=sent.task_id))
        await ended(conversations, sent.task_id, after=again.seq, until=again.seq)

    assert len(set(shop.keys)) == 2


async def test_concurrent_callers_of_one_step_share_one_effect() -> None:
    log, shop = FakeTaskLog(), Shop()
    shop.hangs = False
    results: list[object] = []

    async def script(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(begun(context))
        results.extend(await asyncio.gather(*(steps(context).run("buy", shop.buy) for _ in range(3))))
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED))

    async with running(process(log, ScriptedExecutor(script)), log) as conversations:
        sent = await conversations.submit(OWNER, message("a"))
        await ended(conversations, sent.task_id)

    assert (len(shop.keys), results) == (1, ["receipt 1"] * 3)


def test_steps_are_there_only_where_the_kit_runs_the_executor() -> None:
    with pytest.raises(TypeError):
        steps(RequestContext(ServerCallContext()))
