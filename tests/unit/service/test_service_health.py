"""Alive, ready, healthy: three questions with three answers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from aeterna.service.errors import DecisionUnavailableError, NotReadyError
from aeterna.service.health import Health
from aeterna.service.lifecycle import Drain

if TYPE_CHECKING:
    from aeterna.service.asgi import Receive, Scope, Send
    from aeterna.service.health import Check

pytestmark = pytest.mark.anyio


async def beyond(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Stand for the application behind the probes."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def fine() -> None:
    """Succeed."""


async def refusing() -> None:
    """Fail as our own adapters do."""
    raise DecisionUnavailableError("the decision point does not answer")


async def failing() -> None:
    """Fail as a driver might."""
    raise ConnectionError("postgresql://ada:s3cret@db/threads")


async def hanging() -> None:
    """Never come back."""
    await asyncio.Event().wait()


def probe(drain: Drain | None = None, **checks: Check) -> httpx.AsyncClient:
    """Return a client of the probes with the given checks."""
    health = Health(
        beyond,
        name="shelf",
        version="1.2.3",
        checks=checks,
        drain=drain or Drain(),
        registry=CollectorRegistry(),
        timeout=timedelta(seconds=0.02),
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(health), base_url="http://shelf")


async def test_a_process_with_a_lost_neighbour_is_alive_and_not_ready() -> None:
    """Restarting it would not bring the neighbour back."""
    async with probe(policy=refusing, table=fine) as client:
        live, ready = await client.get("/live"), await client.get("/ready")

    assert (live.status_code, ready.status_code) == (200, 503)
    assert ready.json() == {"status": "unavailable", "failed": ["policy"]}


async def test_health_tells_what_failed_and_never_with_which_words() -> None:
    async with probe(policy=refusing, database=failing, disk=hanging) as client:
        with capture_logs():
            answer = await client.get("/health")

    checks = answer.json()["checks"]
    assert {name: check["reason"] for name, check in checks.items()} == {
        "policy": "policy.unavailable",
        "database": "ConnectionError",
        "disk": "timeout",
    }
    assert "s3cret" not in answer.text


async def test_a_draining_process_is_not_ready_and_still_healthy() -> None:
    drain = Drain()
    drain.begin()
    async with probe(drain, table=fine) as client:
        ready, health = await client.get("/ready"), await client.get("/health")

    assert (ready.status_code, ready.json()["status"]) == (503, "draining")
    assert (health.status_code, health.json()["draining"]) == (200, True)


async def test_probes_that_arrive_together_share_one_check() -> None:
    """Or whoever may probe could use us to load the database."""
    runs = 0

    async def counted() -> None:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0)

    async with probe(database=counted) as client:
        answers = await asyncio.gather(*(client.get("/ready") for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert runs == 1


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/ready"), ("GET", "/ready/")])
async def test_everything_else_is_passed_on(method: str, path: str) -> None:
    async with probe() as client:
        answer = await client.request(method, path)

    assert answer.status_code == 418


async def test_someone_who_waits_for_the_drain_is_told() -> None:
    drain = Drain()
    waiting = asyncio.create_task(drain.wait())
    drain.begin()

    await asyncio.wait_for(waiting, 1)

    assert drain.requested


async def test_a_check_may_say_in_public_words_why_the_process_is_not_ready() -> None:
    async def lagging() -> None:
        raise NotReadyError({"behind_seconds": 12.5, "cause": "graph.storage_unavailable"})

    async with probe(replica=lagging) as client:
        told = (await client.get("/health")).json()["checks"]["replica"]

    assert told["reason"] == "service.not_ready"
    assert told["why"] == {"behind_seconds": 12.5, "cause": "graph.storage_unavailable"}
