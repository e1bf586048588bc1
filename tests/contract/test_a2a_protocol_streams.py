"""Streams: every event has its place in the log, and a client goes on from the last one that it saw."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest
from a2a.types import CancelTaskRequest, SendMessageConfiguration, SubscribeToTaskRequest, TaskState
from a2a.types.a2a_pb2_grpc import A2AServiceStub

from fixtures.a2a_raw import call
from fixtures.a2a_served import as_, sent, served

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from a2a.client.transports.base import ClientTransport
    from a2a.types import StreamResponse, Task

    from fixtures.a2a_served import Binding, Served

pytestmark = pytest.mark.anyio

_MESSAGE = {"message": {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "go"}]}}


@pytest.fixture
def client(agent: Served, binding: Binding) -> ClientTransport:
    """Return the SDK's client of the binding."""
    return agent.transports[binding]


@pytest.fixture(params=["jsonrpc", "rest"])
def sse(request: pytest.FixtureRequest) -> Binding:
    """Return each binding that streams over HTTP."""
    return request.param


async def _held(client: ClientTransport) -> Task:
    request = sent("hold", "m-held")
    request.configuration.CopyFrom(SendMessageConfiguration(return_immediately=True))
    return (await client.send_message(request, context=as_("ada"))).task


def _ids(text: str) -> list[int]:
    return [int(line[4:]) for line in text.splitlines() if line.startswith("id: ")]


def _kinds(events: list[StreamResponse]) -> list[str | None]:
    return [event.WhichOneof("payload") for event in events]


async def test_a_stream_tells_the_task_its_artifacts_and_its_end_in_order(client: ClientTransport) -> None:
    events = [event async for event in client.send_message_streaming(sent("go", "m-1"), context=as_("ada"))]

    assert _kinds(events) == ["task", "status_update", *["artifact_update"] * 3, "status_update"]
    assert events[-1].status_update.status.state == TaskState.TASK_STATE_COMPLETED


async def test_a_stream_of_an_agent_that_only_replies_is_its_one_message(client: ClientTransport) -> None:
    events = [event async for event in client.send_message_streaming(sent("reply", "m-1"), context=as_("ada"))]

    assert _kinds(events) == ["message"]


async def test_a_stream_ends_where_the_agent_asks_for_input(client: ClientTransport) -> None:
    events = [event async for event in client.send_message_streaming(sent("ask", "m-1"), context=as_("ada"))]

    assert events[-1].status_update.status.state == TaskState.TASK_STATE_INPUT_REQUIRED


async def test_each_event_over_http_has_its_place_in_the_log_as_its_id(agent: Served, sse: Binding) -> None:
    answer = await call(agent, sse, "SendStreamingMessage", _MESSAGE, agent.raw())

    ids = _ids(answer.text)
    assert len(ids) == len(answer.results) == 6
    assert ids == sorted(set(ids))
    assert ids[-1] == next(iter(agent.log.kept.values())).task.version


async def test_a_message_that_is_streamed_again_is_told_the_same_from_the_log(agent: Served, binding: Binding) -> None:
    first = await call(agent, binding, "SendStreamingMessage", _MESSAGE, agent.raw())

    again = await call(agent, binding, "SendStreamingMessage", _MESSAGE, agent.raw())

    assert again.results == first.results
    assert agent.executor.executed == ["go"]


async def test_last_event_id_goes_on_after_each_event_without_a_gap_or_a_repetition(
    agent: Served, sse: Binding
) -> None:
    """Wherever the connection broke: what was seen and what follows are the whole."""
    whole = await call(agent, sse, "SendStreamingMessage", _MESSAGE, agent.raw())

    for number, seen in enumerate(_ids(whole.text), start=1):
        rest = await call(agent, sse, "SendStreamingMessage", _MESSAGE, agent.raw(**{"Last-Event-ID": str(seen)}))
        assert rest.results == whole.results[number:]


async def test_a_subscription_goes_on_after_last_event_id_even_when_the_task_has_ended(
    agent: Served, binding: Binding
) -> None:
    """The end itself may be what the client missed."""
    whole = await call(agent, binding, "SendStreamingMessage", _MESSAGE, agent.raw())
    task = next(iter(agent.log.kept))

    rest = await call(agent, binding, "SubscribeToTask", {"id": task}, agent.raw(**{"Last-Event-ID": "3"}))

    results = [result.get("result", result) for result in rest.results]
    assert results == [result.get("result", result) for result in whole.results][-len(results) :]
    assert "TASK_STATE_COMPLETED" in json.dumps(results[-1])


async def test_a_subscription_begins_with_the_task_as_it_is(agent: Served, client: ClientTransport) -> None:
    task = await _held(client)

    async with aclosing(client.subscribe(SubscribeToTaskRequest(id=task.id), context=as_("ada"))) as events:
        first = await anext(events)
        agent.executor.release()
        rest = [event async for event in events]

    assert first.task.id == task.id
    assert rest[-1].status_update.status.state == TaskState.TASK_STATE_COMPLETED


async def test_many_subscribers_are_told_the_same(agent: Served, client: ClientTransport) -> None:
    task = await _held(client)
    subscribers = [client.subscribe(SubscribeToTaskRequest(id=task.id), context=as_("ada")) for _ in range(3)]
    for subscriber in subscribers:
        await anext(subscriber)

    agent.executor.release()
    told = [[event async for event in subscriber] for subscriber in subscribers]

    assert told[0]
    assert told[0] == told[1] == told[2]


async def test_a_cancelled_task_ends_its_streams(agent: Served, client: ClientTransport) -> None:
    task = await _held(client)

    async with aclosing(client.subscribe(SubscribeToTaskRequest(id=task.id), context=as_("ada"))) as events:
        await anext(events)
        await client.cancel_task(CancelTaskRequest(id=task.id), context=as_("ada"))
        rest = [event async for event in events]

    assert rest[-1].status_update.status.state == TaskState.TASK_STATE_CANCELED


async def test_a_quiet_stream_says_that_it_lives(sse: Binding) -> None:
    async with served(heartbeat="0.02") as agent, _lines(agent, sse) as lines:
        assert await _until(lines, ": heartbeat") == ": heartbeat"
        agent.executor.release()


async def test_a_stream_ends_with_its_lifetime_and_the_task_goes_on(sse: Binding) -> None:
    """The caller's token is looked at again when the client comes back."""
    async with served(stream_lifetime="0.2") as agent, _lines(agent, sse) as lines:
        told = [line async for line in lines]
        agent.executor.release()

    assert not any("TASK_STATE_COMPLETED" in line for line in told)


async def test_draining_ends_streams_between_two_events(sse: Binding) -> None:
    async with served(drain_timeout="1") as agent, _lines(agent, sse) as lines:
        await _until(lines, "id: ")
        agent.app.state.drain.begin()
        rest = [line async for line in lines]

    assert not any(line.startswith("event: error") for line in rest)


async def test_a_grpc_stream_that_is_drained_is_unavailable_and_says_how_far_it_was() -> None:
    async with served(drain_timeout="1") as agent, grpc.aio.insecure_channel(agent.grpc_address) as channel:
        stub: Any = A2AServiceStub(channel)
        stream = stub.SendStreamingMessage(sent("hold", "m-1"), metadata=(("authorization", "Bearer ada"),), timeout=20)
        await stream.read()
        await stream.read()
        agent.app.state.drain.begin()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _ended(stream)

    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert int(dict(caught.value.trailing_metadata() or ())["last-event-id"]) > 1


async def test_no_more_streams_than_the_process_holds(binding: Binding) -> None:
    async with served(max_streams=1) as agent:
        client = agent.transports["jsonrpc"]
        task = await _held(client)
        async with aclosing(client.subscribe(SubscribeToTaskRequest(id=task.id), context=as_("ada"))) as events:
            await anext(events)
            answer = await call(agent, binding, "SendStreamingMessage", _MESSAGE, agent.raw())
        agent.executor.release()

    assert answer.outcome in {"-32603", "500", "INTERNAL", "UNAVAILABLE", "503"}
    assert "try again" in answer.text


async def test_open_streams_are_counted_and_those_that_clients_left_are_not(agent: Served) -> None:
    client = agent.transports["jsonrpc"]
    task = await _held(client)
    streams = agent.app.state.surface.streams

    async with aclosing(client.subscribe(SubscribeToTaskRequest(id=task.id), context=as_("ada"))) as events:
        await anext(events)
        assert streams.count == 1

    async with asyncio.timeout(10):
        await streams.wait_empty()
    agent.executor.release()


class _lines:  # noqa: N801 - reads as a function
    """The lines of a stream of a task that holds."""

    def __init__(self, agent: Served, binding: Binding) -> None:
        message: dict[str, Any] = {"message": {**_MESSAGE["message"], "parts": [{"text": "hold"}]}}
        body = message if binding == "rest" else _rpc(message)
        path = "/message:stream" if binding == "rest" else "/"
        self._stream = agent.http.stream("POST", path, json=body, headers=agent.raw())

    async def __aenter__(self) -> AsyncGenerator[str]:
        response = await self._stream.__aenter__()
        return response.aiter_lines()  # type: ignore[return-value] # httpx types its generator as an iterator

    async def __aexit__(self, *why: object) -> None:
        await self._stream.__aexit__(None, None, None)


async def _ended(stream: grpc.aio.UnaryStreamCall[Any, Any]) -> None:
    while await stream.read() != grpc.aio.EOF:
        pass


def _rpc(params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "SendStreamingMessage", "params": params}


async def _until(lines: AsyncGenerator[str], beginning: str) -> str:
    async for line in lines:
        if line.startswith(beginning):
            return line
    raise AssertionError(f"the stream ended before {beginning!r}")
