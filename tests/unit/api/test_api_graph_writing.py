"""Committing sessions over HTTP: receipts, repetition, and refusals that write nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.api.api.problem import STATUSES
from aeterna.graph.errors import GraphBusyError
from aeterna.service.problem import problem_of
from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph_api import graph_client

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.fix_graph_api import GraphClient

SESSIONS = "/api/v1/graph/sessions"
STATISTICS = "/api/v1/graph/statistics"
SESSION: dict[str, Any] = {
    "session_id": "ingest-42",
    "nodes": [
        {"id": "svc:checkout", "kind": "Service", "properties": {"owner": "payments"}},
        {"id": "svc:ledger", "kind": "Service"},
    ],
    "edges": [{"source": "svc:checkout", "type": "depends_on", "target": "svc:ledger", "properties": {"since": 2024}}],
}


def test_a_session_is_created_and_its_receipt_says_where(graph_api: GraphClient) -> None:
    answer = graph_api.post(SESSIONS, json=SESSION)

    assert answer.status_code == 201
    receipt = answer.json()
    assert receipt.keys() == {"session_id", "snapshot_id", "seq", "committed_at", "nodes", "edges"}
    assert (receipt["session_id"], receipt["seq"], receipt["nodes"], receipt["edges"]) == ("ingest-42", 1, 2, 1)
    assert isinstance(receipt["snapshot_id"], str)
    assert answer.headers["Aeterna-Snapshot"] == receipt["snapshot_id"]


def test_repeating_a_session_gives_the_same_receipt(graph_api: GraphClient) -> None:
    first = graph_api.post(SESSIONS, json=SESSION)
    second = graph_api.post(SESSIONS, json=SESSION)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


def test_the_idempotency_key_may_stand_for_the_session_id(graph_api: GraphClient) -> None:
    body = {key: value for key, value in SESSION.items() if key != "session_id"}

    answer = graph_api.post(SESSIONS, json=body, headers={"Idempotency-Key": "ingest-42"})

    assert answer.json()["session_id"] == "ingest-42"


def test_the_subject_of_the_token_is_kept_as_provenance_and_not_asked_for(graph_api: GraphClient) -> None:
    assert graph_api.post(SESSIONS, json={**SESSION, "subject": "somebody else"}).status_code == 422


BAD: list[tuple[str, object, int | None, str | None]] = [
    ("not JSON", b"{", 400, "request.malformed"),
    ("not an object", b"[]", 422, "request.invalid"),
    ("an unknown member", {**SESSION, "extra": 1}, 422, "request.invalid"),
    ("a number as id", {**SESSION, "nodes": [{"id": 7, "kind": "K"}]}, 422, "request.invalid"),
    ("properties that are a list", {**SESSION, "nodes": [{"id": "a", "kind": "K", "properties": []}]}, 422, None),
    ("no session id", {"nodes": SESSION["nodes"]}, 422, "graph.invalid_session"),
    ("an empty session", {"session_id": "x"}, 422, "graph.invalid_session"),
    ("an empty id", {**SESSION, "nodes": [{"id": "", "kind": "K"}]}, 422, "graph.invalid_session"),
    ("a kind with a space", {**SESSION, "nodes": [{"id": "a", "kind": "a b"}]}, 422, "graph.invalid_session"),
    (
        "a number that is none",
        b'{"session_id":"x","nodes":[{"id":"a","kind":"K","properties":{"x":1e999}}]}',
        422,
        None,
    ),
    ("a NaN", b'{"session_id":"x","nodes":[{"id":"a","kind":"K","properties":{"x":NaN}}]}', 422, None),
    ("a lone surrogate", b'{"session_id":"x","nodes":[{"id":"\\ud800","kind":"K"}]}', None, None),
    ("a deep nest", b'{"session_id":"x","nodes":' + b"[" * 5_000 + b"]" * 5_000 + b"}", None, None),
    ("bytes that are no text", b'{"session_id":"\xff"}', None, None),
    ("an edge to nowhere", {**SESSION, "nodes": SESSION["nodes"][:1]}, 422, "graph.unknown_node"),
    ("too many", {"session_id": "x", "nodes": [{"id": f"n{n}", "kind": "K"} for n in range(10_001)]}, 422, None),
]


@pytest.mark.parametrize(("case", "body", "status", "code"), BAD, ids=[case for case, *_ in BAD])
def test_bad_input_is_a_problem_and_nothing_is_written(
    graph_api: GraphClient, case: str, body: object, status: int | None, code: str | None
) -> None:
    answer = (
        graph_api.post(SESSIONS, content=body, headers={"Content-Type": "application/json"})
        if isinstance(body, bytes)
        else graph_api.post(SESSIONS, json=body)
    )

    assert 400 <= answer.status_code < 500, case
    assert answer.headers["Content-Type"] == "application/problem+json"
    if status is not None:
        assert answer.status_code == status
    if code is not None:
        assert answer.json()["code"] == code
    assert graph_api.get(STATISTICS).json()["seq"] == 0


def test_an_oversized_body_is_refused_before_it_is_read(tmp_path: Path, decisions: FakeDecisionPoint) -> None:
    with graph_client(tmp_path, decisions, max_body_bytes=1_000) as client:
        answer = client.post(SESSIONS, json={**SESSION, "session_id": "x" * 2_000})

        assert answer.status_code == 413
        assert client.get(STATISTICS).json()["seq"] == 0


def test_the_same_id_with_other_content_is_409(graph_api: GraphClient) -> None:
    graph_api.post(SESSIONS, json=SESSION)

    answer = graph_api.post(SESSIONS, json={**SESSION, "edges": []})

    assert (answer.status_code, answer.json()["code"]) == (409, "graph.session_conflict")


def test_a_denied_write_is_403_and_nothing_is_written(tmp_path: Path) -> None:
    decisions = FakeDecisionPoint(allow=lambda _caller, action, _resource: action == "graph.read")
    with graph_client(tmp_path, decisions) as client:
        answer = client.post(SESSIONS, json=SESSION)

        assert (answer.status_code, answer.json()["code"]) == (403, "policy.denied")
        assert client.get(STATISTICS).json()["seq"] == 0


def test_without_a_decision_nothing_is_written(graph_api: GraphClient, decisions: FakeDecisionPoint) -> None:
    decisions.available = False
    assert graph_api.post(SESSIONS, json=SESSION).status_code == 503
    decisions.available = True

    assert graph_api.get(STATISTICS).json()["seq"] == 0


def test_removal_takes_the_nodes_edges_with_it(graph_api: GraphClient) -> None:
    graph_api.post(SESSIONS, json=SESSION)

    answer = graph_api.post(SESSIONS, json={"session_id": "gone", "remove": {"nodes": ["svc:ledger"]}})

    assert (answer.json()["nodes"], answer.json()["edges"]) == (1, 1)
    assert graph_api.get(STATISTICS).json()["edges"] == 0


def test_a_busy_graph_is_429_and_says_when_to_come_back() -> None:
    """The status comes from the table, the header from the error's own fact."""
    problem = problem_of(GraphBusyError(256, timedelta(seconds=3)), STATUSES)

    assert (problem.status, problem.headers["Retry-After"]) == (429, "3")
