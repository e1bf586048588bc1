"""Bad inputs: each has the code of its binding, says nothing of the inside, and names its trace."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest
from a2a.types.a2a_pb2_grpc import A2AServiceStub

from fixtures.a2a_agents import card
from fixtures.a2a_faults import FAULTS
from fixtures.a2a_raw import call, read, read_grpc
from fixtures.a2a_served import as_, sent, served

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.a2a_faults import Fault
    from fixtures.a2a_raw import Answer
    from fixtures.a2a_served import Binding, Served

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_has_the_code_of_its_binding(fault: Fault, binding: Binding) -> None:
    async with served(written=card(**fault.card)) as agent:
        answer = await _committed(agent, binding, fault)

    assert _told(answer, binding) == fault.expected.of(binding)
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["aeterna-trace-id"])
    assert answer.headers["aeterna-trace-id"] in answer.text
    assert "Traceback" not in answer.text
    assert "aeterna." not in answer.text


async def test_what_may_be_repeated_says_so(agent: Served, binding: Binding) -> None:
    agent.log.available = False

    answer = await call(agent, binding, "GetTask", {"id": "any"}, agent.raw())

    assert answer.retry
    assert binding == "grpc" or answer.headers["retry-after"] == "1"


async def test_the_trace_of_the_caller_is_the_trace_of_the_error(agent: Served, binding: Binding) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"

    answer = await call(
        agent, binding, "GetTask", {"id": "nope"}, agent.raw(traceparent=f"00-{trace}-b7ad6b7169203331-01")
    )

    assert answer.headers["aeterna-trace-id"] == trace
    assert trace in answer.text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{", "-32700"),
        ('{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"\xff"}}', "-32700"),
        ('{"a":' + "9" * 5000 + "}", "-32700"),
        ('{"a":' * 65 + "1" + "}" * 65, "-32600"),
        ("[" * 100_000, "-32600"),
        ("[]", "-32600"),
        ('[{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"x"}}]', "-32600"),
        ('"text"', "-32600"),
        ("null", "-32600"),
        ('{"id":1,"method":"GetTask","params":{"id":"x"}}', "-32600"),
        ('{"jsonrpc":"1.0","id":1,"method":"GetTask","params":{"id":"x"}}', "-32600"),
        ('{"jsonrpc":"2.0","id":true,"method":"GetTask","params":{"id":"x"}}', "-32600"),
        ('{"jsonrpc":"2.0","id":1}', "-32600"),
        ('{"jsonrpc":"2.0","id":1,"method":"Unheard","params":{}}', "-32601"),
        ('{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":5}}', "-32602"),
        ('{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{}}', "-32602"),
        ('{"jsonrpc":"2.0","id":1,"method":"GetTask","params":[1]}', "-32602"),
    ],
    ids=[
        "cut off",
        "not UTF-8",
        "endless number",
        "nested",
        "only brackets",
        "empty batch",
        "batch",
        "text",
        "null",
        "no version",
        "old version",
        "boolean id",
        "no method",
        "unknown method",
        "wrong type",
        "no id of a task",
        "parameters in a list",
    ],
)
async def test_json_rpc_that_is_none_has_the_code_of_json_rpc(agent: Served, body: str, expected: str) -> None:
    response = await agent.http.post("/", content=body.encode("latin-1"), headers=agent.raw())

    answer = read("jsonrpc", response)
    assert (response.status_code, answer.outcome) == (200, expected)
    assert answer.headers["aeterna-trace-id"] in answer.text
    assert "Error(" not in answer.text


@pytest.mark.parametrize("state", ["NONSENSE", "completed", ""])
async def test_a_state_that_has_no_such_name_lists_nothing_over_json_rpc(agent: Served, state: str) -> None:
    answer = await call(agent, "jsonrpc", "ListTasks", {"status": state}, agent.raw())

    assert answer.outcome == "-32602"
    assert "status" in answer.text


@pytest.mark.parametrize(
    "query", ["status=NONSENSE", "status=completed", "status=", "includeArtifacts=maybe", "includeArtifacts="]
)
@pytest.mark.parametrize("tenant", ["", "/acme"])
async def test_a_value_that_a_parameter_does_not_have_lists_nothing_over_http(
    agent: Served, query: str, tenant: str
) -> None:
    answer = read("rest", await agent.http.get(f"{tenant}/tasks?{query}", headers=agent.raw()))

    assert f"{answer.outcome} {answer.reason}" == "400 INVALID_PARAMS"
    assert query.partition("=")[0] in answer.text
    assert answer.headers["aeterna-trace-id"] in answer.text


@pytest.mark.parametrize("query", ["status=TASK_STATE_COMPLETED", "status=3", "includeArtifacts=TRUE", "unheard=of"])
async def test_what_the_protocol_knows_lists_over_http(agent: Served, query: str) -> None:
    await call(
        agent,
        "rest",
        "SendMessage",
        {"message": {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "go"}]}},
        agent.raw(),
    )

    answer = read("rest", await agent.http.get(f"/tasks?{query}", headers=agent.raw()))

    assert (answer.outcome, answer.results[0]["totalSize"]) == ("ok", 1)


@pytest.mark.parametrize(
    "body",
    [
        "{",
        '{"message":"\xff"}',
        '{"a":' + "9" * 5000 + "}",
        '{"a":' * 65 + "1" + "}" * 65,
        '{"message":5}',
        "[]",
        '"x"',
    ],
    ids=["cut off", "not UTF-8", "endless number", "nested", "wrong type", "list", "text"],
)
@pytest.mark.parametrize("path", ["/message:send", "/message:stream"])
async def test_a_body_that_is_no_message_is_refused_over_http(agent: Served, body: str, path: str) -> None:
    response = await agent.http.post(path, content=body.encode("latin-1"), headers=agent.raw())

    assert response.status_code == 400
    assert response.json()["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x80" * 200], ids=["noise", "lengths"])
async def test_bytes_that_are_no_message_are_refused_over_grpc(agent: Served, raw: bytes) -> None:
    async with grpc.aio.insecure_channel(agent.grpc_address) as channel:
        open_channel: Any = channel
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await open_channel.unary_unary("/lf.a2a.v1.A2AService/SendMessage")(
                raw, metadata=(("authorization", "Bearer ada"),), timeout=20
            )

    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_method_that_is_not_there_is_unimplemented_over_grpc(agent: Served) -> None:
    async with grpc.aio.insecure_channel(agent.grpc_address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/lf.a2a.v1.A2AService/Unheard")(b"", timeout=20)

    assert read_grpc(caught.value).outcome == "UNIMPLEMENTED"


async def test_a_message_larger_than_a_body_may_be_is_refused_unread(binding: Binding) -> None:
    async with served(max_body_bytes=10_000) as agent:
        message = sent("x" * 20_000, "m-1")
        if binding == "grpc":
            async with grpc.aio.insecure_channel(agent.grpc_address) as channel:
                stub: Any = A2AServiceStub(channel)
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await stub.SendMessage(message, metadata=(("authorization", "Bearer ada"),), timeout=20)
            outcome = caught.value.code().name
        else:
            path = "/" if binding == "jsonrpc" else "/message:send"
            outcome = str((await agent.http.post(path, content=b"x" * 20_000, headers=agent.raw())).status_code)

    assert outcome == ("RESOURCE_EXHAUSTED" if binding == "grpc" else "413")


async def test_an_unforeseen_error_says_nothing_of_the_inside(
    agent: Served, binding: Binding, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(agent.log, "task", broken)

    answer = await call(agent, binding, "GetTask", {"id": "any"}, agent.raw())

    assert answer.outcome == {"jsonrpc": "-32603", "rest": "500", "grpc": "INTERNAL"}[binding]
    assert "hunter2" not in answer.text


async def _committed(agent: Served, binding: Binding, fault: Fault) -> Answer:
    """Commit the fault, after what comes before it."""
    task = ""
    if fault.before is not None:
        begun = await agent.transports["jsonrpc"].send_message(sent(fault.before, "before"), context=as_("ada"))
        task = begun.task.id
    match fault.switched_off:
        case "store":
            agent.log.available = False
        case "decisions":
            agent.decisions.available = False
        case "permission":
            agent.permission.given = False
        case _:
            pass
    params: Mapping[str, Any] = json.loads(json.dumps(fault.params).replace("{task}", task))
    return await call(agent, binding, fault.method, params, {**agent.raw(fault.token), **fault.headers})


def _told(answer: Answer, binding: Binding) -> str:
    return f"{answer.outcome} {answer.reason}" if binding == "rest" else answer.outcome
