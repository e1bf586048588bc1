"""Erasures, holds and the audit over HTTP: who may, what is refused, and what is never said."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from aeterna.service.app import service_app
from aeterna.service.caller import Caller, TenantId
from aeterna.service.settings import ServiceSettings
from aeterna.service.testing import FakeDecisionPoint, FakeTokenVerifier
from aeterna.threads.api.problem import STATUSES
from aeterna.threads.api.retention_routes import router
from aeterna.threads.testing import FakeRetention

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio

API = "/api/v1"


class Nudged:
    """Counts how often a round of cleanup was asked for."""

    def __init__(self) -> None:
        self.count = 0

    def ordered(self) -> None:
        """Count one."""
        self.count += 1


def caller(tenant: str, role: str = "admin") -> Caller:
    """Return somebody of a tenant."""
    return Caller(tenant=TenantId(tenant), subject="officer", kind="User", roles=frozenset({role}), token_id=None)


@pytest.fixture
def cleanup() -> Nudged:
    """Return what the routes wake."""
    return Nudged()


@pytest.fixture
async def client(cleanup: Nudged) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of an administrator of the tenant acme; the token ``o`` is another tenant's, ``w`` a writer's."""
    app = service_app(
        name="threads",
        version="0",
        settings=ServiceSettings(port=0, issuer="i", jwks="/none", policy_url="http://policy.test"),
        verifier=FakeTokenVerifier({"a": caller("acme"), "o": caller("other"), "w": caller("acme", "writer")}),
        decisions=FakeDecisionPoint(allow=lambda who, action, _: action == "threads.erase" and "admin" in who.roles),
        checks={},
        problems=STATUSES,
        routers=[router],
    )
    app.state.retention = FakeRetention()
    app.state.cleanup = cleanup
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://threads.test", headers={"Authorization": "Bearer a"}
    ) as http:
        yield http


async def test_an_order_is_202_and_wakes_the_work(client: httpx.AsyncClient, cleanup: Nudged) -> None:
    answer = await client.post(f"{API}/erasures", json={"subject": "ada"})

    assert (answer.status_code, cleanup.count) == (202, 1)
    assert (answer.json()["state"], "ada" in answer.text) == ("pending", False)
    assert (await client.get(f"{API}/erasures/{answer.json()['erasure_id']}")).json() == answer.json()


async def test_the_same_order_twice_is_one_erasure(client: httpx.AsyncClient) -> None:
    order = {"thread_id": "t-1", "erasure_id": str(uuid.uuid4())}

    first, again = [await client.post(f"{API}/erasures", json=order) for _ in range(2)]

    assert first.json() == again.json()
    assert len((await client.get(f"{API}/erasures")).json()["erasures"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"subject": "ada", "tenant": True},
        {"subject": "ada", "thread_id": "t"},
        {"subject": ""},
        {"subject": "a" * 256},
        {"subject": "a\0b"},
        {"thread_id": "../x"},
        {"subject": "ada", "erasure_id": "no uuid"},
        {"subject": "ada", "more": 1},
        [],
    ],
)
async def test_an_order_that_is_not_clear_is_refused(client: httpx.AsyncClient, body: Any) -> None:  # noqa: ANN401 - garbage
    answer = await client.post(f"{API}/erasures", json=body)

    assert answer.status_code == 422
    assert (await client.get(f"{API}/erasures")).json() == {"erasures": []}


async def test_a_hold_is_409_to_an_erasure_until_it_is_released(client: httpx.AsyncClient, cleanup: Nudged) -> None:
    await client.put(f"{API}/holds/case-1", json={"subject": "ada", "reason": "discovery"})

    refused = await client.post(f"{API}/erasures", json={"subject": "ada"})
    released = await client.delete(f"{API}/holds/case-1")
    allowed = await client.post(f"{API}/erasures", json={"subject": "ada"})

    assert (refused.status_code, refused.json()["code"], refused.json()["hold_id"]) == (
        409,
        "threads.legal_hold",
        "case-1",
    )
    assert (released.status_code, allowed.status_code, cleanup.count) == (204, 202, 2)


@pytest.mark.parametrize(
    ("hold_id", "body"),
    [
        ("-sign", {"reason": "r"}),
        ("a" * 129, {"reason": "r"}),
        ("case", {"reason": ""}),
        ("case", {"reason": "   "}),
        ("case", {"reason": "r" * 2001}),
        ("case", {"reason": "r", "subject": "ada", "thread_id": "t"}),
        ("case", {}),
    ],
)
async def test_a_hold_that_is_not_clear_is_refused(client: httpx.AsyncClient, hold_id: str, body: Any) -> None:  # noqa: ANN401 - garbage
    answer = await client.put(f"{API}/holds/{hold_id}", json=body)

    assert answer.status_code == 422
    assert (await client.get(f"{API}/holds")).json() == {"holds": []}


async def test_the_audit_comes_page_by_page(client: httpx.AsyncClient) -> None:
    for number in range(3):
        await client.put(f"{API}/holds/case-{number}", json={"reason": "discovery"})

    first = (await client.get(f"{API}/audit", params={"limit": 2})).json()
    rest = (await client.get(f"{API}/audit", params={"limit": 2, "after": first["next_after"]})).json()

    assert [record["number"] for record in first["records"] + rest["records"]] == [1, 2, 3]
    assert rest["next_after"] is None


async def test_another_tenant_finds_nothing(client: httpx.AsyncClient) -> None:
    ordered = (await client.post(f"{API}/erasures", json={"subject": "ada"})).json()
    await client.put(f"{API}/holds/case-1", json={"reason": "discovery"})
    client.headers["Authorization"] = "Bearer o"

    answers = [await client.get(f"{API}/{path}") for path in ("erasures", "holds", "audit")]
    one = await client.get(f"{API}/erasures/{ordered['erasure_id']}")
    released = await client.delete(f"{API}/holds/case-1")

    assert [next(iter(answer.json().values())) for answer in answers] == [[], [], []]
    assert (one.json()["code"], released.json()["code"]) == ("threads.erasure_not_found", "threads.hold_not_found")


@pytest.mark.parametrize("erasure_id", ["x", "0" * 300, "%00"])
async def test_what_is_no_id_is_not_found(client: httpx.AsyncClient, erasure_id: str) -> None:
    assert (await client.get(f"{API}/erasures/{erasure_id}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "erasures"),
        ("GET", "erasures"),
        ("GET", f"erasures/{uuid.UUID(int=1)}"),
        ("GET", "holds"),
        ("PUT", "holds/case-1"),
        ("DELETE", "holds/case-1"),
        ("GET", "audit"),
    ],
)
async def test_a_writer_may_do_none_of_it(client: httpx.AsyncClient, method: str, path: str) -> None:
    client.headers["Authorization"] = "Bearer w"
    body = {"subject": "ada", "reason": "r"} if method == "PUT" else {"subject": "ada"}

    answer = await client.request(method, f"{API}/{path}", json=body if method in {"POST", "PUT"} else None)

    assert answer.status_code == 403
