"""The asynchronous client does what the blocking one does."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from aeterna.client import (
    AsyncAeterna,
    AsyncGraph,
    AsyncKnowledge,
    AsyncThread,
    AsyncThreads,
    Node,
    NodeNotFoundError,
    SyncGraph,
    SyncKnowledge,
    SyncThread,
    SyncThreads,
)
from fixtures.fix_runtime import GRAPH_URL, SECRET, THREADS_URL

if TYPE_CHECKING:
    from aeterna.client.testing import FakeRuntime


def client_of(fake: FakeRuntime, pauses: list[float]) -> AsyncAeterna:
    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await anyio.lowlevel.checkpoint()

    return AsyncAeterna(
        graph_url=GRAPH_URL, threads_url=THREADS_URL, token=SECRET, transport=fake.transport(), sleep=sleep
    )


@pytest.mark.parametrize(
    ("blocking", "asynchronous"),
    [
        (SyncGraph, AsyncGraph),
        (SyncKnowledge, AsyncKnowledge),
        (SyncThreads, AsyncThreads),
        (SyncThread, AsyncThread),
    ],
)
def test_both_faces_take_the_same_arguments(blocking: type[object], asynchronous: type[object]) -> None:
    def signatures(kind: type[object]) -> dict[str, list[str]]:
        return {
            name: [str(parameter) for parameter in inspect.signature(method).parameters.values()]
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert signatures(blocking) == signatures(asynchronous)


@pytest.mark.anyio
async def test_a_session_is_one_snapshot(fake: FakeRuntime, pauses: list[float]) -> None:
    async with client_of(fake, pauses) as aeterna:
        async with aeterna.graph.session("s") as session:
            session.node("a", kind="Thing")
            session.node("b", kind="Thing")
            session.edge("a", "knows", "b")
        found = await aeterna.graph.neighbors("a")

    assert (len(fake.states), found.ids) == (1, ("b",))


@pytest.mark.anyio
async def test_a_lost_answer_does_not_double_a_message(fake: FakeRuntime, pauses: list[float]) -> None:
    async with client_of(fake, pauses) as aeterna:
        thread = await aeterna.threads.open("t")
        fake.failures.append(httpx.ReadError("reset"))
        await thread.append("user", ["once"])
        kept = [message.text async for message in thread.messages()]

    assert (kept, len(pauses)) == (["once"], 1)


@pytest.mark.anyio
async def test_a_refusal_has_its_type(fake: FakeRuntime, pauses: list[float]) -> None:
    async with client_of(fake, pauses) as aeterna:
        await anext(aiter(aeterna.graph.ingest("s", [Node(id="a", kind="Thing")])))

        with pytest.raises(NodeNotFoundError):
            await aeterna.graph.node("nobody")


@pytest.mark.anyio
async def test_events_resume_after_the_last_message_seen(fake: FakeRuntime, pauses: list[float]) -> None:
    async with client_of(fake, pauses) as aeterna:
        thread = await aeterna.threads.open("t")
        await thread.append("user", ["a"])
        events = thread.events()
        first = await anext(events)
        await thread.append("agent", ["b"])
        second = await anext(events)

    assert (first.seq, second.seq) == (1, 2)
