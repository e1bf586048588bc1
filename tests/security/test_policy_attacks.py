"""Whoever can reach the sidecar may be hostile: nothing that arrives makes it permit, fall over or leak."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.fix_policy import document

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.anyio

EVALUATION = "/access/v1/evaluation"
JSON = {"Content-Type": "application/json"}


def claiming(tenant: object, roles: object = ("admin",)) -> dict[str, object]:
    """Return a request of a subject that claims to be of this tenant, for a graph of acme."""
    return document(subject={"type": "User", "id": "mallory", "properties": {"tenant": tenant, "roles": roles}})


SPOOFS: list[object] = [
    "Acme",
    "acme ",
    " acme",
    "acme\u0000",
    "acme\u200b",
    "acm\u0435",
    "a\u0063me\u0301",
    ["acme"],
    {"acme": True},
    {"__entity": {"type": "Aeterna::Graph", "id": "acme"}},
    {"__extn": {"fn": "decimal", "arg": "1.0"}},
    {"__expr": "resource.tenant"},
    "resource.tenant",
    '" || true || "',
    None,
    True,
    0,
    1e308,
    2**63,
    "a" * 10_000,
]


@pytest.mark.parametrize("tenant", SPOOFS, ids=range(len(SPOOFS)))
async def test_nothing_but_the_tenants_own_name_is_the_tenant(tenant: object, sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.post(EVALUATION, json=claiming(tenant))

    assert answer.json().get("decision") is False


async def test_a_resource_cannot_be_given_the_subject_as_its_owner(sidecar: httpx.AsyncClient) -> None:
    resource = {"type": "Graph", "id": "main", "properties": {"tenant": {"__expr": "principal.tenant"}}}

    answer = await sidecar.post(EVALUATION, json=document(resource=resource))

    assert answer.json()["decision"] is False


async def test_a_subject_that_is_also_the_resource_gains_nothing(sidecar: httpx.AsyncClient) -> None:
    same = {"type": "User", "id": "ada", "properties": {"tenant": "acme", "roles": ["admin"]}}

    answer = await sidecar.post(EVALUATION, json=document(subject=same, resource=same))

    assert answer.json()["decision"] is False


async def test_what_is_said_twice_is_decided_once_and_by_what_was_decided_on(sidecar: httpx.AsyncClient) -> None:
    """With duplicate members the last one counts, for the decision and for the cache alike."""
    good, bad = json.dumps(document()), json.dumps(claiming("globex"))
    bodies = [
        f'{good[:-1]}, "subject": {json.dumps(claiming("globex")["subject"])}}}',
        f'{bad[:-1]}, "subject": {json.dumps(document()["subject"])}}}',
    ]

    decisions = [(await sidecar.post(EVALUATION, content=body, headers=JSON)).json()["decision"] for body in bodies * 2]

    assert decisions == [False, True, False, True]


async def test_a_deny_is_not_turned_by_an_earlier_permit_of_a_question_like_it(sidecar: httpx.AsyncClient) -> None:
    await sidecar.post(EVALUATION, json=document())

    answers = [
        (await sidecar.post(EVALUATION, json=changed)).json()["decision"]
        for changed in (claiming("globex"), document(context={"x": 1}), document(action={"name": "graph.write"}))
    ]

    assert answers == [False, False, False]


async def test_a_body_over_the_limit_is_refused_whether_or_not_it_says_its_length(
    sidecar: httpx.AsyncClient,
) -> None:
    async def endless() -> object:
        while True:
            yield b" " * 10_000

    told = await sidecar.post(EVALUATION, content=b" " * 65_537, headers=JSON)
    untold = await sidecar.post(EVALUATION, content=endless(), headers=JSON)  # pyright: ignore[reportArgumentType]

    assert [(answer.status_code, answer.json()["code"]) for answer in (told, untold)] == [
        (413, "request.too_large")
    ] * 2


@pytest.mark.parametrize("depth", [100, 200, 300, 1000, 10_000])
@pytest.mark.parametrize("place", ["properties", "context"])
async def test_depth_is_a_deny_or_a_refusal_and_no_crash(place: str, depth: int, sidecar: httpx.AsyncClient) -> None:
    nested = "[" * depth + "]" * depth
    text = json.dumps(document())
    body = (
        text.replace('"context": {}', f'"context": {{"x": {nested}}}')
        if place == "context"
        else text.replace('"tenant": "acme"', f'"tenant": {nested}', 1)
    )

    answer = await sidecar.post(EVALUATION, content=body.encode(), headers=JSON)

    assert answer.json().get("decision") is not True
    assert answer.status_code in {200, 400}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
async def test_no_bytes_make_it_permit_or_fail(body: bytes, sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.post(EVALUATION, content=body, headers=JSON)

    assert answer.status_code == 400


async def test_an_error_in_an_answer_is_short_however_long_the_question(sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.post(EVALUATION, json=document(action={"name": "x" * 50_000}))

    assert len(answer.content) < 1000
