"""Clients of protocol 0.3 are served at the same addresses, by the SDK's own client of that version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc.aio
import pytest
from a2a.compat.v0_3.grpc_transport import CompatGrpcTransport
from a2a.compat.v0_3.jsonrpc_transport import CompatJsonRpcTransport
from a2a.compat.v0_3.rest_transport import CompatRestTransport
from a2a.types import AgentCapabilities, AgentCard, CancelTaskRequest, GetTaskRequest, TaskState
from a2a.utils.errors import TaskNotFoundError

from fixtures.a2a_served import as_, sent

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from a2a.client.transports.base import ClientTransport

    from fixtures.a2a_served import Binding, Served

pytestmark = pytest.mark.anyio

_OLD = {"A2A-Version": "0.3"}


@pytest.fixture
async def client(agent: Served, binding: Binding) -> AsyncGenerator[ClientTransport]:
    """Return the SDK's client of 0.3 of the binding."""
    known = AgentCard(capabilities=AgentCapabilities(streaming=True))
    if binding == "grpc":
        async with grpc.aio.insecure_channel(agent.grpc_address) as channel:
            yield CompatGrpcTransport(channel, known)
    elif binding == "rest":
        yield CompatRestTransport(agent.http, known, agent.url)
    else:
        yield CompatJsonRpcTransport(agent.http, known, f"{agent.url}/")


async def test_a_message_of_0_3_is_answered_with_its_task(client: ClientTransport) -> None:
    answer = await client.send_message(sent("go", "m-1"), context=as_("ada", **_OLD))

    assert answer.task.status.state == TaskState.TASK_STATE_COMPLETED


async def test_a_stream_of_0_3_ends_with_the_task(client: ClientTransport) -> None:
    events = [event async for event in client.send_message_streaming(sent("go", "m-1"), context=as_("ada", **_OLD))]

    assert events[-1].status_update.status.state == TaskState.TASK_STATE_COMPLETED


async def test_a_task_of_0_3_is_read_and_cancelled(client: ClientTransport) -> None:
    task = (await client.send_message(sent("ask", "m-1"), context=as_("ada", **_OLD))).task

    read = await client.get_task(GetTaskRequest(id=task.id), context=as_("ada", **_OLD))
    cancelled = await client.cancel_task(CancelTaskRequest(id=task.id), context=as_("ada", **_OLD))

    assert read.id == task.id
    assert cancelled.status.state == TaskState.TASK_STATE_CANCELED


async def test_an_unknown_task_of_0_3_is_not_found(client: ClientTransport) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each of the SDK's old clients raises its own
        await client.get_task(GetTaskRequest(id="nope"), context=as_("ada", **_OLD))

    assert isinstance(caught.value, TaskNotFoundError) or "not found" in str(caught.value).lower()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", {"jsonrpc": "2.0", "id": 1, "method": "message/stream"}),
        ("/v1/message:stream", None),
    ],
    ids=["jsonrpc", "rest"],
)
async def test_a_stream_of_0_3_has_ids_as_well(agent: Served, path: str, body: dict[str, object] | None) -> None:
    if body is None:
        sent_body: dict[str, object] = {
            "message": {"messageId": "m-1", "role": "ROLE_USER", "content": [{"text": "go"}]}
        }
    else:
        parts = [{"kind": "text", "text": "go"}]
        message = {"kind": "message", "messageId": "m-1", "role": "user", "parts": parts}
        sent_body = {**body, "params": {"message": message}}
    headers = {"Authorization": "Bearer ada", "A2A-Version": "0.3"}

    first = await agent.http.post(path, json=sent_body, headers=headers)
    rest = await agent.http.post(path, json=sent_body, headers={**headers, "Last-Event-ID": "3"})

    ids = [int(line[4:]) for line in first.text.splitlines() if line.startswith("id: ")]
    assert len(ids) == 6
    assert [int(line[4:]) for line in rest.text.splitlines() if line.startswith("id: ")] == [i for i in ids if i > 3]


async def test_a_refused_stream_of_0_3_is_refused_with_a_status(agent: Served) -> None:
    """The SDK's adapter would have begun the stream by then."""
    headers = {"Authorization": "Bearer ada", "A2A-Version": "0.3"}

    missing = await agent.http.get("/v1/tasks/nope:subscribe", headers=headers)
    agent.permission.given = False
    denied = await agent.http.get("/v1/tasks/nope:subscribe", headers=headers)

    assert missing.status_code == 404
    assert (denied.status_code, denied.json()["code"]) == (403, "policy.denied")


@pytest.mark.parametrize("path", ["/", "/v1/message:send"], ids=["jsonrpc", "rest"])
async def test_a_message_of_0_3_that_says_it_is_the_agents_is_refused(agent: Served, path: str) -> None:
    headers = {"Authorization": "Bearer ada", "A2A-Version": "0.3"}
    body: dict[str, object] = {"message": {"messageId": "m-1", "role": "ROLE_AGENT", "content": [{"text": "go"}]}}
    if path == "/":
        parts = [{"kind": "text", "text": "go"}]
        message = {"kind": "message", "messageId": "m-1", "role": "agent", "parts": parts}
        body = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}}

    response = await agent.http.post(path, json=body, headers=headers)

    assert response.status_code == (200 if path == "/" else 400)
    assert ("-32602" if path == "/" else "INVALID_ARGUMENT") in response.text


@pytest.mark.parametrize("version", ["0.3", "2.0"], ids=["malformed", "of no version"])
async def test_what_the_adapter_of_0_3_refuses_names_the_trace(agent: Served, version: str) -> None:
    headers = {"Authorization": "Bearer ada", "A2A-Version": version}
    params: dict[str, object] = {"id": "nope"} if version == "2.0" else {"message": 5}
    method = "tasks/get" if version == "2.0" else "message/send"

    response = await agent.http.post(
        "/", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, headers=headers
    )

    assert response.json()["error"]["data"]["traceId"] == response.headers["aeterna-trace-id"]


async def test_an_error_of_0_3_over_http_names_the_trace(agent: Served) -> None:
    headers = {"Authorization": "Bearer ada", "A2A-Version": "2.0"}

    response = await agent.http.get("/v1/tasks/nope", headers=headers)

    assert response.status_code == 400
    assert response.headers["aeterna-trace-id"] in response.text
