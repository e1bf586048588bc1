"""The search and the filtered listing over the store in memory: what is answered, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.service.app import service_app
from aeterna.service.caller import Caller, TenantId
from aeterna.service.settings import ServiceSettings
from aeterna.service.testing import FakeDecisionPoint, FakeTokenVerifier
from aeterna.threads.api.problem import STATUSES
from aeterna.threads.api.routes import router
from aeterna.threads.api.search_routes import router as search_router
from aeterna.threads.testing import FakeThreadStore
from aeterna.threads.testing.search import FakeThreadListing, FakeThreadSearch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio

THREADS = "/api/v1/threads"


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of a tenant with two threads, each with one message."""
    store = FakeThreadStore()
    ada = Caller(tenant=TenantId("acme"), subject="ada", kind="User", roles=frozenset({"writer"}), token_id=None)
    app = service_app(
        name="threads",
        version="0",
        settings=ServiceSettings(port=0, issuer="i", jwks="/none", policy_url="http://policy.test"),
        verifier=FakeTokenVerifier({"a": ada}),
        decisions=FakeDecisionPoint(allow=lambda who, action, _: action.startswith("threads.") and bool(who.roles)),
        checks={"database": store.check},
        problems=STATUSES,
        routers=[search_router, router],
    )
    app.state.store = store
    app.state.search = FakeThreadSearch(store)
    app.state.listing = FakeThreadListing(store)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://threads.test", headers={"Authorization": "Bearer a"}
    ) as http:
        for thread in ("t-1", "t-2"):
            await http.post(THREADS, json={"thread_id": thread, "metadata": {"team": thread}})
            message = {"message_id": "m", "role": "user", "parts": ["the ledger"]}
            await http.post(f"{THREADS}/{thread}/messages", json=message)
        yield http


async def test_a_cursor_leads_to_the_next_hit_and_then_to_none(client: httpx.AsyncClient) -> None:
    asked = {"q": "ledger", "limit": "1"}
    first = (await client.get(f"{THREADS}/search", params=asked)).json()
    second = (await client.get(f"{THREADS}/search", params=asked | {"cursor": first["next_cursor"]})).json()

    assert [hit["thread_id"] for hit in first["hits"] + second["hits"]] == ["t-2", "t-1"]
    assert second["next_cursor"] is None


async def test_a_cursor_of_another_search_is_refused(client: httpx.AsyncClient) -> None:
    first = (await client.get(f"{THREADS}/search", params={"q": "ledger", "limit": "1"})).json()

    answer = await client.get(f"{THREADS}/search", params={"q": "the", "cursor": first["next_cursor"]})

    assert (answer.status_code, answer.json()["code"]) == (400, "threads.invalid_cursor")


@pytest.mark.parametrize("path", ["", "/search"])
async def test_a_parameter_that_nobody_knows_is_refused(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"{THREADS}{path}", params={"q": "ledger", "creator": "ada"})

    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


@pytest.mark.parametrize(
    "asked",
    [{"q": "-ledger"}, {"q": "word " * 10_000}, {"q": "\x00"}, {"q": ""}],
    ids=["only what is left out", "too long", "no text", "nothing"],
)
async def test_a_search_for_nothing_or_too_much_is_refused(client: httpx.AsyncClient, asked: dict[str, str]) -> None:
    answer = await client.get(f"{THREADS}/search", params=asked)

    assert (answer.status_code, answer.json()["code"]) == (422, "threads.search_invalid")


@pytest.mark.parametrize(
    "asked",
    [{"metadata": "team"}, {"title": "\x00"}, {"created_since": "2026-01-01T00:00:00"}, {"created_by": "x" * 256}],
    ids=["no value", "no text", "no zone", "too long"],
)
async def test_a_filter_that_is_none_is_refused(client: httpx.AsyncClient, asked: dict[str, str]) -> None:
    assert (await client.get(THREADS, params=asked)).status_code == 422


async def test_a_filter_is_answered_with_what_fits(client: httpx.AsyncClient) -> None:
    answer = (await client.get(THREADS, params={"metadata": "team=t-1", "created_by": "ada"})).json()

    assert [thread["thread_id"] for thread in answer["threads"]] == ["t-1"]
    assert answer["next_cursor"] is None
