"""A conversation goes on in another process of the agent, over a real thread store."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from a2a.types import ListTasksRequest, TaskState
from a2a.utils.errors import InvalidParamsError

from aeterna.a2a.adapters.http import HttpStore
from aeterna.a2a.usecases.conversations import Conversations
from aeterna.a2a.usecases.runner import Pace
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
    said,
    status,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from a2a.server.agent_execution import AgentExecutor, RequestContext
    from a2a.server.events import EventQueue

    from fixtures.fix_threads import ServiceProcess

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def serving(
    service: ServiceProcess, token: Callable[[], str], executor: AgentExecutor, name: str
) -> AsyncGenerator[Conversations]:
    """Run a process of the agent until the context ends, as when it is killed: nothing is given back."""
    store = HttpStore(service.url, token)
    conversations = Conversations(
        executor,
        agent="agent",
        runner=name,
        log=store.log,
        leases=store.leases,
        ledger=store.ledger,
        pace=Pace(ttl=timedelta(seconds=1), beat=timedelta(seconds=0.2), poll=timedelta(seconds=0.2)),
    )
    working = asyncio.create_task(conversations.run())
    try:
        yield conversations
    finally:
        working.cancel()
        await asyncio.wait({working})
        await store.aclose()


async def test_a_task_of_a_killed_process_goes_on_in_another_one_and_its_stream_with_it(
    task_service: ServiceProcess, agent_token: Callable[[], str]
) -> None:
    cut = asyncio.Event()

    async def cut_off(context: RequestContext, queue: EventQueue) -> None:
        await queue.enqueue_event(begun(context))
        await queue.enqueue_event(chunk(context, "a ", append=False))
        await queue.enqueue_event(chunk(context, "b "))
        await durable(queue)
        cut.set()
        await asyncio.Event().wait()

    async with AsyncExitStack() as later, AsyncExitStack() as life:
        killed = await life.enter_async_context(serving(task_service, agent_token, ScriptedExecutor(cut_off), "killed"))
        sent = await killed.submit(OWNER, message("a b c d"))
        await cut.wait()
        survivor = await later.enter_async_context(
            serving(task_service, agent_token, ScriptedExecutor(echo), "survivor")
        )
        following = asyncio.create_task(_told(survivor, sent.task_id))
        await life.aclose()
        told = await following
        task = await ended(survivor, sent.task_id)

    assert told == [2, 3, 4, 5, 6, 7]
    assert answer(task) == "a b c d "


async def test_a_message_to_a_task_that_runs_elsewhere_reaches_the_process_that_runs_it(
    task_service: ServiceProcess, agent_token: Callable[[], str]
) -> None:
    async def listen(context: RequestContext, queue: EventQueue) -> None:
        if context.current_task is None:
            await queue.enqueue_event(begun(context))
        done = context.get_user_input() == "two"
        state = TaskState.TASK_STATE_COMPLETED if done else TaskState.TASK_STATE_INPUT_REQUIRED
        await queue.enqueue_event(status(context, state, "to " + context.get_user_input()))

    one, two = ScriptedExecutor(listen), ScriptedExecutor(listen)
    async with (
        serving(task_service, agent_token, one, "one") as first,
        serving(task_service, agent_token, two, "two") as second,
    ):
        sent = await first.submit(OWNER, message("one", message_id="n1"))
        await second.submit(OWNER, message("two", message_id="n2", task_id=sent.task_id))
        task = await ended(second, sent.task_id)

    assert sorted(one.executed + two.executed) == ["one", "two"]
    assert [text for text in said(task) if text.startswith("to")] == ["to one"]


async def test_a_page_token_of_somebody_else_is_the_callers_mistake(
    task_service: ServiceProcess, agent_token: Callable[[], str]
) -> None:
    async with serving(task_service, agent_token, ScriptedExecutor(echo), "one") as conversations:
        with pytest.raises(InvalidParamsError):
            await conversations.tasks(OWNER, ListTasksRequest(page_token="made up"))


async def _told(conversations: Conversations, task_id: str) -> list[int]:
    return [one.seq async for one in conversations.follow(task_id, OWNER, 0)]
