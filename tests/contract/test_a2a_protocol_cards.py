"""The card: public, true about what is served, worth remembering, and more of it for callers who are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from a2a.client.card_resolver import A2ACardResolver
from a2a.client.client import ClientConfig
from a2a.client.client_factory import ClientFactory
from a2a.types import GetExtendedAgentCardRequest

from fixtures.a2a_agents import card
from fixtures.a2a_raw import call
from fixtures.a2a_served import as_, sent, served

if TYPE_CHECKING:
    from fixtures.a2a_served import Binding, Served

pytestmark = pytest.mark.anyio

_WELL_KNOWN = "/.well-known/agent-card.json"


async def test_the_card_is_public_and_says_what_the_author_wrote(agent: Served) -> None:
    found = await A2ACardResolver(agent.http, agent.url).get_agent_card()

    assert (found.name, found.version, found.skills[0].id) == ("Scripted", "1.2.3", "do")


async def test_the_card_names_every_interface_that_is_served_and_no_other() -> None:
    async with served(public_url="https://agent.example/x", grpc_public="agent.example:443") as agent:
        found = (await agent.http.get(_WELL_KNOWN)).json()

    assert [tuple(one.values()) for one in found["supportedInterfaces"]] == [
        (url, binding, version)
        for version in ("1.0", "0.3")
        for url, binding in (
            ("https://agent.example/x/", "JSONRPC"),
            ("https://agent.example/x", "HTTP+JSON"),
            ("agent.example:443", "GRPC"),
        )
    ]


async def test_an_agent_without_grpc_names_none_on_its_card() -> None:
    async with served(grpc_port=None) as agent:
        found = (await agent.http.get(_WELL_KNOWN)).json()

    assert {one["protocolBinding"] for one in found["supportedInterfaces"]} == {"JSONRPC", "HTTP+JSON"}


async def test_the_card_says_that_a_bearer_token_is_needed(agent: Served) -> None:
    found = (await agent.http.get(_WELL_KNOWN)).json()

    assert found["securitySchemes"]["bearer"]["httpAuthSecurityScheme"]["scheme"] == "Bearer"
    assert found["securityRequirements"] == [{"schemes": {"bearer": {}}}]


async def test_what_the_author_switched_off_stays_off() -> None:
    async with served(written=card(streaming=False, push_notifications=False)) as agent:
        found = (await agent.http.get(_WELL_KNOWN)).json()

    assert found["capabilities"] == {"streaming": False, "pushNotifications": False, "extendedAgentCard": False}


async def test_a_card_that_has_not_changed_is_not_sent_again(agent: Served) -> None:
    first = await agent.http.get(_WELL_KNOWN)

    second = await agent.http.get(_WELL_KNOWN, headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "public, max-age=300"
    assert (second.status_code, second.content) == (304, b"")


async def test_a_known_caller_sees_the_extended_card_on_every_binding(binding: Binding) -> None:
    extended = card()
    extended.description = "For those who are known."
    async with served(extended=extended) as agent:
        found = await agent.transports[binding].get_extended_agent_card(
            GetExtendedAgentCardRequest(), context=as_("ada")
        )
        stranger = await call(agent, binding, "GetExtendedAgentCard", {}, agent.raw(None))
        public = (await agent.http.get(_WELL_KNOWN)).json()

    assert found.description == "For those who are known."
    assert stranger.outcome in {"401", "UNAUTHENTICATED"}
    assert public["capabilities"]["extendedAgentCard"]
    assert public["description"] == "Does what it is told."


async def test_the_sdks_client_finds_its_way_by_the_card_alone(agent: Served) -> None:
    """The card of an agent that listens on a port of its own choosing names the one from its settings."""
    found = await A2ACardResolver(agent.http, agent.url).get_agent_card()
    for interface in found.supported_interfaces:
        interface.url = f"{agent.url}/" if interface.protocol_binding == "JSONRPC" else agent.url
    client = ClientFactory(ClientConfig(httpx_client=agent.http)).create(found)

    events = [event async for event in client.send_message(sent("go", "m-1"), context=as_("ada"))]

    assert events


async def test_probes_and_metrics_are_those_of_every_service(agent: Served) -> None:
    await call(agent, "rest", "GetTask", {"id": "nope"}, agent.raw())

    answers = {path: await agent.http.get(path) for path in ("/live", "/ready", "/metrics")}

    assert [answer.status_code for answer in answers.values()] == [200, 200, 200]
    assert 'aeterna_a2a_calls_total{binding="rest",method="GetTask",outcome="task_not_found"} 1.0' in (
        answers["/metrics"].text
    )
    assert 'aeterna_a2a_streams{binding="grpc"} 0.0' in answers["/metrics"].text


async def test_a_draining_agent_is_not_ready_and_still_lives(agent: Served) -> None:
    agent.app.state.drain.begin()

    assert (await agent.http.get("/ready")).status_code == 503
    assert (await agent.http.get("/live")).status_code == 200
