"""Runners, leases, steps and the stuck view in the hands of somebody else: nothing is taken, told or broken.

The policy permits here whatever is asked, so that what refuses is the store itself.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import httpx
import pytest

from aeterna.service.app import service_app
from aeterna.service.caller import Caller, TenantId
from aeterna.service.settings import ServiceSettings
from aeterna.service.testing import FakeDecisionPoint, FakeTokenVerifier
from aeterna.threads.api.problem import STATUSES
from aeterna.threads.api.run_bodies import MAX_HELD
from aeterna.threads.api.run_routes import router
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.task import MAX_RESULT_BYTES
from fixtures.leased_tasks import MemoryStage, TaskDraft, postgres_stage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fixtures.leased_tasks import Stage

pytestmark = pytest.mark.anyio

API: Final = "http://threads.test/api/v1"
TASK, KEY = "task", "mail"
EXPECTED: Final = MappingProxyType({"task_id": TASK, "epoch": 1})


def caller(tenant: str, subject: str, kind: Literal["Agent", "User"] = "Agent") -> Caller:
    """Return somebody."""
    return Caller(
        tenant=TenantId(tenant), subject=subject, kind=kind, roles=frozenset({"admin", "runner"}), token_id=None
    )


CALLERS: Final = MappingProxyType(
    {
        "owner": caller("acme", "bot"),
        "other-agent": caller("acme", "other-bot"),
        "other-tenant": caller("other", "bot"),
        "person": caller("acme", "bot", "User"),
    }
)
STRANGERS: Final = ("other-agent", "other-tenant")


class Api:
    """The routes over a stage, called with the token of whoever is named."""

    def __init__(self, http: httpx.AsyncClient, stage: Stage) -> None:
        self.stage = stage
        self._http = http

    async def call(
        self, who: str, method: str, path: str, body: object = None, *, raw: bytes | None = None
    ) -> httpx.Response:
        """Send a request."""
        content = json.dumps(body).encode() if raw is None else raw
        headers = {"Authorization": f"Bearer {who}", "Content-Type": "application/json"}
        return await self._http.request(method, f"{API}{path}", headers=headers, content=content)

    async def leased(self) -> None:
        """Let the owner run the task under epoch 1, with a step begun."""
        await self.stage.put(TaskDraft(task_id=ThreadId(TASK)))
        await self.call("owner", "PUT", "/runners/r-1", {"ttl_seconds": 60})
        claimed = await self.call("owner", "POST", "/runners/r-1/claims", {"limit": 1})
        assert claimed.json()["leases"][0].items() >= EXPECTED.items()
        assert (await self.begin("owner")).status_code == 200

    async def begin(self, who: str, epoch: object = 1) -> httpx.Response:
        """Begin the step."""
        return await self.call(who, "PUT", f"/tasks/{TASK}/steps/{KEY}", {"epoch": epoch, "fingerprint": "a"})


@asynccontextmanager
async def served(stage: Stage) -> AsyncGenerator[Api]:
    """Return the API over a stage."""
    app = service_app(
        name="threads",
        version="0",
        settings=ServiceSettings(port=0, issuer="i", jwks="/none", policy_url="http://policy.test"),
        verifier=FakeTokenVerifier(CALLERS),
        decisions=FakeDecisionPoint(),
        checks={},
        problems=STATUSES,
        routers=[router],
    )
    app.state.runs, app.state.ledger = stage.runs, stage.ledger
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        yield Api(http, stage)


@pytest.fixture(params=["fake", "postgres"])
async def api(request: pytest.FixtureRequest) -> AsyncGenerator[Api]:
    """Return the API over each implementation, where the owner runs the task."""
    if request.param == "fake":
        async with served(MemoryStage()) as api:
            await api.leased()
            yield api
        return
    async with postgres_stage(request.getfixturevalue("database")) as stage, served(stage) as api:
        await api.leased()
        yield api


@pytest.mark.parametrize("who", STRANGERS)
async def test_a_strangers_runner_of_the_same_name_touches_no_lease(api: Api, who: str) -> None:
    """The name of a runner is no secret; it means something only together with tenant and agent."""
    await api.call(who, "PUT", "/runners/r-1", {"ttl_seconds": 60})
    stolen = [
        await api.call(who, "POST", "/runners/r-1/claims", {"limit": 256, "held": held}) for held in (None, [], [TASK])
    ]
    await api.call(who, "DELETE", "/runners/r-1")

    assert [answer.json() for answer in stolen] == [{"leases": []}] * 3
    assert (await api.stage.standing(ThreadId(TASK))).runner == "r-1"


@pytest.mark.parametrize("who", STRANGERS)
async def test_a_stranger_who_knows_id_and_epoch_is_told_that_there_is_no_task(api: Api, who: str) -> None:
    known = await api.begin(who)
    guessed = await api.call(who, "PUT", f"/tasks/nowhere/steps/{KEY}", {"epoch": 1, "fingerprint": "a"})
    finished = await api.call(who, "PUT", f"/tasks/{TASK}/steps/{KEY}/result", {"epoch": 1, "result": "mine"})

    assert (known.status_code, finished.status_code) == (404, 404)
    assert known.json()["code"] == guessed.json()["code"] == "threads.task_not_found"
    assert known.json().keys() == guessed.json().keys()
    assert (await api.begin("owner")).json()["finished"] is False


@pytest.mark.parametrize("who", STRANGERS)
async def test_a_stranger_releases_nothing(api: Api, who: str) -> None:
    answer = await api.call(who, "POST", f"/tasks/{TASK}/release", {"epoch": 1})

    assert answer.status_code == 204
    assert (await api.stage.standing(ThreadId(TASK))).runner == "r-1"


async def test_another_tenant_neither_sees_nor_frees_a_stuck_task(api: Api) -> None:
    await api.stage.die("r-1")

    seen = await api.call("other-tenant", "GET", "/leases/stuck")
    freed = await api.call("other-tenant", "POST", f"/leases/{TASK}/free")

    assert seen.json() == {"tasks": [], "next_cursor": None}
    assert (freed.status_code, freed.json()["code"]) == (404, "threads.task_not_found")
    assert (await api.stage.standing(ThreadId(TASK))).epoch == 1


async def test_a_cursor_of_one_tenant_shows_nothing_to_another(api: Api) -> None:
    await api.stage.die("r-1")
    await api.stage.put(TaskDraft(task_id=ThreadId("second"), waited_from=1))
    page = (await api.call("owner", "GET", "/leases/stuck?limit=1")).json()

    stolen = await api.call("other-tenant", "GET", f"/leases/stuck?cursor={page['next_cursor']}")
    own = await api.call("owner", "GET", f"/leases/stuck?cursor={page['next_cursor']}")

    assert stolen.json()["tasks"] == []
    assert [task["task_id"] for task in own.json()["tasks"]] == ["second"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/runners/r-1", {"ttl_seconds": 1}),
        ("DELETE", "/runners/r-1", None),
        ("POST", "/runners/r-1/claims", {"limit": 1}),
        ("POST", f"/tasks/{TASK}/release", {"epoch": 1}),
        ("PUT", f"/tasks/{TASK}/steps/{KEY}", {"epoch": 1, "fingerprint": "a"}),
        ("PUT", f"/tasks/{TASK}/steps/{KEY}/result", {"epoch": 1, "result": 1}),
    ],
)
async def test_a_person_runs_nothing_even_with_the_agents_name_and_every_permission(
    api: Api, method: str, path: str, body: object
) -> None:
    answer = await api.call("person", method, path, body)

    assert (answer.status_code, answer.json()["code"]) == (403, "policy.denied")
    assert (await api.stage.standing(ThreadId(TASK))).runner == "r-1"


@pytest.mark.parametrize(
    "task_id", ["%00", "a%2Fb", "%F0%9F%92%A5", "-dash", "a" * 256, "task%0A", "%2e%2e%2ftask", "task%27--"]
)
async def test_a_malformed_task_id_names_no_task(api: Api, task_id: str) -> None:
    answers = [
        await api.call("owner", "POST", f"/tasks/{task_id}/release", {"epoch": 1}),
        await api.call("owner", "PUT", f"/tasks/{task_id}/steps/{KEY}", {"epoch": 1, "fingerprint": "a"}),
        await api.call("owner", "POST", f"/leases/{task_id}/free"),
    ]

    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.parametrize("name", ["%00", "%F0%9F%92%A5", "-dash", "a" * 256, "a%0A", "a%27--"])
async def test_a_malformed_runner_or_key_is_refused(api: Api, name: str) -> None:
    answers = [
        await api.call("owner", "PUT", f"/runners/{name}", {"ttl_seconds": 1}),
        await api.call("owner", "POST", f"/runners/{name}/claims", {"limit": 1}),
        await api.call("owner", "PUT", f"/tasks/{TASK}/steps/{name}", {"epoch": 1, "fingerprint": "a"}),
    ]

    assert {answer.status_code for answer in answers} == {422}


@pytest.mark.parametrize("epoch", [0, -1, 2**63, 10**30, 1.5, "1", True, None, [1]], ids=repr)
async def test_an_epoch_that_no_lease_has_is_refused(api: Api, epoch: object) -> None:
    answers = [
        await api.begin("owner", epoch),
        await api.call("owner", "PUT", f"/tasks/{TASK}/steps/{KEY}/result", {"epoch": epoch, "result": 1}),
        await api.call("owner", "POST", f"/tasks/{TASK}/release", {"epoch": epoch}),
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert (await api.stage.standing(ThreadId(TASK))).runner == "r-1"


async def test_the_greatest_epoch_there_can_be_opens_nothing(api: Api) -> None:
    answer = await api.begin("owner", 2**63 - 1)

    assert (answer.status_code, answer.json()["code"]) == (409, "threads.lease_lost")


@pytest.mark.parametrize("ttl", [0, -1, 0.19, 60.1, 1e308, "2", None], ids=repr)
async def test_a_runner_lives_neither_for_ever_nor_for_no_time(api: Api, ttl: object) -> None:
    answer = await api.call("owner", "PUT", "/runners/r-2", {"ttl_seconds": ttl})

    # A number as a text is read as a number, as everywhere in the API; what counts is its size.
    assert answer.status_code == (204 if ttl == "2" else 422)


@pytest.mark.parametrize("raw", [b'{"ttl_seconds": NaN}', b'{"ttl_seconds": Infinity}', b"[]", b""])
async def test_what_is_no_sign_of_life_is_refused(api: Api, raw: bytes) -> None:
    answer = await api.call("owner", "PUT", "/runners/r-2", raw=raw)

    assert answer.status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"limit": 0}, id="nothing"),
        pytest.param({"limit": 257}, id="more than a claim gives"),
        pytest.param({"limit": 1, "held": ["a"] * (MAX_HELD + 1)}, id="holds too many"),
        pytest.param({"limit": 1, "held": ["a b"]}, id="holds what is no id"),
        pytest.param({"limit": 1, "tenant": "other"}, id="names a tenant"),
        pytest.param({"limit": 1, "agent": "other-bot"}, id="names an agent"),
    ],
)
async def test_a_claim_beyond_its_bounds_is_refused(api: Api, body: object) -> None:
    assert (await api.call("owner", "POST", "/runners/r-1/claims", body)).status_code == 422


def nested(depth: int) -> object:
    """Return lists in lists."""
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("result", "status"),
    [
        pytest.param("x" * MAX_RESULT_BYTES, 413, id="too large"),
        pytest.param(nested(40), 422, id="too deep"),
        pytest.param("\0", 422, id="what no text of PostgreSQL holds"),
        pytest.param({"\ud800": 1}, 422, id="half a character"),
    ],
)
async def test_a_result_that_cannot_be_kept_leaves_the_step_open(api: Api, result: object, status: int) -> None:
    # Escaped, since half a character has no bytes of its own.
    raw = json.dumps({"epoch": 1, "result": result}).encode()

    answer = await api.call("owner", "PUT", f"/tasks/{TASK}/steps/{KEY}/result", raw=raw)

    assert answer.status_code == status
    assert (await api.begin("owner")).json()["finished"] is False


@pytest.mark.parametrize("cursor", ["", "x", "W10", "bm90IGpzb24", "A" * 2000])
async def test_a_cursor_that_was_never_given_out_is_refused(api: Api, cursor: str) -> None:
    answer = await api.call("owner", "GET", f"/leases/stuck?cursor={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (400, "threads.invalid_cursor")
