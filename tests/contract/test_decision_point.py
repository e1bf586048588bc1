"""What every decision point owes a service: the fake, and AuthZEN in front of the real sidecar, obey alike."""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import uvicorn

from aeterna.policy.main import build
from aeterna.policy.settings import PolicySettings
from aeterna.service.adapters.authzen import AuthZenDecisionPoint
from aeterna.service.caller import Caller, TenantId
from aeterna.service.decision import Decision, Resource
from aeterna.service.errors import DecisionUnavailableError
from aeterna.service.testing import FakeDecisionPoint
from aeterna.service.trace import enter_trace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from aeterna.service.ports import DecisionPoint

pytestmark = pytest.mark.anyio

ACME = TenantId("acme")
WRITER = Caller(tenant=ACME, subject="ada", kind="User", roles=frozenset({"writer"}), token_id=None)
GRAPH = Resource(type="Graph", id="main", tenant=ACME)


def permits(caller: Caller, action: str, resource: Resource) -> bool:
    """Decide for the fake as the shipped policies do in the cases below."""
    return caller.tenant == resource.tenant and bool(caller.roles & {"writer"}) and action.startswith("graph.")


@pytest.fixture(params=["fake", "authzen"])
async def decisions(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DecisionPoint]:
    """Return each implementation in turn; AuthZEN asks the real sidecar over a socket."""
    if request.param == "fake":
        yield FakeDecisionPoint(allow=permits)
        return
    socket = str(tmp_path / "s")
    server = uvicorn.Server(uvicorn.Config(build(PolicySettings()), uds=socket, log_config=None, lifespan="off"))
    config = server.config
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    point = AuthZenDecisionPoint(f"unix:{socket}")
    yield point
    await point.aclose()
    await server.shutdown()


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


@dataclass
class Answering:
    """A server on a socket that answers every request with the same bytes, and notes what it was asked."""

    raw: bytes
    path: str = ""
    pause: float = 0
    hang_up: bool = False
    connections: int = 0
    asked: list[bytes] = field(default_factory=list[bytes])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
                self.asked.append(head + await reader.readexactly(length))
                for byte in self.raw if self.pause else ():
                    writer.write(bytes([byte]))
                    await asyncio.sleep(self.pause)
                writer.write(b"" if self.pause else self.raw)
                await writer.drain()
                if self.hang_up:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def url(self) -> str:
        """The address of the socket."""
        return f"unix:{self.path}"


@asynccontextmanager
async def answering(raw: bytes, *, pause: float = 0, hang_up: bool = False) -> AsyncGenerator[Answering]:
    """Run such a server."""
    with tempfile.TemporaryDirectory() as folder:
        server = Answering(raw, f"{folder}/s", pause, hang_up)
        async with await asyncio.start_unix_server(server.serve, server.path):
            yield server


def http(body: bytes, status: int = 200, *headers: bytes) -> bytes:
    """Return a whole HTTP answer."""
    lines = [b"HTTP/1.1 %d X" % status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def asking(raw: bytes, *, pause: float = 0, hang_up: bool = False, seconds: float = 1) -> Decision:
    """Return what a client makes of a server that answers so."""
    async with answering(raw, pause=pause, hang_up=hang_up) as server:
        point = AuthZenDecisionPoint(server.url, timeout=timedelta(seconds=seconds))
        try:
            return await point.decide(WRITER, "graph.read", GRAPH)
        finally:
            await point.aclose()


PERMIT = b'{"decision": true}'
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
        await asking(http(body))


@pytest.mark.parametrize("status", [201, 204, 302, 400, 401, 403, 404, 429, 500, 503])
async def test_a_permit_under_another_status_is_no_decision(status: int) -> None:
    with pytest.raises(DecisionUnavailableError):
        await asking(http(PERMIT, status))


BROKEN = [
    b"",
    b"HELLO\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\nContent-Length: 19\r\n\r\n" + PERMIT,
    http(PERMIT)[:-1],
    http(PERMIT) + http(b'{"decision": false}'),
    http(PERMIT, 100) + http(PERMIT),
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30_000,
]


@pytest.mark.parametrize("raw", BROKEN, ids=range(len(BROKEN)))
async def test_what_is_not_exactly_one_answer_is_no_decision(raw: bytes) -> None:
    with pytest.raises(DecisionUnavailableError):
        await asking(raw, hang_up=True)


async def test_a_chunked_answer_is_understood() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n" + PERMIT + b"\r\n0\r\n\r\n"

    assert (await asking(chunked)).allowed


async def test_a_point_that_drips_its_answer_is_unavailable() -> None:
    """Each byte comes in time, and the whole would not."""
    with pytest.raises(DecisionUnavailableError):
        await asking(http(PERMIT), pause=0.01, seconds=0.1)


@pytest.mark.parametrize("url", ["unix:/nowhere/s", "http://127.0.0.1:1", "http://name.invalid:80"])
async def test_a_point_that_is_not_there_is_unavailable(url: str) -> None:
    with pytest.raises(DecisionUnavailableError):
        await AuthZenDecisionPoint(url).decide(WRITER, "graph.read", GRAPH)


async def test_a_closed_client_permits_nothing() -> None:
    async with answering(http(PERMIT)) as server:
        point = AuthZenDecisionPoint(server.url)
        await point.aclose()

        with pytest.raises(DecisionUnavailableError):
            await point.decide(WRITER, "graph.read", GRAPH)


async def test_connections_are_kept_and_a_lost_one_is_replaced() -> None:
    """A sidecar that was restarted must not cost the next caller an error."""
    async with answering(http(PERMIT)) as kept, answering(http(PERMIT), hang_up=True) as lost:
        for server in (kept, lost):
            point = AuthZenDecisionPoint(server.url)
            decisions = [await point.decide(WRITER, "graph.read", GRAPH) for _ in range(3)]
            await point.aclose()
            assert all(decision.allowed for decision in decisions)

    assert (kept.connections, lost.connections) == (1, 3)


async def test_answers_of_many_questions_at_once_are_not_mixed_up(tmp_path: Path) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
                asked = json.loads(await reader.readexactly(length))
                await asyncio.sleep(0)
                writer.write(http(json.dumps({"decision": asked["resource"]["id"].endswith("0")}).encode()))
        writer.close()

    async with await asyncio.start_unix_server(echo, tmp_path / "s"):
        point = AuthZenDecisionPoint(f"unix:{tmp_path / 's'}", timeout=timedelta(seconds=10))
        resources = [Resource(type="Graph", id=str(number), tenant=ACME) for number in range(200)]
        decisions = await asyncio.gather(*(point.decide(WRITER, "graph.read", resource) for resource in resources))
        await point.aclose()

    assert [decision.allowed for decision in decisions] == [resource.id.endswith("0") for resource in resources]


async def test_equal_questions_are_equal_bytes_and_carry_the_trace() -> None:
    """The decision point caches, and a set of roles has no order."""
    many = Caller(tenant=ACME, subject="ada", kind="Agent", roles=frozenset({"c", "a", "b"}), token_id=None)
    enter_trace("4bf92f3577b34da6a3ce929d0e0e4736")

    async with answering(http(b'{"decision": false}')) as server:
        point = AuthZenDecisionPoint(server.url)
        decision = await point.decide(many, "graph.read", GRAPH, {"ip": "10.0.0.1"})
        await point.aclose()

    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert decision == Decision(allowed=False)
    assert b"\r\nX-Request-ID: 4bf92f3577b34da6a3ce929d0e0e4736\r\n" in head
    assert b"\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-" in head
    assert json.loads(body) == {
        "subject": {"type": "Agent", "id": "ada", "properties": {"tenant": "acme", "roles": ["a", "b", "c"]}},
        "action": {"name": "graph.read"},
        "resource": {"type": "Graph", "id": "main", "properties": {"tenant": "acme"}},
        "context": {"ip": "10.0.0.1"},
    }
