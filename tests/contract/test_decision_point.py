"""What every decision point owes a service: the fake, and AuthZEN in front of the real sidecar, obey alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import httpx
import pytest

from aeterna.policy.main import build
from aeterna.policy.settings import PolicySettings
from aeterna.service.adapters.authzen import AuthZenDecisionPoint
from aeterna.service.caller import Caller, TenantId
from aeterna.service.decision import Decision, Resource
from aeterna.service.errors import DecisionUnavailableError
from aeterna.service.testing import FakeDecisionPoint
from aeterna.service.trace import enter_trace

if TYPE_CHECKING:
    from aeterna.service.ports import DecisionPoint

pytestmark = pytest.mark.anyio

ACME = TenantId("acme")
WRITER = Caller(tenant=ACME, subject="ada", kind="User", roles=frozenset({"writer"}), token_id=None)
GRAPH = Resource(type="Graph", id="main", tenant=ACME)
Handler: TypeAlias = Callable[[httpx.Request], httpx.Response]


def permits(caller: Caller, action: str, resource: Resource) -> bool:
    """Decide for the fake as the shipped policies do in the cases below."""
    return caller.tenant == resource.tenant and bool(caller.roles & {"writer"}) and action.startswith("graph.")


@pytest.fixture(params=["fake", "authzen"])
async def decisions(request: pytest.FixtureRequest) -> AsyncIterator[DecisionPoint]:
    """Return each implementation in turn."""
    if request.param == "fake":
        yield FakeDecisionPoint(allow=permits)
        return
    sidecar = httpx.ASGITransport(build(PolicySettings()))
    point = AuthZenDecisionPoint("http://policy", transport=sidecar)
    yield point
    await point.aclose()


async def test_what_is_permitted_is_allowed_and_says_by_what(decisions: DecisionPoint) -> None:
    decision = await decisions.decide(WRITER, "graph.write", GRAPH)

    assert decision.allowed
    assert decision.policies
    assert decision.epoch == 1
    assert (decision.digest or "").startswith("sha256:")


async def test_another_tenants_resource_is_denied_as_a_value(decisions: DecisionPoint) -> None:
    other = Resource(type="Graph", id="main", tenant=TenantId("globex"))

    assert not (await decisions.decide(WRITER, "graph.read", other)).allowed


async def test_an_action_nobody_knows_is_denied_as_a_value(decisions: DecisionPoint) -> None:
    assert not (await decisions.decide(WRITER, "planet.destroy", GRAPH)).allowed


async def test_a_point_that_can_decide_is_ready(decisions: DecisionPoint) -> None:
    await decisions.check()


def answering(handler: Handler) -> AuthZenDecisionPoint:
    """Return a client whose decision point answers what the handler returns."""
    return AuthZenDecisionPoint("http://policy", transport=httpx.MockTransport(handler))


UNCLEAR = [
    b"",
    b"true",
    b"{}",
    b"[]",
    b'{"decision": "true"}',
    b'{"decision": 1}',
    b'{"decision": null}',
    b'{"decision": {}}',
    b'{"decision": true, "context": "yes"}',
    b'{"Decision": true}',
    b'{"decision": true',
    b"\xff\xfe",
    b'{"decision": true, "context": {"x": "' + b"x" * 70_000 + b'"}}',
]


@pytest.mark.parametrize("body", UNCLEAR, ids=range(len(UNCLEAR)))
async def test_an_unclear_answer_is_no_decision(body: bytes) -> None:
    with pytest.raises(DecisionUnavailableError):
        await answering(lambda _request: httpx.Response(200, content=body)).decide(WRITER, "graph.read", GRAPH)


@pytest.mark.parametrize("status", [201, 204, 302, 400, 401, 403, 404, 429, 500, 503])
async def test_a_permit_under_another_status_is_no_decision(status: int) -> None:
    point = answering(lambda _request: httpx.Response(status, json={"decision": True}))

    with pytest.raises(DecisionUnavailableError):
        await point.decide(WRITER, "graph.read", GRAPH)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.PoolTimeout])
async def test_a_point_that_is_away_is_unavailable(error: type[httpx.HTTPError]) -> None:
    def failing(_request: httpx.Request) -> httpx.Response:
        raise error("away")

    with pytest.raises(DecisionUnavailableError):
        await answering(failing).decide(WRITER, "graph.read", GRAPH)


async def test_a_point_that_drips_its_answer_is_unavailable() -> None:
    """Each byte comes in time, and the whole would take for ever."""

    class Dripping(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for byte in b'{"decision": true}' * 100:
                await asyncio.sleep(0.005)
                yield bytes([byte])

    point = AuthZenDecisionPoint(
        "http://policy",
        timeout=timedelta(seconds=0.03),
        transport=httpx.MockTransport(lambda _request: httpx.Response(200, stream=Dripping())),
    )

    with pytest.raises(DecisionUnavailableError):
        await point.decide(WRITER, "graph.read", GRAPH)


async def test_a_closed_client_permits_nothing() -> None:
    point = answering(lambda _request: httpx.Response(200, json={"decision": True}))
    await point.aclose()

    with pytest.raises(DecisionUnavailableError):
        await point.decide(WRITER, "graph.read", GRAPH)


async def test_equal_questions_are_equal_bytes_and_carry_the_trace() -> None:
    """The decision point caches, and a set of roles has no order."""
    asked: list[httpx.Request] = []

    def noting(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"decision": False})

    many = Caller(tenant=ACME, subject="ada", kind="Agent", roles=frozenset({"c", "a", "b"}), token_id=None)
    enter_trace("4bf92f3577b34da6a3ce929d0e0e4736")

    decision = await answering(noting).decide(many, "graph.read", GRAPH, {"ip": "10.0.0.1"})

    assert decision == Decision(allowed=False)
    assert asked[0].headers["x-request-id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert asked[0].headers["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert json.loads(asked[0].content) == {
        "subject": {"type": "Agent", "id": "ada", "properties": {"tenant": "acme", "roles": ["a", "b", "c"]}},
        "action": {"name": "graph.read"},
        "resource": {"type": "Graph", "id": "main", "properties": {"tenant": "acme"}},
        "context": {"ip": "10.0.0.1"},
    }
