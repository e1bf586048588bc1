"""The routes of tasks over the log in memory: what is answered, and what one bad write does to its neighbours."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import httpx
import pytest

from aeterna.service.app import service_app
from aeterna.service.caller import Caller, TenantId
from aeterna.service.settings import ServiceSettings
from aeterna.service.testing import FakeDecisionPoint, FakeTokenVerifier
from aeterna.threads.api.problem import STATUSES
from aeterna.threads.api.streams import StreamLimits
from aeterna.threads.api.task_answers import RowsBody, TasksBody, TaskViewBody, WritesBody
from aeterna.threads.api.task_routes import router
from aeterna.threads.api.wake_streams import WakeStreams
from aeterna.threads.testing import FakeTaskLog, FakeWakes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio

TASKS = "/api/v1/tasks"
WRITES = f"{TASKS}/writes"
OWNER = {"owner": "ada"}


def agent(tenant: str = "acme", subject: str = "billing", kind: Literal["Agent", "User"] = "Agent") -> Caller:
    """Return an agent of a tenant."""
    return Caller(tenant=TenantId(tenant), subject=subject, kind=kind, roles=frozenset({"runner"}), token_id=None)


CALLERS = {
    "acme": agent(),
    "other": agent("other"),
    "rival": agent(subject="sales"),
    "person": agent(subject="ada", kind="User"),
}


def begun(task_id: str = "task-1", **more: object) -> dict[str, Any]:
    """Return a first write: a message of the user that waits."""
    return {
        "task_id": task_id,
        "owner": "ada",
        "write_id": f"w-{task_id}",
        "rows": [
            {
                "kind": "message",
                "author": "ada",
                "said": True,
                "message_id": "m-1",
                "role": "user",
                "parts": ["hello", {"kind": "raw", "raw": "AAE=", "media_type": "image/png", "filename": "a.png"}],
            }
        ],
        "creation": {"context_id": "c-1"},
        "waiting": True,
        **more,
    }


def told(task_id: str = "task-1", version: int = 1, **more: object) -> dict[str, Any]:
    """Return a write of a status."""
    status = {"state": "TASK_STATE_WORKING", "message": {"parts": [{"text": "at it"}]}}
    return {
        "task_id": task_id,
        "owner": "ada",
        "write_id": f"s-{task_id}-{version}",
        "rows": [
            {"kind": "status", "author": "billing", "streamed": True, "said": True, "payload": {"status": status}}
        ],
        "expected_version": version,
        "state": "TASK_STATE_WORKING",
        "status": status,
        **more,
    }


@pytest.fixture
def log() -> FakeTaskLog:
    """Return the log behind the API."""
    return FakeTaskLog()


@pytest.fixture
async def client(log: FakeTaskLog) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the agent billing of the tenant acme."""
    app = service_app(
        name="threads",
        version="1",
        settings=ServiceSettings(port=0, issuer="i", jwks="/none", policy_url="http://policy.test"),
        verifier=FakeTokenVerifier(CALLERS),
        decisions=FakeDecisionPoint(allow=lambda who, action, _: action == "threads.run" and bool(who.roles)),
        checks={},
        problems=STATUSES,
        routers=[router],
    )
    app.state.tasks = log
    app.state.wake_streams = WakeStreams(FakeWakes(), StreamLimits(heartbeat=timedelta(milliseconds=1), most=1))
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": "Bearer acme"}
    async with httpx.AsyncClient(transport=transport, base_url="http://threads", headers=headers) as made:
        yield made


async def write(client: httpx.AsyncClient, *writes: object) -> list[dict[str, Any]]:
    """Send the writes and return their results."""
    answer = await client.post(WRITES, json={"writes": writes})
    assert answer.status_code == 200, answer.text
    WritesBody.model_validate_json(answer.content)
    return answer.json()["results"]


async def test_a_task_is_written_and_read_back(client: httpx.AsyncClient) -> None:
    written = await write(client, begun())

    answer = await client.get(f"{TASKS}/task-1", params=OWNER)

    assert written == [{"version": 1, "created": True, "repeated": False, "epoch": None}]
    body = TaskViewBody.model_validate_json(answer.content)
    assert (body.task.version, body.task.waiting, body.task.agent) == (1, True, "billing")
    assert answer.json()["rows"][0]["parts"] == [
        {"kind": "text", "text": "hello"},
        {"kind": "raw", "raw": "AAE=", "media_type": "image/png", "filename": "a.png"},
    ]


async def test_the_listing_and_the_rows_are_of_the_documented_form(client: httpx.AsyncClient) -> None:
    await write(client, begun())
    await write(client, told())

    listed = TasksBody.model_validate_json((await client.get(TASKS, params=OWNER)).content)
    rows = RowsBody.model_validate_json(
        (await client.get(f"{TASKS}/task-1/rows", params={**OWNER, "after": 1})).content
    )

    assert ([task.task_id for task in listed.tasks], listed.total, listed.next_cursor) == (["task-1"], 1, None)
    assert ([row.seq for row in rows.rows], rows.version, rows.state) == ([2], 2, "TASK_STATE_WORKING")


async def test_a_listing_goes_on_with_its_cursor(client: httpx.AsyncClient) -> None:
    for n in range(3):
        await write(client, begun(f"task-{n}"))
        await write(client, told(f"task-{n}"))

    first = (await client.get(TASKS, params={**OWNER, "limit": 2})).json()
    second = (await client.get(TASKS, params={**OWNER, "limit": 2, "cursor": first["next_cursor"]})).json()

    assert [task["task_id"] for task in first["tasks"] + second["tasks"]] == ["task-2", "task-1", "task-0"]
    assert second["next_cursor"] is None


async def test_cancelling_ends_the_task(client: httpx.AsyncClient) -> None:
    await write(client, begun())

    answer = await client.post(f"{TASKS}/task-1/cancel", json={**OWNER, "status": {"state": "TASK_STATE_CANCELED"}})
    again = await client.post(f"{TASKS}/task-1/cancel", json={**OWNER, "status": {"state": "TASK_STATE_CANCELED"}})

    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert (again.status_code, again.json()["code"]) == (409, "threads.task_ended")


DEEP: Any = json.loads("[" * 40 + "1" + "]" * 40)


def holding(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a row of a status."""
    return {"kind": "status", "author": "b", "payload": payload}


@pytest.mark.parametrize(
    "bad",
    [
        told(version=0, rows=[holding({"deep": DEEP})]),
        told(version=0, rows=[holding({"text": "a\0b"})]),
        told(version=0, rows=[holding({"\0": 1})]),
        told(version=0, status={"text": "a\0b"}),
        told(version=0, rows=[{**holding({}), "kind": "gossip"}]),
        told(version=0, rows=[{"kind": "status", "author": "b"}]),
        told(version=0, rows=[{**holding({}), "kind": "artifact"}]),
        told(version=0, rows=[{**holding({}), "kind": "message"}]),
        begun("x", rows=[{**begun()["rows"][0], "parts": [{"kind": "raw", "raw": "not base64"}]}]),
        begun("x", rows=[{**begun()["rows"][0], "parts": [{"kind": "smell"}]}]),
        told("../../etc/passwd"),
        told(version=-1),
        told(version=2**63),
        told(epoch="1; DROP TABLE threads"),
        {**told(), "expected_version": None},
        begun("x", unknown=1),
        begun("x", owner=""),
        begun("x", creation={"context_id": "c", "ttl_seconds": -1}),
        "not an object",
        None,
    ],
)
async def test_a_write_that_cannot_be_read_leaves_its_neighbours_alone(client: httpx.AsyncClient, bad: object) -> None:
    first, refused, last = await write(client, begun("task-a"), bad, begun("task-b"))

    assert (first["created"], last["created"]) == (True, True)
    assert refused["problem"]["code"] == "threads.invalid_write"


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b'"\\ud800"', b"1" * 5000], ids=lambda text: text[:12]
)
async def test_what_is_no_json_that_others_can_read_is_refused(client: httpx.AsyncClient, number: bytes) -> None:
    text = json.dumps({"writes": [told(version=0, creation={"context_id": "c"}, metadata={"x": 42421})]}).encode()

    answer = await client.post(WRITES, content=text.replace(b"42421", number))

    codes = [answer.json().get("code"), *(each["problem"]["code"] for each in answer.json().get("results", ()))]
    assert codes[-1] in {"threads.invalid_write", "request.malformed"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b"[]", 422),
        (b'{"writes":[]}', 422),
        (b'{"writes":{}}', 422),
        (b'{"writes":[' + b"1," * 256 + b"1]}", 422),
        (b'{"writes":[1],"more":1}', 422),
        (b"\xff\xfe", 400),
    ],
)
async def test_a_request_that_is_none_is_a_problem(client: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await client.post(WRITES, content=body)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


async def test_two_writes_of_one_task_do_not_come_in_one_request(client: httpx.AsyncClient) -> None:
    first, second = await write(client, begun(), begun())

    assert (first["created"], second["problem"]["code"]) == (True, "threads.invalid_write")


async def test_a_store_that_is_away_is_said_once(client: httpx.AsyncClient, log: FakeTaskLog) -> None:
    log.available = False

    answer = await client.post(WRITES, json={"writes": [begun()]})

    assert (answer.status_code, answer.json()["code"]) == (503, "threads.unavailable")


REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", WRITES, {"json": {"writes": [told()]}}),
    ("POST", f"{TASKS}/task-1/cancel", {"json": {**OWNER, "status": {}}}),
    ("GET", f"{TASKS}/task-1", {"params": OWNER}),
    ("GET", f"{TASKS}/task-1/rows", {"params": OWNER}),
    ("GET", TASKS, {"params": OWNER}),
    ("GET", f"{TASKS}/wakes", {}),
]


@pytest.mark.parametrize(("method", "path", "content"), REQUESTS, ids=[f"{each[0]} {each[1]}" for each in REQUESTS])
async def test_only_agents_are_let_in(
    client: httpx.AsyncClient, method: str, path: str, content: dict[str, Any]
) -> None:
    person = await client.request(method, path, headers={"Authorization": "Bearer person"}, **content)
    nobody = await client.request(method, path, headers={"Authorization": "Bearer nobody"}, **content)

    assert (person.status_code, nobody.status_code) == (403, 401)


@pytest.mark.parametrize("who", ["other", "rival"])
@pytest.mark.parametrize("owner", ["ada", "mallory"])
async def test_the_task_of_another_is_as_if_it_were_not(client: httpx.AsyncClient, who: str, owner: str) -> None:
    await write(client, begun())
    headers = {"Authorization": f"Bearer {who}"}

    writes = [{**told(), "owner": owner}]
    (result,) = (await client.post(WRITES, json={"writes": writes}, headers=headers)).json()["results"]
    cancelled = await client.post(f"{TASKS}/task-1/cancel", json={"owner": owner, "status": {}}, headers=headers)
    reads = [
        await client.get(f"{TASKS}/task-1{end}", params={"owner": owner}, headers=headers) for end in ("", "/rows")
    ]
    listed = await client.get(TASKS, params={"owner": owner}, headers=headers)

    assert result["problem"]["code"] == "threads.task_not_found"
    assert {answer.json()["code"] for answer in (cancelled, *reads)} == {"threads.task_not_found"}
    assert listed.json()["total"] == 0


@pytest.mark.parametrize("task_id", ["%2e%2e", "a%00b", "x" * 256, "%F0%9F%99%82"])
async def test_a_malformed_id_names_no_task(client: httpx.AsyncClient, task_id: str) -> None:
    answer = await client.get(f"{TASKS}/{task_id}", params=OWNER)

    assert answer.status_code == 404
