"""The API over the store in memory: what is answered, with which status, and what is never done."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.service.app import service_app
from aeterna.service.caller import Caller, TenantId
from aeterna.service.settings import ServiceSettings
from aeterna.service.testing import FakeDecisionPoint, FakeTokenVerifier
from aeterna.threads.api.problem import STATUSES
from aeterna.threads.api.routes import router
from aeterna.threads.api.streams import StreamLimits, Streams
from aeterna.threads.domain.conversation import MAX_MESSAGE_BYTES
from aeterna.threads.testing import FakeThreadStore, FakeWakes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio

THREADS = "/api/v1/threads"
MESSAGES = f"{THREADS}/t-1/messages"


def caller(tenant: str) -> Caller:
    """Return somebody of a tenant."""
    return Caller(
        tenant=TenantId(tenant), subject=f"{tenant}-ada", kind="User", roles=frozenset({"writer"}), token_id=None
    )


def said(message_id: str = "m-1", text: str = "hello", **more: object) -> dict[str, object]:
    """Return the body of a message."""
    return {"message_id": message_id, "role": "user", "parts": [text], **more}


@pytest.fixture
def store() -> FakeThreadStore:
    """Return the store behind the API."""
    return FakeThreadStore()


@pytest.fixture
def decisions() -> FakeDecisionPoint:
    """Return a decision point that permits everything until told otherwise."""
    return FakeDecisionPoint(
        allow=lambda who, action, _: action in {"threads.read", "threads.write"} and bool(who.roles)
    )


@pytest.fixture
async def client(store: FakeThreadStore, decisions: FakeDecisionPoint) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the tenant acme."""
    app = service_app(
        name="threads",
        version="0",
        settings=ServiceSettings(port=0, issuer="i", jwks="/none", policy_url="http://policy.test"),
        verifier=FakeTokenVerifier({"a": caller("acme"), "o": caller("other")}),
        decisions=decisions,
        checks={"database": store.check},
        problems=STATUSES,
        routers=[router],
    )
    app.state.store = store
    app.state.streams = Streams(store, FakeWakes(), StreamLimits(lifetime=timedelta(microseconds=1), most=1))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://threads.test", headers={"Authorization": "Bearer a"}
    ) as http:
        yield http


@pytest.fixture
async def thread(client: httpx.AsyncClient) -> None:
    """Open the thread t-1."""
    await client.post(THREADS, json={"thread_id": "t-1"})


async def test_a_new_thread_is_201_and_a_known_one_200(client: httpx.AsyncClient) -> None:
    body = {"thread_id": "t-1", "title": "Ledger", "metadata": {"severity": 2}}

    first, again = [await client.post(THREADS, json=body) for _ in range(2)]

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == (await client.get(f"{THREADS}/t-1")).json()
    assert first.json() | {"created_at": None, "updated_at": None} == {
        **body,
        "created_by": "acme-ada",
        "created_at": None,
        "updated_at": None,
        "last_seq": 0,
        "version": 1,
        "expires_at": None,
    }


async def test_a_new_message_is_201_and_a_repeated_one_200(client: httpx.AsyncClient, thread: None) -> None:
    first, again = [await client.post(MESSAGES, json=said()) for _ in range(2)]

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["seq"] == 1


async def test_messages_come_page_by_page(client: httpx.AsyncClient, thread: None) -> None:
    for n in range(3):
        await client.post(MESSAGES, json=said(f"m-{n}"))

    pages = [(await client.get(MESSAGES, params={"limit": 2, "after_seq": after})).json() for after in (0, 2, 3)]

    assert [[message["seq"] for message in page["messages"]] for page in pages] == [[1, 2], [3], []]
    assert [page["next_after"] for page in pages] == [2, None, None]
    assert {page["last_seq"] for page in pages} == {3}


async def test_a_message_is_told_in_full(client: httpx.AsyncClient, thread: None) -> None:
    await client.post(MESSAGES, json=said(parts=["hi", {"kind": "data", "data": {"n": 1.0}}], metadata={"k": "v"}))

    (message,) = (await client.get(MESSAGES)).json()["messages"]

    assert message.pop("created_at").endswith("Z")
    assert message == {
        "seq": 1,
        "message_id": "m-1",
        "role": "user",
        "parts": [{"kind": "text", "text": "hi"}, {"kind": "data", "data": {"n": 1.0}}],
        "metadata": {"k": "v"},
        "author": "acme-ada",
    }


async def test_threads_come_page_by_page_until_there_are_no_more(client: httpx.AsyncClient) -> None:
    for n in range(5):
        await client.post(THREADS, json={"thread_id": f"t-{n}"})

    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get(THREADS, params={"limit": "2", **cursor})).json()
        seen += [thread["thread_id"] for thread in page["threads"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert seen == ["t-4", "t-3", "t-2", "t-1", "t-0"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", f"{THREADS}/nowhere", None, 404, "threads.thread_not_found"),
        ("GET", f"{THREADS}/nowhere/messages", None, 404, "threads.thread_not_found"),
        ("GET", f"{THREADS}/nowhere/events", None, 404, "threads.thread_not_found"),
        ("POST", f"{THREADS}/nowhere/messages", said(), 404, "threads.thread_not_found"),
        ("GET", f"{THREADS}/%00", None, 404, "threads.thread_not_found"),
        ("GET", f"{THREADS}/{'x' * 300}", None, 404, "threads.thread_not_found"),
        ("POST", THREADS, {"thread_id": "t-1", "title": "mine now"}, 409, "threads.thread_conflict"),
        ("POST", MESSAGES, said("m-0", "other words"), 409, "threads.message_conflict"),
        ("POST", MESSAGES, said(expected_seq=0), 409, "threads.sequence_conflict"),
        ("GET", f"{MESSAGES}?after_seq=2", None, 409, "threads.position_ahead"),
        ("GET", f"{THREADS}/t-1/events?after_seq=2", None, 409, "threads.position_ahead"),
        ("GET", f"{THREADS}?cursor=AAAA", None, 400, "threads.invalid_cursor"),
        ("POST", MESSAGES, said(text="x" * MAX_MESSAGE_BYTES), 413, "threads.message_too_large"),
        ("POST", MESSAGES, said(text="x" * 1024 * 1024), 413, "request.too_large"),
        ("POST", MESSAGES, said(parts=[]), 422, "request.invalid"),
        ("POST", MESSAGES, said(role="system"), 422, "request.invalid"),
        ("GET", f"{MESSAGES}?limit=0", None, 422, "request.invalid"),
        ("GET", f"{MESSAGES}?limit=501", None, 422, "request.invalid"),
        ("GET", f"{MESSAGES}?after_seq=-1", None, 422, "request.invalid"),
        ("GET", f"{MESSAGES}?after_seq={2**63}", None, 422, "request.invalid"),
    ],
)
async def test_a_refusal_is_a_problem_with_a_code(
    client: httpx.AsyncClient, thread: None, method: str, path: str, body: object, status: int, code: str
) -> None:
    await client.post(MESSAGES, json=said("m-0"))

    answer = await client.request(method, path, json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await client.get(f"{THREADS}/t-1")).json()["last_seq"] == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'{"thread_id": 1' + b"0" * 5000 + b"}", b"\xff\xfe"])
async def test_what_is_not_json_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post(THREADS, content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_position_that_is_no_number_is_refused(client: httpx.AsyncClient, thread: None) -> None:
    answer = await client.get(f"{THREADS}/t-1/events", headers={"Last-Event-ID": "seven"})

    assert answer.status_code == 422


EVERY_ROUTE = [
    ("POST", THREADS, "threads.write", "*"),
    ("GET", THREADS, "threads.read", "*"),
    ("GET", f"{THREADS}/t-1", "threads.read", "t-1"),
    ("POST", MESSAGES, "threads.write", "t-1"),
    ("GET", MESSAGES, "threads.read", "t-1"),
    ("GET", f"{THREADS}/t-1/events", "threads.read", "t-1"),
]


def test_the_table_of_routes_is_complete() -> None:
    routes = {
        (method, path.replace("{thread_id}", "t-1"))
        for route in router.routes
        for path in [getattr(route, "path", "")]
        for method in getattr(route, "methods", ())
    }

    assert routes == {(method, path) for method, path, _, _ in EVERY_ROUTE}


@pytest.mark.parametrize(("method", "path", "action", "thread_id"), EVERY_ROUTE)
async def test_every_route_asks_the_policy_first(
    client: httpx.AsyncClient,
    thread: None,
    decisions: FakeDecisionPoint,
    method: str,
    path: str,
    action: str,
    thread_id: str,
) -> None:
    decisions.asked.clear()

    await client.request(method, path, json=said())

    ((who, asked, resource),) = decisions.asked
    assert (who.tenant, asked) == ("acme", action)
    assert (resource.type, resource.id, resource.tenant) == ("Thread", thread_id, "acme")


@pytest.mark.parametrize(("method", "path", "action", "thread_id"), EVERY_ROUTE)
async def test_no_route_answers_without_a_token(
    client: httpx.AsyncClient, method: str, path: str, action: str, thread_id: str
) -> None:
    answer = await client.request(method, path, headers={"Authorization": ""}, json=said())

    assert (answer.status_code, answer.json()["code"]) == (401, "token.missing")


async def test_while_nobody_decides_nothing_is_written(
    client: httpx.AsyncClient, thread: None, decisions: FakeDecisionPoint, store: FakeThreadStore
) -> None:
    decisions.available = False

    answer = await client.post(MESSAGES, json=said())

    assert answer.status_code == 503
    decisions.available = True
    assert (await client.get(f"{THREADS}/t-1")).json()["last_seq"] == 0


async def test_a_lost_database_is_503_and_says_when_to_come_back(
    client: httpx.AsyncClient, thread: None, store: FakeThreadStore
) -> None:
    store.available = False

    answer = await client.post(MESSAGES, json=said())

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        503,
        "threads.unavailable",
        "1",
    )


async def test_another_tenant_sees_nothing_of_a_thread(client: httpx.AsyncClient, thread: None) -> None:
    other = {"Authorization": "Bearer o"}

    answers = [
        await client.get(f"{THREADS}/t-1", headers=other),
        await client.get(MESSAGES, headers=other),
        await client.get(f"{THREADS}/t-1/events", headers=other),
        await client.post(MESSAGES, headers=other, json=said()),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert (await client.get(THREADS, headers=other)).json()["threads"] == []


async def test_events_are_a_stream_that_proxies_leave_alone(client: httpx.AsyncClient, thread: None) -> None:
    answer = await client.get(f"{THREADS}/t-1/events")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
    assert answer.text.startswith("retry: 1000\n\n")


async def test_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    assert sorted(document["paths"]) == [
        THREADS,
        f"{THREADS}/{{thread_id}}",
        f"{THREADS}/{{thread_id}}/events",
        f"{THREADS}/{{thread_id}}/messages",
    ]
