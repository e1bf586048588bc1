"""Whatever the OpenAPI document allows, and whatever it does not: it is answered, and never by a permit too many."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUntypedFunctionDecorator=false
# schemathesis leaves most of what its decorators pass on without a type.

from __future__ import annotations

import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS

from aeterna.policy.api.openapi import document as openapi_document
from aeterna.policy.main import build
from aeterna.policy.settings import PolicySettings
from fixtures.fix_policy import document

if TYPE_CHECKING:
    from aeterna.policy.api.app import PolicyApp

DOCUMENT = json.loads(openapi_document(max_evaluations=50))
POSTS = ["/access/v1/evaluation", "/access/v1/evaluations", "/v1/is_authorized"]
JSON = {"Content-Type": "application/json"}

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


@lru_cache
def app() -> PolicyApp:
    """Return the sidecar's application, the same for every example."""
    return build(PolicySettings(state=Path(tempfile.mkdtemp())))


def exchanged(method: str, path: str, **more: object) -> httpx.Response:
    """Return the application's answer; an error that leaves it is raised here."""

    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(app())
        async with httpx.AsyncClient(transport=transport, base_url="http://policy") as client:
            return await client.request(method, path, **more)  # pyright: ignore[reportArgumentType]

    return anyio.run(exchange)


def test_the_document_names_every_route_and_no_other() -> None:
    methods = {path: set(operations) for path, operations in DOCUMENT["paths"].items()}

    answered = {
        path: {method for method in ("get", "post") if exchanged(method, path).status_code != 405}
        for path in methods
        if path != "/v1/epochs"
    }

    assert answered | {"/v1/epochs": {"get"}} == methods
    assert app().routes == frozenset(methods)


@SCHEMA.include(method="POST").parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_what_the_document_allows_is_answered_as_it_says(case: schemathesis.Case[Any]) -> None:
    body = case.body if isinstance(case.body, dict | list) else {}
    headers = {str(name): str(value) for name, value in case.headers.items()}
    answer = exchanged("POST", case.path, json=body, headers=headers)

    # The registry holds classes too; these two are functions.
    case.validate_response(
        schemathesis.Response.from_any(answer),
        checks=[CHECKS.get_one(name) for name in ("not_a_server_error", "response_schema_conformance")],  # pyright: ignore[reportArgumentType]
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
MEMBERS = st.sampled_from(
    [*("subject", "action", "resource", "context", "evaluations"), *("options", "principal", "additional_entities")]
)


@pytest.mark.parametrize("path", POSTS)
@settings(max_examples=100, deadline=None)
@given(changed=st.dictionaries(MEMBERS, VALUES, max_size=3))
def test_no_document_makes_it_permit_or_fail(path: str, changed: dict[str, object]) -> None:
    """The subject has no role, so that nothing that is changed can make it a permit."""
    nobody = document(subject={"type": "User", "id": "ada", "properties": {"tenant": "acme"}})

    answer = exchanged("POST", path, content=json.dumps({**nobody, **changed}).encode(), headers=JSON)

    assert answer.status_code in {200, 400}
    assert b'"decision":true' not in answer.content
    assert b'"decision":"Allow"' not in answer.content


@pytest.mark.parametrize("path", POSTS)
@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=300))
def test_bytes_that_are_no_document_are_refused_whichever_way_they_come(path: str, body: bytes) -> None:
    usual = exchanged("POST", path, content=body, headers=JSON).status_code
    direct = app().direct(path.encode(), [(b"content-type", b"application/json")], body)

    assert (usual, direct) == (400, None)


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("depth", [100, 1000, 30_000])
def test_depth_is_a_deny_or_a_refusal_everywhere(path: str, depth: int) -> None:
    nested = "[" * depth + "]" * depth
    body = json.dumps(document(evaluations=["@"], additional_entities=["@"], context={"x": "@"})).replace('"@"', nested)

    answer = exchanged("POST", path, content=body.encode(), headers=JSON)

    assert answer.status_code in {200, 400, 413}
    assert b'"decision":true' not in answer.content


ASKED = [document(), document(action={"name": "graph.write"}), document(context={"x": 1}), {}, []]


@pytest.mark.parametrize("asked", ASKED, ids=range(len(ASKED)))
def test_the_two_ways_say_the_same(asked: object) -> None:
    """A whole request is answered as it is read; one in parts goes the usual way. Nobody may be able to tell."""
    body = json.dumps(asked).encode()
    sent = [(b"content-type", b"application/json"), (b"x-request-id", b"r-1")]

    usual = exchanged("POST", "/access/v1/evaluation", content=body, headers={**JSON, "X-Request-ID": "r-1"})
    direct = app().direct(b"/access/v1/evaluation", sent, body)

    if direct is None:
        assert usual.status_code == 400
        return
    lines, answer = direct
    told, meant = json.loads(answer), usual.json()
    assert told["context"].pop("age") >= meant["context"].pop("age")
    assert told == meant
    fields = dict(line.split(b": ", 1) for line in lines.strip().split(b"\r\n"))
    assert {name.decode(): value.decode() for name, value in fields.items()}.items() <= dict(usual.headers).items()


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-type", b"text/plain")],
        [(b"content-type", b"application/json"), (b"content-type", b"application/json")],
        [(b"content-type", b"application/json"), (b"x-request-id", b"a b")],
        [(b"content-type", b"application/json"), (b"x-request-id", b"a"), (b"x-request-id", b"b")],
    ],
    ids=["no type", "another type", "two types", "an unfit id", "two ids"],
)
def test_what_is_doubtful_about_a_head_is_for_the_usual_way(headers: list[tuple[bytes, bytes]]) -> None:
    body = json.dumps(document()).encode()

    assert app().direct(b"/access/v1/evaluation", headers, body) is None
