"""The policy sidecar as it really runs: a process of its own, on a port or a Unix socket, told by signals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.service.adapters.authzen import AuthZenDecisionPoint
from aeterna.service.caller import Caller, TenantId
from aeterna.service.decision import Resource
from aeterna.service.errors import DecisionUnavailableError
from fixtures.fix_policy import document

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

pytestmark = pytest.mark.anyio

ACME = TenantId("acme")
READER = Caller(tenant=ACME, subject="ada", kind="User", roles=frozenset({"reader"}), token_id=None)
GRAPH = Resource(type="Graph", id="main", tenant=ACME)
COMMAND = (sys.executable, "-P", "-m", "aeterna.policy")


def environment(**settings: str | Path | float) -> dict[str, str]:
    """Return the environment of the process, with these settings and no others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AETERNA_")}
    return inherited | {f"AETERNA_POLICY_{name.upper()}": str(value) for name, value in settings.items()}


class Process:
    """A running sidecar whose log is read line by line, so that waiting for an event is no sleeping."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[dict[str, object]] = []

    async def event(self, name: str) -> dict[str, object]:
        """Return the next log line of this event."""
        assert self._process.stderr is not None
        async with asyncio.timeout(20):
            while line := await self._process.stderr.readline():
                self.lines.append(json.loads(line))
                if self.lines[-1]["event"] == name:
                    return self.lines[-1]
        raise AssertionError(f"the process ended without {name}: {self.lines}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Return the exit status."""
        async with asyncio.timeout(20):
            return await self._process.wait()


@contextlib.asynccontextmanager
async def running(**settings: str | Path | float) -> AsyncGenerator[Process]:
    """Start a sidecar with these settings, and end it."""
    started = await asyncio.create_subprocess_exec(
        *COMMAND, env=environment(**settings), stderr=asyncio.subprocess.PIPE
    )
    try:
        yield Process(started)
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


def client_at(event: dict[str, object]) -> httpx.AsyncClient:
    """Return a client of the address that the process says it listens on."""
    return httpx.AsyncClient(base_url=f"http://{event['address']}", trust_env=False)


async def test_a_service_gets_its_decisions_over_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "policy.sock"
    async with running(socket=path) as process:
        await process.event("service.listening")
        point = AuthZenDecisionPoint(f"unix:{path}")
        await point.check()

        decisions = [await point.decide(READER, action, GRAPH) for action in ("graph.read", "graph.write")]

        await point.aclose()

    assert [decision.allowed for decision in decisions] == [True, False]


async def test_when_the_process_is_killed_nothing_is_permitted_any_more() -> None:
    async with running(port=0) as process:
        address = (await process.event("service.listening"))["address"]
        point = AuthZenDecisionPoint(f"http://{address}")
        before = await point.decide(READER, "graph.read", GRAPH)

        process.signal(signal.SIGKILL)
        await process.ended()

        with pytest.raises(DecisionUnavailableError):
            await point.decide(READER, "graph.read", GRAPH)
        await point.aclose()

    assert before.allowed


async def test_a_changed_bundle_is_taken_on_at_a_signal_and_a_bad_one_is_not(bundle_folder: Path) -> None:
    policies = bundle_folder / "aeterna.cedar"
    shipped = policies.read_text()
    async with (
        running(port=0, bundle=bundle_folder, refresh_interval=3600) as process,
        client_at(await process.event("service.listening")) as client,
    ):
        answers = [await client.post("/access/v1/evaluation", json=document())]
        policies.write_text("permit (")
        process.signal(signal.SIGHUP)
        refused = await process.event("policy.bundle_refused")
        answers.append(await client.post("/access/v1/evaluation", json=document()))
        policies.write_text(shipped.replace('Role::"reader"', 'Role::"nobody"'))
        process.signal(signal.SIGHUP)
        await process.event("policy.edition_adopted")
        answers.append(await client.post("/access/v1/evaluation", json=document()))

    assert "aeterna.cedar" in str(refused["reason"])
    assert [(answer.json()["decision"], answer.json()["context"]["epoch"]) for answer in answers] == [
        (True, 1),
        (True, 1),
        (False, 2),
    ]


async def test_a_changed_bundle_is_found_without_a_signal(bundle_folder: Path) -> None:
    async with running(port=0, bundle=bundle_folder, refresh_interval=0.05) as process:
        await process.event("service.listening")
        (bundle_folder / "more.cedar").write_text('@id("nobody") forbid (principal, action, resource);')

        adopted = await process.event("policy.edition_adopted")

    assert adopted["epoch"] == 2


async def test_the_process_drains_before_it_stops_and_says_so() -> None:
    async with running(port=0, drain_delay=1) as process:
        listening = await process.event("service.listening")
        async with client_at(listening) as client:
            ready = await client.get("/ready")
            process.signal(signal.SIGTERM)
            await process.event("service.draining")
            draining = await client.get("/ready")
            decided = await client.post("/access/v1/evaluation", json=document())

        status = await process.ended()

    assert (ready.status_code, draining.status_code, draining.json()["status"]) == (200, 503, "draining")
    assert decided.json()["decision"] is True
    assert [each.headers.get("connection") for each in (ready, draining, decided)] == [None, "close", "close"]
    assert status == 0


def refused(**settings: str | Path | float) -> subprocess.CompletedProcess[str]:
    """Start a sidecar that must not start."""
    return subprocess.run(COMMAND, env=environment(**settings), capture_output=True, text=True, timeout=20, check=False)


def test_a_port_in_use_is_one_line_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        ended = refused(port=port)

    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines() == [
        f"aeterna-policy: port {port} on 127.0.0.1 is in use by another process; stop it or choose another port"
    ]


def test_a_bundle_that_breaks_its_schema_keeps_the_process_from_starting(bundle_folder: Path) -> None:
    (bundle_folder / "bad.cedar").write_text('@id("bad") permit (principal, action, resource) when { principal.x };')

    ended = refused(port=0, bundle=bundle_folder)

    assert ended.returncode == 1
    assert "bad.cedar:1: " in ended.stderr.strip().splitlines()[-1]


def test_a_setting_that_cannot_be_is_named() -> None:
    ended = refused(port="many")

    assert (ended.returncode, ended.stderr.startswith("aeterna-policy: AETERNA_POLICY_PORT: ")) == (1, True)


SECRET = "canary-7f3a91d0"
TOLD: list[bytes] = [
    b'{"subject": {"type": "User", "id": "' + SECRET.encode() + b'", "properties": {"tenant": "acme"}}, "action": '
    b'{"name": "x"}, "resource": {"type": "Graph", "id": "main"}, "context": {"password": "' + SECRET.encode() + b'"}}',
    b'{"subject": "' + SECRET.encode(),
    SECRET.encode() * 10_000,
]


async def test_nothing_that_a_caller_sends_gets_into_the_log() -> None:
    """Not in what is decided, refused or too large, and not at the level of the most talkative log."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}", "X-Request-ID": SECRET}
    async with running(port=0, log_level="debug") as process:
        async with client_at(await process.event("service.listening")) as client:
            for path in ("/access/v1/evaluation", "/access/v1/evaluations", "/v1/is_authorized", f"/{SECRET}"):
                for body in TOLD:
                    with contextlib.suppress(httpx.TransportError):
                        await client.post(path, content=body, headers=headers)
        process.signal(signal.SIGTERM)
        await process.event("service.stopped")

    assert process.lines
    assert SECRET not in json.dumps(process.lines)


async def test_who_sends_slowly_makes_nobody_else_wait_and_is_not_waited_for() -> None:
    async with running(port=0, request_timeout=0.5) as process:
        listening = await process.event("service.listening")
        host, port = str(listening["address"]).split(":")
        slow = [await asyncio.open_connection(host, int(port)) for _ in range(50)]
        for _, writer in slow:
            writer.write(b"POST /access/v1/evaluation HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: 100\r\n\r\n{")
        async with client_at(listening) as client:
            answered = [(await client.post("/access/v1/evaluation", json=document())).json() for _ in range(20)]

        async with asyncio.timeout(20):
            heads = [await reader.readuntil(b"\r\n") for reader, _ in slow]
        for _, writer in slow:
            writer.close()

    assert all(answer["decision"] for answer in answered)
    assert heads == [b"HTTP/1.1 408 Request Timeout\r\n"] * 50
