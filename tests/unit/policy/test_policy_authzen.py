"""The AuthZEN 1.0 documents, and what the sidecar answers to whatever else arrives."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client import CollectorRegistry

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.policy.api.app import PolicyApp
from aeterna.policy.api.problem import STATUSES
from aeterna.policy.main import build
from aeterna.policy.settings import SHIPPED, PolicySettings
from aeterna.policy.testing import FakePublications
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.policy.usecases.decide import Decider
from aeterna.policy.usecases.following import Follower
from aeterna.service.problem import without_status
from fixtures.fix_policy import document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.anyio

EVALUATION = "/access/v1/evaluation"
JSON = {"Content-Type": "application/json"}


async def test_a_permit_says_by_which_policies_and_which_edition(sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.post(EVALUATION, json=document())

    body = answer.json()
    assert (answer.status_code, body["decision"]) == (200, True)
    assert body["context"]["policies"] == ["readers-read"]
    assert body["context"]["errors"] == []
    assert body["context"]["epoch"] == 1
    assert body["context"]["digest"].startswith("sha256:")
    assert body["context"]["age"] >= 0


async def test_a_deny_is_200_with_false(sidecar: httpx.AsyncClient) -> None:
    """AuthZEN: the status is about the question, the decision is in the body."""
    answer = await sidecar.post(EVALUATION, json=document(action={"name": "graph.write"}))

    assert (answer.status_code, answer.json()["decision"]) == (200, False)


DOUBTS: list[tuple[str, Mapping[str, object]]] = [
    ("an unknown action", {"action": {"name": "planet.destroy"}}),
    ("an unknown resource type", {"resource": {"type": "Planet", "id": "mars", "properties": {"tenant": "acme"}}}),
    ("an unknown subject type", {"subject": {"type": "Robot", "id": "r2", "properties": {"tenant": "acme"}}}),
    ("a role as the subject", {"subject": {"type": "Role", "id": "admin"}}),
    ("a subject without a tenant", {"subject": {"type": "User", "id": "ada", "properties": {"roles": ["admin"]}}}),
    ("a resource without a tenant", {"resource": {"type": "Graph", "id": "main"}}),
    (
        "a property nobody declared",
        {"resource": {"type": "Graph", "id": "m", "properties": {"tenant": "acme", "x": 1}}},
    ),
    ("a context nobody declared", {"context": {"ip": "10.0.0.1"}}),
    ("action properties nobody declared", {"action": {"name": "graph.read", "properties": {"soft": True}}}),
    (
        "roles that are a text",
        {"subject": {"type": "User", "id": "a", "properties": {"tenant": "acme", "roles": "admin"}}},
    ),
    (
        "more roles than anybody has",
        {
            "subject": {
                "type": "User",
                "id": "a",
                "properties": {"tenant": "acme", "roles": [str(n) for n in range(101)]},
            }
        },
    ),
]


@pytest.mark.parametrize("changed", [row[1] for row in DOUBTS], ids=[row[0] for row in DOUBTS])
async def test_doubt_is_a_deny_that_names_the_error(changed: Mapping[str, object], sidecar: httpx.AsyncClient) -> None:
    body = (await sidecar.post(EVALUATION, json=document(**changed))).json()

    assert body["decision"] is False
    assert body["context"]["errors"]


# Members of an otherwise good request; None leaves one out.
BROKEN: list[Mapping[str, object]] = [
    {"subject": None},
    {"action": None},
    {"resource": None},
    {"subject": "User::ada"},
    {"subject": {"type": "User"}},
    {"subject": {"id": "ada"}},
    {"subject": {"type": "", "id": "ada"}},
    {"subject": {"type": "User", "id": 7}},
    {"subject": {"type": "User", "id": "ada", "properties": []}},
    {"action": "graph.read"},
    {"action": {}},
    {"action": {"name": ""}},
    {"action": {"name": ["graph.read"]}},
    {"action": {"name": "graph.read", "properties": None}},
    {"context": []},
    {"context": "x"},
]
MALFORMED = [
    b"",
    b"null",
    b"[]",
    b"{",
    b"\xff\xfe",
    b'{"subject": {"type": "User", "id": "\\ud800"}}',
    *(
        json.dumps({name: value for name, value in document(**changed).items() if value is not None}).encode()
        for changed in BROKEN
    ),
]


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
async def test_what_is_no_evaluation_is_a_400_and_no_decision(body: bytes, sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.post(EVALUATION, content=body, headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (400, "policy.question_malformed")
    assert "decision" not in answer.json()


async def test_members_that_the_specification_does_not_know_are_ignored(sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.post(EVALUATION, json=document(options={"verbose": True}))

    assert answer.json()["decision"] is True


@pytest.mark.parametrize("status_of", [document(), {}], ids=["decided", "refused"])
async def test_the_request_id_comes_back(status_of: dict[str, object], sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.post(EVALUATION, json=status_of, headers={"X-Request-ID": "bfe9eb29-ab87"})

    assert answer.headers["x-request-id"] == "bfe9eb29-ab87"


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 129, "a\tb"])
async def test_a_request_id_that_is_unfit_for_a_header_does_not(request_id: str, sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.post(EVALUATION, json=document(), headers={"X-Request-ID": request_id})

    assert "x-request-id" not in answer.headers


async def test_the_metadata_document_says_where_to_ask(sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.get("/.well-known/authzen-configuration", headers={"Host": "evil.example"})

    base = f"http://127.0.0.1:{PolicySettings().port}"
    assert answer.json() == {
        "policy_decision_point": base,
        "access_evaluation_endpoint": f"{base}{EVALUATION}",
        "access_evaluations_endpoint": f"{base}/access/v1/evaluations",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", EVALUATION, 405, "POST"),
        ("PUT", EVALUATION, 405, "POST"),
        ("POST", "/.well-known/authzen-configuration", 405, "GET, HEAD"),
        ("POST", f"{EVALUATION}/", 404, None),
        ("GET", "/access/v1/evaluations", 405, "POST"),
        ("GET", "/v1/is_authorized", 405, "POST"),
        ("POST", "/v1/epochs", 405, "GET"),
        ("POST", "/access/v1/search/subject", 404, None),
    ],
)
async def test_another_path_or_method_is_a_problem(
    method: str, path: str, status: int, allow: str | None, sidecar: httpx.AsyncClient
) -> None:
    answer = await sidecar.request(method, path, json=document())

    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
async def test_a_body_of_another_type_is_refused(media_type: str, sidecar: httpx.AsyncClient) -> None:
    """A page in a browser can send a form or a text to a port on loopback without asking, but no JSON."""
    answer = await sidecar.post(EVALUATION, content=b"{}", headers={"Content-Type": media_type})

    assert (answer.status_code, answer.json()["code"]) == (400, "policy.media_type")


async def test_the_openapi_document_names_the_limit_that_was_set(tmp_path: Path) -> None:
    app = build(PolicySettings(state=tmp_path, max_evaluations=7))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://policy") as client:
        document_ = (await client.get("/openapi.json")).json()
        refused = await client.post("/access/v1/evaluations", json={"evaluations": [document()] * 8})

    evaluations = document_["components"]["schemas"]["Evaluations"]["properties"]["evaluations"]
    assert (evaluations["maxItems"], refused.json()["code"]) == (7, "policy.too_many_evaluations")
    assert "has 8 of them and may have 7" in refused.json()["detail"]


async def test_policies_that_are_too_old_permit_nothing_and_the_sidecar_is_not_ready(tmp_path: Path) -> None:
    app = build(PolicySettings(state=tmp_path, max_age=timedelta(0)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://policy") as client:
        decided = (await client.post(EVALUATION, json=document())).json()
        ready = await client.get("/ready")
        alive = await client.get("/live")

    assert (decided["decision"], decided["context"]["policies"]) == (False, [])
    assert decided["context"]["errors"] == ["the policies have not been confirmed for too long"]
    assert (ready.status_code, ready.json()["failed"], alive.status_code) == (503, ["policies"], 200)


async def test_a_time_without_trust_leaves_nothing_behind_in_memory(tmp_path: Path) -> None:
    """Otherwise the denies of an outage would be repeated after it."""
    now = [1000.0]
    decider = Decider(
        cache=lambda: VerdictCache(ttl=timedelta(hours=1), capacity=10, clock=lambda: now[0], random=lambda: 0.0),
        steady=lambda: now[0],
        system=lambda: now[0],
        max_age=timedelta(seconds=60),
    )
    publications = FakePublications(clock=lambda: now[0])
    publications.publish(DirectoryBundleSource(SHIPPED).read())
    follower = Follower(decider, publications, CedarCompiler())
    follower.begin()
    app = PolicyApp(decider, follower, settings=PolicySettings(state=tmp_path), registry=CollectorRegistry())
    body, headers = json.dumps(document()).encode(), [(b"content-type", b"application/json")]

    decisions: list[bool] = []
    for passed in (0, 0, 61, 0):
        now[0] += passed
        answer = app.direct(EVALUATION.encode(), headers, body)
        assert answer is not None
        decisions.append(json.loads(answer[1])["decision"])
    publications.confirm()
    await follower.look()
    answer = app.direct(EVALUATION.encode(), headers, body)

    assert decisions == [True, True, False, False]
    assert answer is not None
    assert json.loads(answer[1])["decision"] is True


async def test_decisions_are_counted_by_outcome_and_origin(sidecar: httpx.AsyncClient) -> None:
    for _ in range(3):
        await sidecar.post(EVALUATION, json=document())
    await sidecar.post(EVALUATION, json=document(action={"name": "nothing"}))

    metrics = (await sidecar.get("/metrics")).text
    assert 'aeterna_policy_decisions_total{decision="allow",source="engine"} 1.0' in metrics
    assert 'aeterna_policy_decisions_total{decision="allow",source="cache"} 2.0' in metrics
    assert "aeterna_policy_doubts_total 1.0" in metrics
    assert 'aeterna_policy_edition_epoch{digest="sha256:' in metrics


def test_every_error_of_the_sidecar_has_a_status() -> None:
    assert without_status("aeterna.policy", STATUSES) == set()
