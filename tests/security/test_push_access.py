"""Who may register receivers and who may touch dead letters: every route, every kind of caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_tasks import PostgresTaskLog
from fixtures.pushed_tasks import AGENT, OWNER, begin_task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aeterna.service.testing import SigningKey
    from fixtures.fix_threads import ServiceProcess

pytestmark = pytest.mark.anyio

CALLERS: dict[str, dict[str, Any] | None] = {
    "the agent": {"tenant": "acme", "subject": AGENT, "roles": ["runner"], "kind": "agent"},
    "another agent": {"tenant": "acme", "subject": "other", "roles": ["runner"], "kind": "agent"},
    "the same name in another tenant": {"tenant": "other", "subject": AGENT, "roles": ["runner"], "kind": "agent"},
    "a person with the agent's role": {"tenant": "acme", "subject": AGENT, "roles": ["runner"], "kind": "user"},
    "a writer": {"tenant": "acme", "subject": OWNER, "roles": ["writer"], "kind": "user"},
    "an administrator": {"tenant": "acme", "subject": "root", "roles": ["admin"], "kind": "user"},
    "nobody": None,
}
PUSH = "/api/v1/tasks/task-1/push"
CONFIG = {"owner": OWNER, "url": "https://8.8.8.8/hook"}
ROUTES: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "register": ("PUT", f"{PUSH}/phone", CONFIG),
    "register for another owner": ("PUT", f"{PUSH}/phone", CONFIG | {"owner": "eve"}),
    "list": ("GET", f"{PUSH}?owner={OWNER}", None),
    "delete": ("DELETE", f"{PUSH}/none?owner={OWNER}", None),
    "letters": ("GET", "/api/v1/dead-letters", None),
    "letter": ("GET", "/api/v1/dead-letters/1", None),
    "replay": ("POST", "/api/v1/dead-letters/1/replay", None),
    "replay all": ("POST", "/api/v1/dead-letters/replay", {}),
    "discard": ("DELETE", "/api/v1/dead-letters/1", None),
    "discard all": ("POST", "/api/v1/dead-letters/discard", {}),
    "keys": ("GET", "/.well-known/jwks.json", None),
}
EXPECTED = {
    # register, for another owner, list, delete; letters, letter, replay, replay all, discard, discard all; keys
    "the agent": [200, 404, 200, 204, 403, 403, 403, 403, 403, 403, 200],
    # What is not theirs is not there.
    "another agent": [404, 404, 404, 204, 403, 403, 403, 403, 403, 403, 200],
    "the same name in another tenant": [404, 404, 404, 204, 403, 403, 403, 403, 403, 403, 200],
    "a person with the agent's role": [403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 200],
    "a writer": [403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 200],
    # There is no letter 1.
    "an administrator": [403, 403, 403, 403, 200, 404, 404, 200, 404, 200, 200],
    "nobody": [401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 200],
}


async def test_each_route_is_for_those_it_is_for(
    database: str,
    push_keys: Mapping[str, str],
    start_threads: Callable[..., ServiceProcess],
    signing_key: SigningKey,
) -> None:
    async with connection_pool(database, Limits(), DATABASE.names) as pool:
        await begin_task(PostgresTaskLog(pool), "task-1")
    service = start_threads(**push_keys)

    answered = statuses(service, signing_key)

    assert answered == EXPECTED


def statuses(service: ServiceProcess, signing_key: SigningKey) -> dict[str, list[int]]:
    """Return what each caller is answered on each route."""
    answered: dict[str, list[int]] = {}
    with httpx.Client(base_url=service.url, trust_env=False, timeout=20) as client:
        for who, claims in CALLERS.items():
            headers = {} if claims is None else {"Authorization": f"Bearer {signing_key.token(**claims)}"}
            answered[who] = [
                client.request(method, path, json=body, headers=headers).status_code
                for method, path, body in ROUTES.values()
            ]
    return answered
