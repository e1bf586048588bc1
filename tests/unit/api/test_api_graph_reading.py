"""Questions to the graph over HTTP: shapes, moments, pages, and problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from fixtures.fix_graph_api import GraphClient

GRAPH = "/api/v1/graph"


@pytest.fixture
def receipts(graph_api: GraphClient) -> list[dict[str, Any]]:
    """Two commits: a - b - c, then c removed and d put in its place."""
    first = {
        "session_id": "1",
        "nodes": [{"id": id_, "kind": "Letter", "properties": {"of": 1}} for id_ in "abc"],
        "edges": [{"source": "a", "type": "t", "target": "b"}, {"source": "b", "type": "u", "target": "c"}],
    }
    second = {
        "session_id": "2",
        "nodes": [{"id": "d", "kind": "Letter"}],
        "edges": [{"source": "b", "type": "t", "target": "d"}],
        "remove": {"nodes": ["c"]},
    }
    return [graph_api.post(f"{GRAPH}/sessions", json=body).json() for body in (first, second)]


def test_a_node_has_the_shape_that_clients_know(graph_api: GraphClient, receipts: list[dict[str, Any]]) -> None:
    answer = graph_api.get(f"{GRAPH}/nodes/a")

    assert answer.json() == {
        "id": "a",
        "kind": "Letter",
        "properties": {"of": 1},
        "snapshot_id": receipts[1]["snapshot_id"],
    }
    assert answer.headers["Aeterna-Snapshot"] == receipts[1]["snapshot_id"]


@pytest.mark.parametrize("id_", ["https://example.org/a/b?c=d#e", "100%", "日本 語", "a//b"])
def test_any_id_can_be_a_path(graph_api: GraphClient, id_: str) -> None:
    graph_api.post(f"{GRAPH}/sessions", json={"session_id": "1", "nodes": [{"id": id_, "kind": "K"}]})

    assert graph_api.get(f"{GRAPH}/nodes/{quote(id_, safe='')}").json()["id"] == id_


def test_neighbors_have_the_shape_that_clients_know(graph_api: GraphClient, receipts: list[dict[str, Any]]) -> None:
    answer = graph_api.get(f"{GRAPH}/neighbors", params={"node": "a", "depth": 2, "type": ["t", "u"]})

    assert answer.json() == {
        "snapshot_id": receipts[1]["snapshot_id"],
        "nodes": [
            {"id": "b", "kind": "Letter", "properties": {"of": 1}, "depth": 1},
            {"id": "d", "kind": "Letter", "properties": {}, "depth": 2},
        ],
        "edges": [
            {"source": "a", "type": "t", "target": "b", "properties": {}},
            {"source": "b", "type": "t", "target": "d", "properties": {}},
        ],
        "next_cursor": None,
    }


def test_pages_follow_a_cursor_in_the_snapshot_of_the_first(
    graph_api: GraphClient, receipts: list[dict[str, Any]]
) -> None:
    params: dict[str, Any] = {"node": "a", "depth": 2, "limit": 1}
    first = graph_api.get(f"{GRAPH}/neighbors", params=params).json()
    graph_api.post(f"{GRAPH}/sessions", json={"session_id": "3", "remove": {"nodes": ["d"]}})

    second = graph_api.get(f"{GRAPH}/neighbors", params={**params, "cursor": first["next_cursor"]}).json()

    assert [node["id"] for node in (*first["nodes"], *second["nodes"])] == ["b", "d"]
    assert second["snapshot_id"] == receipts[1]["snapshot_id"]
    assert second["next_cursor"] is None


def test_a_shortest_path_has_the_shape_that_clients_know(
    graph_api: GraphClient, receipts: list[dict[str, Any]]
) -> None:
    answer = graph_api.get(f"{GRAPH}/paths/shortest", params={"source": "a", "target": "d"})

    assert answer.json() == {
        "snapshot_id": receipts[1]["snapshot_id"],
        "nodes": ["a", "b", "d"],
        "edges": [{"source": "a", "type": "t", "target": "b"}, {"source": "b", "type": "t", "target": "d"}],
        "hops": 2,
    }


@pytest.mark.parametrize("member", ["snapshot_id", "committed_at"])
def test_the_past_is_asked_by_what_a_receipt_says(
    graph_api: GraphClient, receipts: list[dict[str, Any]], member: str
) -> None:
    moment = {"as_of": receipts[0][member]}

    assert graph_api.get(f"{GRAPH}/nodes/c", params=moment).status_code == 200
    assert graph_api.get(f"{GRAPH}/nodes/c").json()["code"] == "graph.node_not_found"
    assert graph_api.get(f"{GRAPH}/statistics", params=moment).json() == {
        "snapshot_id": receipts[0]["snapshot_id"],
        "seq": 1,
        "nodes": 3,
        "edges": 2,
        "node_kinds": {"Letter": 3},
        "edge_types": {"t": 1, "u": 1},
        "degree_mean": 4 / 3,
        "degree_max": 2,
        "hub": "b",
        "isolated": 0,
    }


def test_an_unencoded_plus_in_a_time_is_understood(graph_api: GraphClient, receipts: list[dict[str, Any]]) -> None:
    moment = receipts[0]["committed_at"].replace("Z", "+00:00")

    assert graph_api.get(f"{GRAPH}/nodes/c?as_of={moment}").status_code == 200


def test_snapshots_are_listed_newest_first(graph_api: GraphClient, receipts: list[dict[str, Any]]) -> None:
    answer = graph_api.get(f"{GRAPH}/snapshots", params={"limit": 1}).json()

    assert answer["snapshot_id"] == receipts[1]["snapshot_id"]
    assert answer["snapshots"] == [
        {
            "snapshot_id": receipts[1]["snapshot_id"],
            "committed_at": receipts[1]["committed_at"],
            "first_seq": 2,
            "last_seq": 2,
            "sessions": 1,
        }
    ]


def test_an_empty_graph_has_no_snapshot(graph_api: GraphClient) -> None:
    assert graph_api.get(f"{GRAPH}/statistics").json()["snapshot_id"] is None
    assert graph_api.get(f"{GRAPH}/snapshots").json() == {"snapshot_id": None, "snapshots": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nodes/x", 404, "graph.node_not_found"),
        ("nodes/", 422, "graph.invalid_query"),
        ("nodes/a%00b", 422, "graph.invalid_query"),
        ("nodes/a?as_of=2026-13-01", 422, "graph.invalid_query"),
        ("nodes/a?as_of=yesterday", 404, "graph.tag_not_found"),
        ("nodes/a?as_of=2026-11-01", 422, "graph.invalid_query"),
        ("nodes/a?as_of=1999-01-01T00:00:00Z", 404, "graph.snapshot_not_found"),
        ("nodes/a?as_of=12345", 404, "graph.snapshot_not_found"),
        ("neighbors", 422, "request.invalid"),
        ("neighbors?node=x", 404, "graph.node_not_found"),
        ("neighbors?node=a&depth=6", 422, "graph.invalid_query"),
        ("neighbors?node=a&depth=11", 422, "request.invalid"),
        ("neighbors?node=a&depth=one", 422, "request.invalid"),
        ("neighbors?node=a&direction=up", 422, "request.invalid"),
        ("neighbors?node=a&type=a%20b", 422, "graph.invalid_query"),
        ("neighbors?node=a&cursor=bm90IG9uZQ", 422, "graph.invalid_query"),
        ("neighbors?node=a&limit=1001", 422, "request.invalid"),
        ("paths/shortest?source=d&target=a", 404, "graph.no_path"),
        ("paths/shortest?source=a&target=x", 404, "graph.node_not_found"),
        ("snapshots?limit=0", 422, "request.invalid"),
        ("nowhere", 404, "http.not_found"),
    ],
)
@pytest.mark.usefixtures("receipts")
def test_what_cannot_be_answered_is_a_problem(graph_api: GraphClient, path: str, status: int, code: str) -> None:
    answer = graph_api.get(f"{GRAPH}/{path}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.usefixtures("receipts")
def test_a_snapshot_that_nobody_has_is_not_waited_for(graph_api: GraphClient) -> None:
    for header, status in (("12345", 404), ("latest", 422)):
        assert graph_api.get(f"{GRAPH}/statistics", headers={"Aeterna-Snapshot": header}).status_code == status


def test_a_snapshot_seen_elsewhere_is_seen_here(graph_api: GraphClient, receipts: list[dict[str, Any]]) -> None:
    headers = {"Aeterna-Snapshot": receipts[1]["snapshot_id"]}

    assert graph_api.get(f"{GRAPH}/statistics", headers=headers).json()["seq"] == 2


@pytest.mark.usefixtures("receipts")
def test_commits_are_counted_and_timed_for_prometheus(graph_api: GraphClient) -> None:
    metrics = graph_api.get("/metrics").text

    assert "aeterna_graph_commit_seconds_count 2.0" in metrics
    assert "aeterna_graph_commit_sessions_sum 2.0" in metrics
    assert "aeterna_graph_commit_rows_total 11.0" in metrics


def test_readiness_asks_the_catalog(graph_api: GraphClient) -> None:
    assert graph_api.get("/ready").status_code == 200
    assert "catalog" in graph_api.get("/health").json()["checks"]


def test_the_documentation_of_the_api_names_every_route_and_shape(graph_api: GraphClient) -> None:
    document = graph_api.get("/openapi.json").json()

    assert set(document["paths"]) == {
        f"{GRAPH}/{path}"
        for path in (
            "sessions",
            "nodes/{node_id}",
            "neighbors",
            "paths/shortest",
            "snapshots",
            "statistics",
            "subgraph",
            "related",
            "query",
            "search",
            "erasures",
            "erasures/{erasure_id}",
            "erasures/{erasure_id}/verify",
            "holds",
            "holds/{hold_id}",
            "maintenance",
            "tags",
            "tags/{name}",
            "diff",
            "changes",
            "restore",
        )
    } | {
        "/api/v1/knowledge/documents",
        "/api/v1/knowledge/documents/{document}",
        "/api/v1/knowledge/query",
        "/internal/v1/graph/digest",
    }
    schemas = document["components"]["schemas"]
    assert {"ReceiptBody", "NeighborsAnswer", "PathAnswer"} <= schemas.keys()
    body = document["paths"][f"{GRAPH}/sessions"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["title"] == "SessionBody"
    assert "$ref" not in str(body)
    assert all("description" in schema for name, schema in schemas.items() if name.endswith(("Body", "Answer")))


def test_every_parameter_is_described(graph_api: GraphClient) -> None:
    document = graph_api.get("/openapi.json").json()

    silent = [
        (path, parameter["name"])
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]

    assert silent == []
