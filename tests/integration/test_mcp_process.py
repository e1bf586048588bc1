"""The tools of a real graph API, with real tokens and a real policy, called by the protocol's own client."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from mcp import MCPError
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from aeterna.api.api.tools.graph_tools import graph_tools
from fixtures.api_processes import PATIENCE, Replicas, replicas_on
from fixtures.tool_calls import SERVICES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from mcp.types import CallToolResult

    from aeterna.service.testing import SigningKey
    from fixtures.api_processes import ServiceProcess

ERAS = {"legacy": "2025-11-25", "auto": "2026-07-28"}
EDGE = {"source": "svc:mail", "type": "calls", "target": "svc:checkout"}
pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def replicas(signing_key: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    """Return what starts replicas that ask one policy."""
    folder = tmp_path_factory.mktemp("mcp")
    place = {"CATALOG_URI": f"sqlite:///{folder}/catalog.db", "WAREHOUSE": str(folder / "warehouse")}
    with replicas_on(place, signing_key, folder / "run") as running:
        yield running


@pytest.fixture(scope="module")
def replica(replicas: Replicas) -> Iterator[ServiceProcess]:
    """Return a replica in which two tenants have services."""
    with replicas.start() as started:
        for tenant in ("acme", "umbrella"):
            with replicas.client(started, tenant=tenant) as client:
                body = {**SERVICES, "nodes": [*SERVICES["nodes"], {"id": f"only:{tenant}", "kind": "Mark"}]}
                client.post("/api/v1/graph/sessions", json=body).raise_for_status()
        yield started


@asynccontextmanager
async def agent(url: str, token: str, era: str = "auto") -> AsyncGenerator[Client]:
    """Connect as agents do."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False, timeout=PATIENCE) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=era) as client,
    ):
        yield client


def problem(result: CallToolResult) -> dict[str, Any]:
    assert result.is_error
    return (result.meta or {})["aeterna/problem"]


@pytest.mark.parametrize("era", ERAS)
async def test_an_agent_of_either_era_finds_the_tools_and_calls_them(
    replica: ServiceProcess, signing_key: SigningKey, era: str
) -> None:
    """The client checks each answer against the form that the tool promised."""
    async with agent(replica.url, signing_key.token(), era) as client:
        listed = await client.list_tools()
        linked = await client.call_tool("graph_link", EDGE)
        path = {"source": "svc:mail", "target": "svc:ledger", "at_least": linked.structured_content["seq"]}
        found = await client.call_tool("graph_path", path)

        assert client.protocol_version == ERAS[era]
    assert [tool.name for tool in listed.tools] == [tool.name for tool in graph_tools(lambda: "id")]
    assert found.structured_content["nodes"] == ["svc:mail", "svc:checkout", "svc:ledger"]


@pytest.mark.parametrize("roles", [["reader"], []], ids=["reader", "nobody"])
async def test_the_policy_decides_each_call(replica: ServiceProcess, signing_key: SigningKey, roles: list[str]) -> None:
    async with agent(replica.url, signing_key.token(roles=roles)) as client:
        read = await client.call_tool("graph_node", {"node": "svc:mail"})
        written = await client.call_tool("graph_unlink", EDGE)

    assert read.is_error is (not roles)
    assert problem(written)["code"] == "policy.denied"
    assert problem(written)["status"] == 403


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("fault", ["expired", "forged", "without a tenant"])
async def test_an_agent_whose_token_proves_nothing_is_told_nothing(
    replica: ServiceProcess, signing_key: SigningKey, fault: str, era: str
) -> None:
    token = {
        "expired": signing_key.token(now=1_000_000_000),
        "forged": type(signing_key)().token(),
        "without a tenant": signing_key.token(without=["tenant"]),
    }[fault]

    with pytest.RaisesGroup(MCPError, flatten_subgroups=True):
        async with agent(replica.url, token, era) as client:
            await client.list_tools()


async def test_many_agents_of_two_tenants_at_once_each_see_their_own(
    replica: ServiceProcess, signing_key: SigningKey
) -> None:
    async def marks(client: Client) -> str:
        found = await client.call_tool("graph_query", {"nodes": {"m": {"kind": "Mark"}}, "return": ["m.id"]})
        return json.dumps(found.structured_content["rows"])

    async with (
        agent(replica.url, signing_key.token(tenant="acme")) as acme,
        agent(replica.url, signing_key.token(tenant="umbrella")) as umbrella,
    ):
        seen = await asyncio.gather(*(marks(client) for _ in range(30) for client in (acme, umbrella)))

    assert seen == ['[["only:acme"]]', '[["only:umbrella"]]'] * 30


async def test_writes_at_once_are_all_there(replica: ServiceProcess, signing_key: SigningKey) -> None:
    async with agent(replica.url, signing_key.token()) as client:
        links = [{"source": "svc:mail", "type": f"t{number}", "target": "svc:mail"} for number in range(20)]
        receipts = await asyncio.gather(*(client.call_tool("graph_link", link) for link in links))
        seqs = [receipt.structured_content["seq"] for receipt in receipts]
        loops = {"nodes": {"a": {"id": "svc:mail"}}, "edges": [{"from": "a", "to": "a", "as": "e"}], "return": ["e"]}
        found = await client.call_tool("graph_query", {**loops, "count": True, "at_least": max(seqs)})

    assert len(set(seqs)) == 20
    assert found.structured_content["count"] == 20


async def test_a_replica_that_is_asked_to_stop_answers_what_it_took_and_ends(
    replicas: Replicas, signing_key: SigningKey
) -> None:
    """An agent that stays connected holds nothing up: there is no stream for it to hold."""
    with replicas.start(DRAIN_DELAY="1", DRAIN_TIMEOUT="5") as stopping:
        async with agent(stopping.url, signing_key.token(tenant="drained")) as client:
            node = {"id": "a", "kind": "K"}
            edge = {"source": "a", "type": "to", "target": "a", "nodes": [node]}
            calls = [asyncio.create_task(client.call_tool("graph_link", edge)) for _ in range(8)]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            stopping.terminate()
            done = await asyncio.gather(*calls)
            status = await asyncio.to_thread(stopping.process.wait, PATIENCE)

    assert [result.is_error for result in done] == [False] * 8
    assert status == 0
    assert "Traceback" not in stopping.log.read_text("utf-8")
