"""No long question of one tenant is answered from another tenant's graph, and none is read as anything but data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from fixtures.fix_graph_api import GraphClient

GRAPH: Final = "/api/v1/graph"
THEIRS: Final = {"Authorization": "Bearer umbrella"}
PAIR: Final[dict[str, Any]] = {"nodes": {"a": {}, "b": {}}, "edges": [{"from": "a", "to": "b"}]}
ATTACKS: Final = [
    "'; DROP TABLE node; --",
    '" OR 1=1 --',
    "') UNION SELECT number, id, kind, properties FROM node --",
    "read_csv('/etc/passwd')",
    "$1",
    "/~1",
    "\\u0000",
    "%27%3B",
]


@pytest.fixture
def theirs(graph_api: GraphClient) -> dict[str, Any]:
    """Umbrella has a secret, acme one node of its own."""
    graph_api.post(f"{GRAPH}/sessions", json={"session_id": "ours", "nodes": [{"id": "mine", "kind": "K"}]})
    secret = {
        "session_id": "theirs",
        "nodes": [{"id": f"secret{place}", "kind": "Secret", "properties": {"text": "secret"}} for place in range(3)],
        "edges": [{"source": "secret0", "type": "t", "target": f"secret{place}"} for place in (1, 2)],
    }
    return graph_api.post(f"{GRAPH}/sessions", json=secret, headers=THEIRS).json()


def test_words_patterns_and_shapes_of_another_tenant_do_not_exist(
    graph_api: GraphClient, theirs: dict[str, Any]
) -> None:
    graph_api.get(f"{GRAPH}/search", params={"q": "secret"}, headers=THEIRS)
    page = graph_api.post(f"{GRAPH}/query", json={**PAIR, "limit": 1}, headers=THEIRS).json()

    found = graph_api.get(f"{GRAPH}/search", params={"q": "secret*"}).json()["hits"]
    matched = graph_api.post(f"{GRAPH}/query", json={"nodes": {"a": {"kind": "Secret"}}, "count": True}).json()["count"]
    refused = [
        graph_api.get(f"{GRAPH}/related", params={"node": "secret1"}),
        graph_api.post(f"{GRAPH}/subgraph", json={"seeds": ["mine", "secret1"]}),
        graph_api.get(f"{GRAPH}/search", params={"q": "secret", "as_of": theirs["snapshot_id"]}),
        graph_api.post(f"{GRAPH}/query", params={"as_of": theirs["snapshot_id"]}, json=PAIR),
    ]
    continued = graph_api.post(f"{GRAPH}/query", json={**PAIR, "limit": 1, "cursor": page["next_cursor"]})

    assert (found, matched) == ([], 0)
    assert [answer.status_code for answer in refused] == [404] * 4
    assert "secret" not in continued.text


@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_text_that_would_be_sql_is_a_text(graph_api: GraphClient, attack: str) -> None:
    """It is written, found again as it stands, and nothing else changes."""
    node = {"id": attack, "kind": "K", "properties": {attack: attack}}
    graph_api.post(f"{GRAPH}/sessions", json={"session_id": "attack", "nodes": [node]})
    where = [{"property": attack, "value": attack}]

    by_property = graph_api.post(
        f"{GRAPH}/query",
        json={"nodes": {"n": {"where": where}}, "return": ["n.id", f"n.properties.{attack}"], "distinct": True},
    ).json()
    by_id = graph_api.post(f"{GRAPH}/query", json={"nodes": {"n": {"id": attack}}, "return": ["n.id"]}).json()
    everything = graph_api.post(f"{GRAPH}/query", json={"nodes": {"n": {}}, "return": ["n.id"]}).json()
    searched = graph_api.get(f"{GRAPH}/search", params={"q": attack})

    assert by_property["rows"] == [[attack, attack]]
    assert by_id["rows"] == [[attack]]
    assert {row[0] for row in everything["rows"]} == {"mine", attack}
    assert searched.status_code in {200, 422}
