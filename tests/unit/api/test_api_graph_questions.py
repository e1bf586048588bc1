"""Long questions over HTTP: shapes, pages, tokens, limits and problems."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.fix_graph_api import graph_client

if TYPE_CHECKING:
    from aeterna.service.testing import FakeDecisionPoint
    from fixtures.fix_graph_api import GraphClient

GRAPH = "/api/v1/graph"
GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "graph-queries.md"
SERVICES = {
    "session_id": "1",
    "nodes": [
        {"id": "svc:checkout", "kind": "Service", "properties": {"tier": 1, "name": "Checkout API"}},
        {"id": "svc:ledger", "kind": "Service", "properties": {"tier": 2}},
        {"id": "team:payments", "kind": "Team"},
    ],
    "edges": [
        {"source": "svc:checkout", "type": "owned_by", "target": "team:payments"},
        {"source": "svc:ledger", "type": "owned_by", "target": "team:payments", "properties": {"since": 2024}},
    ],
}
OWNERS: dict[str, Any] = {
    "nodes": {"s": {"kind": "Service", "where": ["tier<=2"]}, "t": {"kind": ["Team"]}},
    "edges": [{"from": "s", "to": "t", "type": "owned_by", "as": "e"}],
    "return": ["s", "e", "s.properties.tier", "t.id"],
    "order": [{"by": "s.properties.tier", "descending": True}],
}


@pytest.fixture
def receipt(graph_api: GraphClient) -> dict[str, Any]:
    """Two services of one team."""
    return graph_api.post(f"{GRAPH}/sessions", json=SERVICES).json()


def test_a_pattern_has_the_shape_that_clients_know(graph_api: GraphClient, receipt: dict[str, Any]) -> None:
    answer = graph_api.post(f"{GRAPH}/query", json={**OWNERS, "limit": 1})

    body = answer.json()
    assert body.pop("next_cursor")
    assert body == {
        "snapshot_id": receipt["snapshot_id"],
        "columns": ["s", "e", "s.properties.tier", "t.id"],
        "rows": [
            [
                {"id": "svc:ledger", "kind": "Service", "properties": {"tier": 2}},
                {
                    "source": "svc:ledger",
                    "type": "owned_by",
                    "target": "team:payments",
                    "properties": {"since": 2024},
                },
                2,
                "team:payments",
            ]
        ],
        "count": None,
    }
    assert answer.headers["Aeterna-Seq"] == str(receipt["seq"])


def test_pages_of_a_pattern_stay_in_the_state_of_the_first(graph_api: GraphClient, receipt: dict[str, Any]) -> None:
    question = {**OWNERS, "return": ["s.id"], "limit": 1}
    first = graph_api.post(f"{GRAPH}/query", json=question).json()
    graph_api.post(f"{GRAPH}/sessions", json={"session_id": "2", "remove": {"nodes": ["svc:checkout"]}})

    answer = graph_api.post(f"{GRAPH}/query", json={**question, "cursor": first["next_cursor"]})

    second = answer.json()
    assert (first["rows"], second["rows"]) == ([["svc:ledger"]], [["svc:checkout"]])
    assert (answer.headers["Aeterna-Seq"], second["next_cursor"]) == (str(receipt["seq"]), None)


def test_matches_can_be_counted(graph_api: GraphClient, receipt: dict[str, Any]) -> None:
    answer = graph_api.post(f"{GRAPH}/query", json={**OWNERS, "count": True}).json()

    assert answer == {
        "snapshot_id": receipt["snapshot_id"],
        "columns": [],
        "rows": [],
        "count": 2,
        "next_cursor": None,
    }


def test_a_search_has_the_shape_that_clients_know(graph_api: GraphClient, receipt: dict[str, Any]) -> None:
    answer = graph_api.get(f"{GRAPH}/search", params={"q": "checkout api", "kind": "Service"}).json()

    (hit,) = answer["hits"]
    assert hit.pop("score") > 0
    assert hit == {
        "id": "svc:checkout",
        "kind": "Service",
        "matched": [
            {"field": "id", "snippet": "svc:checkout", "places": [[4, 12]]},
            {"field": "properties.name", "snippet": "Checkout API", "places": [[0, 8], [9, 12]]},
        ],
    }
    assert answer["snapshot_id"] == receipt["snapshot_id"]


def test_related_nodes_have_the_shape_that_clients_know(graph_api: GraphClient, receipt: dict[str, Any]) -> None:
    answer = graph_api.get(f"{GRAPH}/related", params={"node": "svc:checkout"}).json()

    assert answer == {
        "snapshot_id": receipt["snapshot_id"],
        "nodes": [
            {
                "id": "svc:ledger",
                "kind": "Service",
                "properties": {"tier": 2},
                "score": 1.442695041,
                "shared": 1,
                "because": ["team:payments"],
            }
        ],
        "hubs": 0,
    }


def test_a_subgraph_has_the_shape_that_clients_know(graph_api: GraphClient, receipt: dict[str, Any]) -> None:
    question = {"seeds": ["svc:ledger"], "depth": 2, "where": [{"property": "tier", "op": ">", "value": 1}]}
    answer = graph_api.post(f"{GRAPH}/subgraph", json={**question, "kinds": ["Service"]}).json()

    assert answer == {
        "snapshot_id": receipt["snapshot_id"],
        "nodes": [{"id": "svc:ledger", "kind": "Service", "properties": {"tier": 2}, "depth": 0}],
        "edges": [],
        "more_nodes": False,
        "more_edges": False,
    }


def test_neighbors_can_be_filtered_by_properties(graph_api: GraphClient, receipt: dict[str, Any]) -> None:
    params = {"node": "team:payments", "direction": "in", "where": ["tier<2", "name"]}
    answer = graph_api.get(f"{GRAPH}/neighbors", params=params).json()

    assert [node["id"] for node in answer["nodes"]] == ["svc:checkout"]
    assert answer["snapshot_id"] == receipt["snapshot_id"]


@pytest.mark.parametrize("moment", ["snapshot_id", "committed_at"])
def test_every_question_can_be_asked_of_the_past(graph_api: GraphClient, receipt: dict[str, Any], moment: str) -> None:
    graph_api.get(f"{GRAPH}/search", params={"q": "checkout"})
    graph_api.post(
        f"{GRAPH}/sessions", json={"session_id": "2", "remove": {"nodes": ["svc:checkout", "team:payments"]}}
    )
    then = {"as_of": receipt[moment]}

    found = graph_api.get(f"{GRAPH}/search", params={"q": "checkout", **then}).json()["hits"]
    related = graph_api.get(f"{GRAPH}/related", params={"node": "svc:checkout", **then}).json()["nodes"]
    around = graph_api.post(f"{GRAPH}/subgraph", params=then, json={"seeds": ["team:payments"]}).json()["nodes"]
    matched = graph_api.post(f"{GRAPH}/query", params=then, json={**OWNERS, "count": True}).json()["count"]

    assert [len(each) for each in (found, related, around)] == [1, 1, 3]
    assert matched == 2
    assert graph_api.get(f"{GRAPH}/search", params={"q": "checkout"}).json()["hits"] == []


@pytest.mark.parametrize(
    ("question", "code", "says"),
    [
        ({"nodes": {"a": {}, "b": {}}}, "graph.invalid_query", "add an edge"),
        ({"nodes": {"a": {"where": ["=1"]}}}, "graph.invalid_query", "nodes.a.where"),
        ({"nodes": {"a": {}}, "return": ["a; DROP TABLE node"]}, "graph.invalid_query", "return"),
        ({"nodes": {"a": {}}, "cursor": "x"}, "graph.invalid_query", "cursor"),
        ({"nodes": {"a": {}}, "sql": "SELECT 1"}, "request.invalid", "sql"),
        ({"nodes": {}}, "request.invalid", "nodes"),
    ],
)
def test_a_pattern_that_cannot_be_asked_is_a_problem_that_says_what_would_do(
    graph_api: GraphClient, question: dict[str, Any], code: str, says: str
) -> None:
    answer = graph_api.post(f"{GRAPH}/query", json=question)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert says in answer.text


@pytest.mark.parametrize("text", ['"', "*", '" OR 1', "a AND", "NEAR(", "id:x", "-", "(((", "'; --", "\\"])
def test_no_search_is_malformed(graph_api: GraphClient, receipt: dict[str, Any], text: str) -> None:
    """Either there are words in it, or the answer says that there are none."""
    answer = graph_api.get(f"{GRAPH}/search", params={"q": text})

    assert answer.status_code == 200 or answer.json()["code"] == "graph.invalid_query"


def test_depth_is_limited_by_a_setting(tmp_path: Path, decisions: FakeDecisionPoint) -> None:
    with graph_client(tmp_path, decisions, max_depth=7) as graph_api:
        graph_api.post(f"{GRAPH}/sessions", json=SERVICES)

        assert graph_api.get(f"{GRAPH}/neighbors", params={"node": "svc:ledger", "depth": 7}).status_code == 200
        deeper = graph_api.post(f"{GRAPH}/subgraph", json={"seeds": ["svc:ledger"], "depth": 8})

    assert (deeper.status_code, deeper.json()["detail"]) == (422, "depth: must be 0 to 7, not 8")


def test_a_page_ends_before_it_has_too_many_bytes(tmp_path: Path, decisions: FakeDecisionPoint) -> None:
    nodes = [{"id": f"n{place}", "kind": "K", "properties": {"text": "x" * 600}} for place in range(4)]
    edges = [{"source": "n0", "type": "t", "target": f"n{place}"} for place in range(1, 4)]
    params = {"node": "n0"}
    with graph_client(tmp_path, decisions, page_bytes=1024) as graph_api:
        graph_api.post(f"{GRAPH}/sessions", json={"session_id": "1", "nodes": nodes, "edges": edges})
        pages = [graph_api.get(f"{GRAPH}/neighbors", params=params).json()]
        while cursor := pages[-1]["next_cursor"]:
            pages.append(graph_api.get(f"{GRAPH}/neighbors", params={**params, "cursor": cursor}).json())
        rows = graph_api.post(f"{GRAPH}/query", json={"nodes": {"n": {}}}).json()
        whole = graph_api.post(f"{GRAPH}/subgraph", json={"seeds": ["n0"]})

    assert [[node["id"] for node in page["nodes"]] for page in pages] == [["n1"], ["n2"], ["n3"]]
    assert [[edge["target"] for edge in page["edges"]] for page in pages] == [["n1"], ["n2"], ["n3"]]
    assert (len(rows["rows"]), bool(rows["next_cursor"])) == (1, True)
    assert (whole.status_code, whole.json()["code"]) == (422, "graph.answer_too_large")
    assert "lower depth" in whole.json()["detail"]


def test_every_question_is_documented_with_an_example(graph_api: GraphClient) -> None:
    document = graph_api.get("/openapi.json").json()

    schemas = document["components"]["schemas"]
    for example in (*schemas["QueryBody"]["examples"], *schemas["SubgraphBody"]["examples"]):
        route = "subgraph" if "seeds" in example else "query"
        answer = graph_api.post(f"{GRAPH}/{route}", json=example)
        assert answer.status_code in {200, 404}, answer.text
    assert "SELECT" not in str(document)


def test_the_examples_of_the_guide_are_answered(graph_api: GraphClient) -> None:
    blocks = re.findall(r"```json\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    session, *questions = [json.loads(block) for block in blocks]
    graph_api.post(f"{GRAPH}/sessions", json=session)

    answers = [graph_api.post(f"{GRAPH}/{'subgraph' if 'seeds' in one else 'query'}", json=one) for one in questions]
    related = graph_api.get(f"{GRAPH}/related", params={"node": "svc:checkout-api"}).json()["nodes"]

    assert [answer.status_code for answer in answers] == [200] * 3
    around, owned, called = (answer.json() for answer in answers)
    assert [node["id"] for node in around["nodes"]] == ["svc:ledger", "svc:checkout-api"]
    assert owned["rows"] == [["svc:ledger", "team:payments", 10], ["svc:ledger", "team:payments", None]]
    assert called["rows"] == [["svc:ledger"], ["svc:orderService"]]
    assert [(node["id"], round(node["score"], 3)) for node in related] == [
        ("svc:ledger", 2.885),
        ("svc:orderService", 0.91),
        ("team:payments", 0.91),
    ]
