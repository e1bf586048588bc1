"""The store that OPAL's client pushes to: routes and statuses as its CedarClient of 0.9.9 needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import pytest

from fixtures.policy_store import LIMIT, Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """Return a file with the token."""
    file = tmp_path / "token"
    file.write_text("correct horse\n")
    return file


def rewrite(token: Path, content: str | None) -> None:
    """Replace the token, or take it away."""
    token.unlink()
    if content is not None:
        token.write_text(content)


@pytest.fixture
async def store(token: Path) -> AsyncIterator[Store]:
    """Return a store with nothing in it."""
    found = Store(token)
    async with found.client:
        yield found


async def test_the_probe_needs_no_token(store: Store) -> None:
    answers = [await store.client.get(path, headers={"Authorization": ""}) for path in ("/v1/", "/v1")]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("path", ["/v1/policies", "/v1/policies/a.cedar", "/v1/data", "/v1/schema", "/v1/status"])
@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "token.missing"),
        ("Basic Zm9v", "token.missing"),
        ("Bearer ", "token.missing"),
        ("Bearer correct", "token.invalid"),
        ("Bearer correct horse battery", "token.invalid"),
    ],
)
async def test_everything_else_does(method: str, path: str, header: str, code: str, store: Store) -> None:
    answer = await store.client.request(method, path, headers={"Authorization": header})

    assert (answer.status_code, answer.json()["code"]) == (401, code)


async def test_a_rotated_token_counts_at_once(store: Store, token: Path) -> None:
    rewrite(token, "battery staple, which is longer")

    answers = [
        await store.client.get("/v1/data", headers={"Authorization": f"Bearer {text}"})
        for text in ("correct horse", "battery staple, which is longer")
    ]

    assert [answer.status_code for answer in answers] == [401, 200]


@pytest.mark.parametrize("content", ["", "\n", None])
async def test_a_token_that_is_not_there_opens_nothing(content: str | None, store: Store, token: Path) -> None:
    rewrite(token, content)

    answers = [
        await store.client.get("/v1/data", headers={"Authorization": f"Bearer {text}"})
        for text in ("x", "correct horse")
    ]

    assert [answer.status_code for answer in answers] == [401, 401]


async def test_a_socket_of_its_own_needs_no_token(token: Path) -> None:
    store = Store(token, matches=False)

    answer = await store.client.get("/v1/data", headers={"Authorization": ""})

    assert answer.status_code == 200


async def test_a_boot_of_opals_client_is_one_publication(store: Store) -> None:
    """In its order: data, policies, the list, and the deletion of what it has not got."""
    await store.put("leftover.cedar", "permit")
    statuses = [
        (await store.client.put("/v1/data", json=[{"uid": {"type": "Role", "id": "admin"}}])).status_code,
        (await store.put("app/a.cedar", "permit")).status_code,
        (await store.put("s.cedarschema", "schema")).status_code,
    ]
    listed = {policy["id"] for policy in (await store.client.get("/v1/policies")).json()}
    leftovers = listed - {"app/a.cedar", "s.cedarschema"}
    statuses += [(await store.client.delete(f"/v1/policies/{quote_plus(id_)}")).status_code for id_ in leftovers]

    files = await store.files()

    assert statuses == [200, 200, 200, 204]
    assert set(files) == {"app/a.cedar", "s.cedarschema", "entities.json"}
    assert store.publisher.state.outcomes == {"published": 1}


async def test_a_slash_in_an_id_is_part_of_it(store: Store) -> None:
    await store.put("tenants/acme/a.cedar", "permit")

    answer = await store.client.get("/v1/policies/tenants%2Facme%2Fa.cedar")

    assert answer.json() == {"id": "tenants/acme/a.cedar", "content": "permit"}


async def test_what_is_not_there_is_404(store: Store) -> None:
    answers = [
        await store.client.request(method, path)
        for method, path in (
            ("DELETE", "/v1/policies/a.cedar"),
            ("GET", "/v1/policies/a.cedar"),
            ("GET", "/v1/schema"),
            ("DELETE", "/v1/schema"),
            ("GET", "/v1/policies/app/a.cedar"),
            ("GET", "/elsewhere"),
        )
    ]

    assert {answer.status_code for answer in answers} == {404}


async def test_another_method_is_405(store: Store) -> None:
    answer = await store.client.post("/v1/data", json=[])

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PUT, DELETE")


async def test_data_replaces_everything(store: Store) -> None:
    await store.put("a.cedar", "permit")
    await store.client.put("/v1/data", json={"shared": [1], "tenants": {"acme": [2], "globex": []}})
    first = await store.files()
    await store.client.put("/v1/data", json={"tenants": {"acme": [3]}})

    second = await store.files()

    assert {name for name in first if name.endswith(".json")} == {
        "entities.json",
        "tenants/acme/entities.json",
        "tenants/globex/entities.json",
    }
    assert {name: text for name, text in second.items() if name.endswith(".json")} == {
        "tenants/acme/entities.json": "[3]"
    }


@pytest.mark.parametrize("data", [[], [{"a": "ü"}], {"shared": [1], "tenants": {"acme": [2]}}], ids=str)
async def test_data_is_given_back_as_it_was_put(data: object, store: Store) -> None:
    await store.client.put("/v1/data", json=data)

    assert (await store.client.get("/v1/data")).json() == data


async def test_deleted_data_is_gone(store: Store) -> None:
    await store.client.put("/v1/data", json=[1])

    answer = await store.client.delete("/v1/data")

    assert (answer.status_code, (await store.client.get("/v1/data")).json()) == (204, [])


async def test_all_policies_can_be_replaced_in_one_step(store: Store) -> None:
    await store.put("old.cedar", "permit")

    answer = await store.client.put("/v1/policies", json=[{"id": "new.cedar", "content": "permit"}])

    assert answer.status_code == 200
    assert {name for name in await store.files() if name.endswith(".cedar")} == {"new.cedar"}


@pytest.mark.parametrize("body", [b"namespace A {}", b'{"content": "namespace A {}"}'])
async def test_a_schema_has_a_route_of_its_own(body: bytes, store: Store) -> None:
    await store.put("a.cedar", "permit")
    await store.client.put("/v1/schema", content=body)

    assert (await store.files())["pushed.cedarschema"] == "namespace A {}"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/policies/b.cedar", b"permit"),
        ("/v1/policies/b.cedar", b"[]"),
        ("/v1/policies/b.cedar", b'{"content": 1}'),
        ("/v1/policies/b.cedar", b'{"content": "\xff"}'),
        ("/v1/policies/b.rego", b'{"content": "permit"}'),
        ("/v1/policies/..%2Fb.cedar", b'{"content": "permit"}'),
        ("/v1/policies/%2Fetc%2Fb.cedar", b'{"content": "permit"}'),
        ("/v1/policies/a%00.cedar", b'{"content": "permit"}'),
        ("/v1/policies/tenants%2Fb.cedar", b'{"content": "permit"}'),
        ("/v1/data", b"nothing"),
        ("/v1/data", b'"text"'),
        ("/v1/data", b'[ "\xff" ]'),
        ("/v1/data", b'{"shared": {}}'),
        ("/v1/data", b'{"tenants": []}'),
        ("/v1/data", b'{"tenants": {"..": []}}'),
        ("/v1/data", b'{"tenants": {"a/b": []}}'),
        ("/v1/data", b'{"other": []}'),
        ("/v1/schema", b"\xff"),
        ("/v1/schema", b'{"content": 1}'),
    ],
)
async def test_what_cannot_be_taken_is_400_and_nothing_of_the_set_is_used(path: str, body: bytes, store: Store) -> None:
    """OPAL's client goes on after a 400 and never pushes it again, so the rest must not be published without it."""
    await store.put("a.cedar", "permit")

    answer = await store.client.put(path, content=body)
    files = await store.files()

    assert (answer.status_code, answer.json()["code"]) == (400, "policy.push_refused")
    assert files == {}
    refusal = store.publisher.state.refusal
    assert refusal is not None
    assert "was pushed and not taken" in refusal.reason


async def test_a_body_over_the_limit_is_refused_while_it_comes(store: Store) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield b" " * 1000

    answer = await store.client.put("/v1/policies/a.cedar", content=endless())

    assert (answer.status_code, sent) == (413, LIMIT + 1000)
    assert await store.files() == {}


async def test_the_status_says_what_stands_between_pushes_and_their_use(store: Store) -> None:
    await store.put("a.cedar", "permit")
    await store.files()
    await store.put("broken.cedar", "")
    await store.files()

    status = (await store.client.get("/v1/status")).json()

    assert status["published"]["epoch"] == 1
    assert status["refusal"] == {"code": "policy.bundle_invalid", "reason": "broken.cedar: is empty", "at": 1000.0}
    assert status["staged"] == {"files": 2, "not_taken": {}}


async def test_the_status_says_what_the_disk_refused(store: Store) -> None:
    store.publications.fault = "No space left on device"

    assert (await store.client.get("/v1/status")).json()["state_fault"] == "No space left on device"
