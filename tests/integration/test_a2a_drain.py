"""A process of an agent that is asked to stop hands its conversations over, and clients go on elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import httpx
import pytest

from fixtures.a2a_faults import FAULTS
from fixtures.a2a_raw import call
from fixtures.a2a_served import BINDINGS
from fixtures.fix_threads import ServiceProcess
from fixtures.storm_agent import LAST, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from aeterna.service.testing import SigningKey
    from fixtures.a2a_faults import Fault
    from fixtures.a2a_raw import Answer
    from fixtures.a2a_served import Binding, Served

pytestmark = pytest.mark.slow

PROGRAM: Final = Path(__file__).parent.parent / "fixtures" / "storm_agent.py"
# What only the store can say; everything else is the kit's, whose tests are quicker.
STORE_SAYS: Final = {
    "unknown-task",
    "unknown-push-configuration",
    "cancel-after-the-end",
    "message-after-the-end",
    "message-id-reused",
    "page-token",
    "last-event-id-ahead",
}


@pytest.fixture
def start_agent(
    start_threads: Callable[..., ServiceProcess],
    threads_environment: dict[str, str],
    signing_key: SigningKey,
    tmp_path: Path,
) -> Generator[Callable[..., ServiceProcess]]:
    """Return what starts another process of one agent, on a thread store that all of them share."""
    token = tmp_path / "agent.token"
    token.write_text(signing_key.token("acme", subject="teller", roles=["runner"], kind="agent", exp=2**33))
    shared = {key: threads_environment[f"AETERNA_THREADS_{key}"] for key in ("ISSUER", "JWKS", "POLICY_URL")}
    environment = {f"AETERNA_AGENT_{key}": value for key, value in shared.items()} | {
        "AETERNA_AGENT_PORT": "0",
        "AETERNA_AGENT_THREADS_URL": start_threads().url,
        "AETERNA_AGENT_TOKEN_FILE": str(token),
        "AETERNA_AGENT_DRAIN_TIMEOUT": "1",
    }
    started: list[ServiceProcess] = []

    def start(pause: float, **changes: str) -> ServiceProcess:
        program = [str(PROGRAM), str(tmp_path / "journal"), str(pause)]
        process = ServiceProcess("storm_agent", environment | changes, program=program, port="AETERNA_AGENT_PORT")
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


def test_a_stream_that_sigterm_ended_goes_on_with_another_process_without_a_gap(
    start_agent: Callable[..., ServiceProcess], signing_key: SigningKey
) -> None:
    first, second = start_agent(0.2), start_agent(0.2)
    headers = {"Authorization": f"Bearer {signing_key.token('acme', subject='ada')}", "A2A-Version": "1.0"}
    parts = [{"text": LAST}]
    body = {"message": {"messageId": "m-1", "role": "ROLE_USER", "parts": parts}}

    with httpx.Client(headers=headers, timeout=30) as client:
        with client.stream("POST", f"{first.url}/message:stream", json=body) as stream:
            lines = stream.iter_lines()
            before = [next(line for line in lines if "artifactUpdate" in line)]
            first.process.send_signal(signal.SIGTERM)
            before += [*lines]
        status = first.process.wait(timeout=20)
        told = [line for line in before if line.startswith("data: ")]
        seen = max(int(line[4:]) for line in ["id: 0", *before] if line.startswith("id: "))
        resumed = {"Last-Event-ID": str(seen)}
        after = client.post(f"{second.url}/message:stream", json=body, headers=resumed).text.splitlines()

    assert status == 0
    assert not any(line.startswith("event: error") for line in [*before, *after])
    assert min(int(line[4:]) for line in after if line.startswith("id: ")) > seen
    said = _said([*told, *(line for line in after if line.startswith("data: "))])
    expected = words_of(LAST)
    assert said == [*expected[:5], "tool of m-1; ", *expected[5:]]
    assert "TASK_STATE_COMPLETED" in after[-2]


def test_the_real_store_answers_what_the_protocol_asks(
    start_agent: Callable[..., ServiceProcess], signing_key: SigningKey
) -> None:
    """The kit's own tests run on a store in memory; this holds the two to the same answers."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    process = start_agent(0, AETERNA_AGENT_GRPC_PORT=str(port))
    faults = [fault for fault in FAULTS if fault.name in STORE_SAYS]

    told = asyncio.run(_told(process, port, faults, signing_key.token("acme", subject="ada")))

    assert told == {(fault.name, binding): fault.expected.of(binding) for fault in faults for binding in BINDINGS}


async def _told(process: ServiceProcess, port: int, faults: list[Fault], token: str) -> dict[tuple[str, Binding], str]:
    async with httpx.AsyncClient(base_url=process.url, timeout=30) as http:
        agent = cast("Served", SimpleNamespace(http=http, grpc_address=f"127.0.0.1:{port}"))
        return {
            (fault.name, binding): _outcome(await _committed(agent, binding, fault, token), binding)
            for fault in faults
            for binding in BINDINGS
        }


async def _committed(agent: Served, binding: Binding, fault: Fault, token: str) -> Answer:
    headers = {"A2A-Version": "1.0", "Authorization": f"Bearer {token}"}
    before = f"{fault.name}-{binding}"
    task = ""
    if fault.before is not None:
        text = LAST if fault.before == "go" else fault.before
        message = {"messageId": before, "role": "ROLE_USER", "parts": [{"text": text}]}
        begun = await call(agent, "rest", "SendMessage", {"message": message}, headers)
        task = begun.results[0]["task"]["id"]
    params: dict[str, Any] = json.loads(
        json.dumps(fault.params).replace("{task}", task).replace('"before"', f'"{before}"')
    )
    return await call(agent, binding, fault.method, params, {**headers, **fault.headers})


def _outcome(answer: Answer, binding: Binding) -> str:
    return f"{answer.outcome} {answer.reason}" if binding == "rest" else answer.outcome


def _said(data: list[str]) -> list[str]:
    """Return the texts of the artifact's pieces, each as often as it was told."""
    events = [json.loads(line[6:]) for line in data]
    return [
        part["text"]
        for event in events
        if "artifactUpdate" in event
        for part in event["artifactUpdate"]["artifact"]["parts"]
    ]
