"""A sidecar on a Unix socket shows the platform its probes and its metrics on a port, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import ssl
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from fixtures.fix_policy import document
from fixtures.serving_pair import MountedSecret, TestAuthority

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def started(settings: Mapping[str, str], event: str) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """Start a sidecar, and yield it with the address that an event of its log tells."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AETERNA_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "aeterna.policy"), env=inherited | dict(settings), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(30):
            async for line in process.stderr:
                logged = json.loads(line)
                if logged["event"] == event:
                    yield process, f"http://{logged['address']}"
                    break
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def running(tmp_path: Path, workers: int) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """Start a sidecar on a socket, and yield it with the address of its probes."""
    own = {"socket": tmp_path / "policy.sock", "workers": workers, "health_port": 0, "drain_delay": 60}
    environment = {f"AETERNA_POLICY_{name.upper()}": str(value) for name, value in own.items()}
    async with started(environment, "service.listening_beside") as found:
        yield found


def asking(address: str) -> httpx.AsyncClient:
    """Return a client of the probes."""
    return httpx.AsyncClient(base_url=address, trust_env=False)


async def until(client: httpx.AsyncClient, path: str, status: int) -> httpx.Response:
    """Return the answer with this status, once there is one."""
    async with asyncio.timeout(30):
        while (answer := await client.get(path)).status_code != status:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)
    return answer


@pytest.mark.parametrize("workers", [1, 2])
async def test_probes_and_metrics_are_on_a_port_of_their_own_and_nothing_else_is(tmp_path: Path, workers: int) -> None:
    async with running(tmp_path, workers) as (process, address), asking(address) as client:
        await until(client, "/ready", 200)
        live, metrics = await client.get("/live"), await client.get("/metrics")
        asked = await client.post("/access/v1/evaluation", json=document())
        others = [(await client.get(path)).status_code for path in ("/health", "/", "/access/v1/epochs")]
        wrong = await client.post("/ready")
        process.send_signal(signal.SIGTERM)
        draining = await until(client, "/ready", 503)

    assert live.status_code == 200
    assert "aeterna_policy_decisions_total" in metrics.text
    assert (asked.status_code, others, wrong.status_code) == (404, [404, 404, 404], 405)
    assert draining.json() == {"status": "draining"}


async def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    async with running(tmp_path, 1) as (_, address):
        port = address.rpartition(":")[2]
        environment = os.environ | {"AETERNA_POLICY_PORT": "0", "AETERNA_POLICY_HEALTH_PORT": port}
        second = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "aeterna.policy"), env=environment, stderr=asyncio.subprocess.PIPE
        )
        _, told = await second.communicate()

    assert second.returncode == 1
    assert told.decode().splitlines()[-1].startswith(f"aeterna-policy: port {port} on 127.0.0.1 is in use")


async def test_a_sidecar_on_a_port_answers_questions_over_tls(tmp_path: Path) -> None:
    """Those that are answered as they are read, and those that go the usual way."""
    authority = TestAuthority()
    secret = MountedSecret(tmp_path / "tls")
    secret.put(*authority.pair())
    environment = {
        "AETERNA_POLICY_PORT": "0",
        "AETERNA_POLICY_TLS_CERTIFICATE_FILE": str(secret.certificate),
        "AETERNA_POLICY_TLS_KEY_FILE": str(secret.key),
    }
    trust = ssl.create_default_context(cadata=authority.pem().decode())
    async with started(environment, "service.listening") as (_, address):
        url = address.replace("http://127.0.0.1", "https://localhost")
        async with httpx.AsyncClient(base_url=url, verify=trust, trust_env=False) as client:
            direct = await client.post("/access/v1/evaluation", json=document())
            usual = await client.post("/access/v1/evaluations", json={"evaluations": [document()]})
            metadata = await client.get("/.well-known/authzen-configuration")

    assert (direct.json()["decision"], usual.json()["evaluations"][0]["decision"]) == (True, True)
    assert metadata.json()["policy_decision_point"].startswith("https://")
