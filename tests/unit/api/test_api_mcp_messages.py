"""Messages of the protocol: who may send them, from where, how large, in which form, and to which replica."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.api.api.tools.endpoint import MAX_MESSAGE_BYTES
from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph_api import graph_client
from fixtures.tool_calls import HEADERS, MCP, SERVICES, call, message, posted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fixtures.fix_graph_api import GraphClient

PAGE = "https://agents.example"
LIST = message("tools/list")
CALL = message("tools/call", {"name": "graph_node", "arguments": {"node": "svc:mail"}})
NEWEST = "2026-07-28"
HELLO: dict[str, Any] = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphClient]:
    """Return a client of a graph that pages of one origin may ask too."""
    folder = tmp_path_factory.mktemp("messages")
    with graph_client(folder, FakeDecisionPoint(), cors_origins=[PAGE]) as client:
        client.post("/api/v1/graph/sessions", json=SERVICES)
        yield client


def problem(response: Any) -> tuple[int, str]:  # noqa: ANN401 - httpx's response
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("token", ["", "Basic acme", "Bearer", "Bearer stranger"])
@pytest.mark.parametrize("body", [LIST, CALL, message("initialize", HELLO)], ids=["list", "call", "initialize"])
def test_nothing_is_said_without_a_token_that_proves_who_asks(
    api: GraphClient, body: dict[str, Any], token: str
) -> None:
    response = posted(api, body, Authorization=token)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", f"{PAGE}.evil.example"])
def test_a_page_that_nobody_named_is_refused_though_it_bears_a_token(api: GraphClient, origin: str) -> None:
    """Whatever name its owner lets point at this machine: the browser says where the page came from."""
    assert problem(posted(api, CALL, Origin=origin)) == (403, "request.origin_refused")


def test_a_page_that_was_named_may_ask(api: GraphClient) -> None:
    assert posted(api, CALL, Origin=PAGE).json()["result"]["structuredContent"]["id"] == "svc:mail"


def test_a_browser_may_send_what_the_protocol_says_in_headers(api: GraphClient) -> None:
    wanted = "authorization,content-type,mcp-method,mcp-name,mcp-protocol-version"
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted}

    assert api.send("OPTIONS", MCP, headers=asked).status_code == 200


@pytest.mark.parametrize("announced", [True, False])
def test_a_message_that_belongs_into_a_session_over_rest_is_refused(api: GraphClient, *, announced: bool) -> None:
    body = json.dumps(message("tools/list", {"x": "y" * MAX_MESSAGE_BYTES})).encode()

    async def chunks() -> Any:  # noqa: ANN401 - an asynchronous generator of bytes
        yield body[:-9]
        yield body[-9:]

    content = body if announced else chunks()
    response = api.post(MCP, content=content, headers={**HEADERS, "Content-Type": "application/json"})

    assert problem(response) == (413, "request.too_large")


MALFORMED = {
    "no JSON": b"{",
    "no UTF-8": b'{"jsonrpc": "\xff"}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep arguments": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"graph_link","arguments":'
    + b'{"a":' * 30_000
    + b"1"
    + b"}" * 30_000
    + b"}}",
    "a number of many digits": b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"tools/list"}',
    "a batch": json.dumps([LIST, LIST]).encode(),
    "no envelope": b'{"hello": 1}',
    "nothing": b"",
}


@pytest.mark.parametrize("version", [None, NEWEST])
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_message_is_refused(api: GraphClient, body: bytes, version: str | None) -> None:
    headers = {**HEADERS, "Content-Type": "application/json"}
    if version is not None:
        headers["Mcp-Protocol-Version"] = version

    response = api.post(MCP, content=body, headers=headers)

    assert response.status_code == 400
    assert response.json()["error"]["code"] in {-32700, -32600, -32602}


@pytest.mark.parametrize("depth", [40, 150])
def test_arguments_that_are_nested_too_deeply_are_named(api: GraphClient, depth: int) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    arguments = {"source": "svc:mail", "type": "calls", "target": "svc:mail", "properties": {"deep": deep}}

    called = call(api, "graph_link", arguments)

    assert called.code in {"graph.invalid_session", "request.invalid"}
    assert "properties" in str(called.content)


def test_a_tool_that_there_is_not_is_an_error_of_the_protocol(api: GraphClient) -> None:
    error = posted(api, message("tools/call", {"name": "graph_violations", "arguments": {}})).json()["error"]

    assert error["code"] == -32602
    assert "graph_violations" in error["message"]


@pytest.mark.parametrize("method", ["prompts/list", "resources/list", "nonsense"])
def test_a_method_that_there_is_not_is_an_error_of_the_protocol(api: GraphClient, method: str) -> None:
    assert posted(api, message(method)).json()["error"]["code"] == -32601


@pytest.mark.parametrize("version", ["1999-01-01", "nonsense"])
def test_a_version_that_nobody_speaks_is_refused_with_those_that_are(api: GraphClient, version: str) -> None:
    key = "io.modelcontextprotocol"
    meta: dict[str, Any] = {f"{key}/protocolVersion": version, f"{key}/clientCapabilities": {}}
    headers = {"Mcp-Protocol-Version": version, "Mcp-Method": "tools/list"}

    response = posted(api, message("tools/list", {"_meta": meta}), **headers)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == -32022
    assert response.json()["error"]["data"]["supported"] == [NEWEST]


def test_a_handshake_with_such_a_version_is_offered_one_that_is(api: GraphClient) -> None:
    response = posted(api, message("initialize", {**HELLO, "protocolVersion": "1999-01-01"}))

    assert response.json()["result"]["protocolVersion"] == HELLO["protocolVersion"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_are_no_streams_and_no_sessions_to_end(api: GraphClient, method: str) -> None:
    assert api.send(method, MCP, headers={"Accept": "text/event-stream"}).status_code == 405


def test_a_session_is_never_begun(api: GraphClient) -> None:
    """So that any replica can take the next message."""
    response = posted(api, message("initialize", HELLO))

    assert response.json()["result"]["protocolVersion"] == "2025-11-25"
    assert "mcp-session-id" not in response.headers


def test_another_replica_takes_the_next_message(tmp_path: Path) -> None:
    with (
        graph_client(tmp_path, FakeDecisionPoint()) as one,
        graph_client(tmp_path, FakeDecisionPoint()) as other,
    ):
        posted(one, message("initialize", HELLO))
        node = {"id": "here", "kind": "Thing"}
        edge = {"source": "here", "type": "to", "target": "here"}
        receipt = call(one, "graph_link", {**edge, "nodes": [node]})

        found = call(other, "graph_node", {"node": "here", "at_least": receipt.content["seq"]})

    assert found.content["id"] == "here"


def test_an_answer_carries_the_trace_of_its_request(api: GraphClient) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    body = message("tools/call", {"name": "graph_node", "arguments": {"node": "nobody"}})

    response = posted(api, body, traceparent=f"00-{trace}-00f067aa0ba902b7-01")

    assert response.headers["Aeterna-Trace-Id"] == trace
    assert response.json()["result"]["_meta"]["aeterna/problem"]["trace_id"] == trace


def test_the_route_is_counted_under_its_own_name(api: GraphClient) -> None:
    posted(api, LIST)

    assert 'method="POST",route="/mcp",status="200"' in api.get("/metrics").text
