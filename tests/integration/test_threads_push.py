"""Push notifications by the real service: told in order, signed, once or more, whatever dies in between."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING

import httpx
import jwt
import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_tasks import PostgresTaskLog
from fixtures.push_receiver import Answer, Received
from fixtures.pushed_tasks import AGENT, OWNER, begin_task, grow_task, status_row

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from aeterna.service.testing import SigningKey
    from fixtures.fix_threads import ServiceProcess
    from fixtures.push_receiver import Receiver

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tasks(database: str) -> AsyncGenerator[PostgresTaskLog]:
    """Return the log of the service's database, written from beside the service."""
    async with connection_pool(database, Limits(), DATABASE.names) as pool:
        yield PostgresTaskLog(pool)


@pytest.fixture
def agent_client(signing_key: SigningKey) -> Callable[[ServiceProcess], httpx.Client]:
    """Return what makes a client with an agent's token."""

    def make(process: ServiceProcess) -> httpx.Client:
        token = signing_key.token("acme", subject=AGENT, roles=("runner",), kind="agent")
        return httpx.Client(base_url=process.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False)

    return make


def texts(received: list[Received]) -> list[str]:
    """Return what was said, doubles left out by their id."""
    first = {one.identifier: one for one in received}
    return [one.content["statusUpdate"]["status"]["message"]["parts"][0]["text"] for one in first.values()]


async def test_a_receiver_is_told_of_each_row_in_order_and_signed(
    tasks: PostgresTaskLog,
    receivers: Callable[..., Receiver],
    push_keys: Mapping[str, str],
    start_threads: Callable[..., ServiceProcess],
    agent_client: Callable[[ServiceProcess], httpx.Client],
) -> None:
    receiver = receivers()
    service = start_threads(**push_keys, AETERNA_THREADS_PUSH_PRIVATE_HOSTS=json.dumps([receiver.place]))
    task = await begin_task(tasks, "task-1")
    with agent_client(service) as agent:
        body = {"owner": OWNER, "url": receiver.url(), "token": "t-1", "scheme": "Bearer", "credentials": "c-1"}
        kept = agent.put(f"/api/v1/tasks/{task}/push/phone", json=body)
        assert kept.status_code == 200, kept.text
        for number in range(5):
            await grow_task(tasks, task, status_row(f"step {number}"), at=number + 1)

        received = await asyncio.to_thread(receiver.wait_for, 5)

        keys = agent.get("/.well-known/jwks.json").json()
    assert texts(received) == [f"step {number}" for number in range(5)]
    first = received[0]
    assert first.content["statusUpdate"]["taskId"] == task
    assert first.headers["X-A2A-Notification-Token"] == "t-1"
    assert first.headers["Authorization"] == "Bearer c-1"
    claims = jwt.decode(
        first.headers["Aeterna-Signature"],
        jwt.PyJWK(keys["keys"][0]),
        algorithms=["EdDSA"],
        audience=receiver.url(),
        issuer="https://threads.test",
    )
    assert claims["request_body_sha256"] == hashlib.sha256(first.body).hexdigest()
