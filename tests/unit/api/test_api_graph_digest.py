"""What a replica says of the graph that it shows: to administrators, and of their own tenant only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aeterna.service.testing import FakeDecisionPoint
    from fixtures.fix_graph_api import GraphClient

DIGEST = "/internal/v1/graph/digest"


def commit(graph_api: GraphClient, id_: str, **changes: Any) -> int:  # noqa: ANN401 - JSON
    """Commit a session and return its seq."""
    done = graph_api.post("/api/v1/graph/sessions", json={"session_id": id_, "nodes": [], "edges": [], **changes})
    assert done.status_code == 201, done.text
    return int(done.json()["seq"])


def node(id_: str) -> dict[str, Any]:
    """Return a node as the wire has it."""
    return {"id": id_, "kind": "Thing", "properties": {}}


def test_a_fingerprint_says_which_state_it_is_of_and_how_large(graph_api: GraphClient) -> None:
    commit(graph_api, "s", nodes=[node("a"), node("b")], edges=[{"source": "a", "type": "to", "target": "b"}])

    found = graph_api.get(DIGEST).json()

    assert (found["seq"], found["nodes"], found["edges"]) == (1, 2, 1)
    assert len(found["digest"]) == 64


def test_two_histories_of_the_same_graph_have_the_same_digest(graph_api: GraphClient) -> None:
    commit(graph_api, "one", nodes=[node("a")])
    before = graph_api.get(DIGEST).json()["digest"]
    commit(graph_api, "two", nodes=[node("b")])
    between = graph_api.get(DIGEST).json()["digest"]
    commit(graph_api, "three", remove={"nodes": ["b"]})

    after = graph_api.get(DIGEST).json()["digest"]

    assert after == before != between


def test_tenants_do_not_see_each_others_fingerprint(graph_api: GraphClient) -> None:
    commit(graph_api, "s", nodes=[node("a")])

    other = graph_api.get(DIGEST, headers={"Authorization": "Bearer umbrella"}).json()

    assert (other["seq"], other["nodes"], other["snapshot_id"]) == (0, 0, None)


def test_only_who_may_manage_the_graph_gets_a_fingerprint(graph_api: GraphClient, decisions: FakeDecisionPoint) -> None:
    """It walks the whole graph, so it is nothing for every reader."""
    graph_api.get(DIGEST)

    assert "graph.manage" in {action for _, action, _ in decisions.asked}
