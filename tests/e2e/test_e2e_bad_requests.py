"""What a service must refuse it refuses with a problem document, and writes nothing."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.utils import base64url_encode

from aeterna.cli.local.state_dir import StateDir
from aeterna.cli.local.tokens import AUDIENCE, ISSUER, Claims, Signer
from aeterna.client import NotFoundError

if TYPE_CHECKING:
    from fixtures.fix_live_runtime import LiveRuntime

SESSION: dict[str, Any] = {"session_id": "bad", "nodes": [{"id": "a", "kind": "Thing", "properties": {}}], "edges": []}


def token_of(live: LiveRuntime, tenant: str, spoiled: str) -> str | None:
    """Return a token that is spoiled in one way."""
    now = datetime.now(UTC)
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "test",
        "tenant": tenant,
        "roles": ["admin"],
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
    }
    key_id = Signer.of(StateDir(live.root)).key_id
    if spoiled == "expired":
        expired = Claims(tenant=tenant, subject="test", roles=["admin"], lifetime=timedelta(hours=-1))
        return Signer.of(StateDir(live.root)).token(expired, now)
    if spoiled == "another key":
        return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": key_id})
    if spoiled == "no signature":
        return jwt.encode(claims, "", "none", headers={"kid": key_id})
    if spoiled == "public key as secret":
        return forged(claims, key_id, StateDir(live.root).jwks.read_bytes())
    return {"absent": None, "garbage": "not-a-token"}[spoiled]


def forged(claims: dict[str, Any], key_id: str, secret: bytes) -> str:
    """Return a token that is signed with what everybody knows, as a verifier must not accept that reads `alg`."""
    parts = ({"alg": "HS256", "kid": key_id, "typ": "JWT"}, claims)
    text = b".".join(base64url_encode(json.dumps(part).encode()) for part in parts)
    return (text + b"." + base64url_encode(hmac.digest(secret, text, "sha256"))).decode()


@pytest.mark.parametrize("part", ["graph", "threads"])
@pytest.mark.parametrize(
    "spoiled", ["absent", "garbage", "expired", "another key", "no signature", "public key as secret"]
)
def test_who_cannot_prove_who_they_are_is_refused(live: LiveRuntime, tenant: str, part: str, spoiled: str) -> None:
    token = token_of(live, tenant, spoiled)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = {"graph": "/api/v1/graph/sessions", "threads": "/api/v1/threads"}[part]
    body = SESSION if part == "graph" else {"thread_id": "t"}

    answer = httpx.post(live.url(part) + url, json=body, headers=headers)

    assert_problem(answer, {401})
    assert_nothing_written(live, tenant)


def test_a_token_without_a_tenant_gets_no_service(live: LiveRuntime, tenant: str) -> None:
    token = live.token("admin", tenant="")

    answer = httpx.post(
        f"{live.url('graph')}/api/v1/graph/sessions", json=SESSION, headers={"Authorization": f"Bearer {token}"}
    )

    assert_problem(answer, {401, 403})


BAD_BODIES = {
    "not JSON": b"{",
    "not an object": b"[]",
    "no id": b'{"nodes": []}',
    "an id that is a number": b'{"session_id": 7, "nodes": [], "edges": []}',
    "a node without a kind": b'{"session_id": "s", "nodes": [{"id": "a"}], "edges": []}',
    "an unknown field": b'{"session_id": "s", "nodes": [], "edges": [], "tenant": "other"}',
    "NaN": b'{"session_id": "s", "nodes": [{"id": "a", "kind": "T", "properties": {"x": NaN}}], "edges": []}',
    "not UTF-8": b'{"session_id": "\xff"}',
    "a lone surrogate": rb'{"session_id": "s", "nodes": [{"id": "\ud800", "kind": "T"}], "edges": []}',
    "deep nesting": b'{"session_id": "s", "nodes": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "too large": b'{"session_id": "' + b"x" * (9 * 1024 * 1024) + b'"}',
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_malformed_session_is_refused(live: LiveRuntime, tenant: str, body: bytes) -> None:
    token = live.token("writer", tenant=tenant)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    answer = httpx.post(f"{live.url('graph')}/api/v1/graph/sessions", content=body, headers=headers, timeout=30)

    assert_problem(answer, {400, 413, 422})
    assert_nothing_written(live, tenant)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{}",
        b'{"message_id": "m", "role": "robot", "parts": ["a"]}',
        b'{"message_id": "m", "role": "user", "parts": []}',
    ],
    ids=["not JSON", "nothing", "an unknown role", "no parts"],
)
def test_a_malformed_message_is_refused(live: LiveRuntime, tenant: str, body: bytes) -> None:
    token = live.token("writer", tenant=tenant)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with live.client("writer", tenant=tenant) as client:
        thread = client.threads.open("t")

        answer = httpx.post(f"{live.url('threads')}/api/v1/threads/t/messages", content=body, headers=headers)

        assert_problem(answer, {400, 422})
        assert thread.info().last_seq == 0


@pytest.mark.parametrize(
    "query",
    ["depth=0", "depth=6", "depth=x", "direction=up", "limit=0", "limit=-1", "as_of=sometime", "cursor=garbage"],
)
def test_a_malformed_question_is_refused(live: LiveRuntime, tenant: str, query: str) -> None:
    with live.client("writer", tenant=tenant) as client, client.graph.session() as session:
        session.node("a", kind="Thing")
    headers = {"Authorization": f"Bearer {live.token('reader', tenant=tenant)}"}

    answer = httpx.get(f"{live.url('graph')}/api/v1/graph/neighbors?node=a&{query}", headers=headers)

    assert_problem(answer, {400, 404, 422})


def assert_problem(answer: httpx.Response, statuses: set[int]) -> None:
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    document = json.loads(answer.content)
    assert {"type", "title", "status", "detail", "instance", "code", "trace_id"} <= document.keys()
    assert document["status"] == answer.status_code


def assert_nothing_written(live: LiveRuntime, tenant: str) -> None:
    with live.client("admin", tenant=tenant) as client:
        with pytest.raises(NotFoundError):
            client.graph.node("a")
        assert list(client.threads.list()) == []
