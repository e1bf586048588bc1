"""Long questions through both faces of the client, answered by the graph API itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.client import Aeterna, AsyncAeterna, Edge, InvalidQueryError, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.fix_graph_api import GraphClient

URL = "http://graph.test"
OWNERS = {
    "nodes": {"s": {"kind": "Service"}, "t": {"kind": "Team"}},
    "edges": [{"from": "s", "to": "t", "type": "owned_by", "as": "e"}],
    "return": ["s", "e", "s.properties.tier"],
    "limit": 1,
}


@pytest.fixture
def transport(graph_api: GraphClient) -> httpx.MockTransport:
    """Return the way to an API that holds two services of one team."""

    def handle(request: httpx.Request) -> httpx.Response:
        path, headers = request.url.raw_path.decode(), dict(request.headers)
        if request.method == "POST":
            answer = graph_api.post(path, headers=headers, content=request.content)
        else:
            answer = graph_api.get(path, headers=headers)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return httpx.MockTransport(handle)


@pytest.fixture
def services(transport: httpx.MockTransport) -> Iterator[Aeterna]:
    with Aeterna(graph_url=URL, threads_url=URL, token="acme", transport=transport) as aeterna:
        with aeterna.graph.session("1") as session:
            session.node("svc:checkout", kind="Service", tier=1, name="Checkout API")
            session.node("svc:ledger", kind="Service", tier=2)
            session.node("team:payments", kind="Team")
            session.edge("svc:checkout", "owned_by", "team:payments", since=2024)
            session.edge("svc:ledger", "owned_by", "team:payments")
        yield aeterna


def test_a_pattern_is_answered_with_nodes_edges_and_values(services: Aeterna) -> None:
    first = services.graph.query(OWNERS)
    second = services.graph.query(OWNERS, cursor=first.next_cursor)

    assert first.columns == ("s", "e", "s.properties.tier")
    assert first.rows == (
        (
            Node(id="svc:checkout", kind="Service", properties={"tier": 1, "name": "Checkout API"}),
            Edge(source="svc:checkout", type="owned_by", target="team:payments", properties={"since": 2024}),
            1,
        ),
    )
    assert [row[2] for row in second.rows] == [2]
    assert second.next_cursor is None


def test_matches_are_counted(services: Aeterna) -> None:
    assert services.graph.query({**OWNERS, "count": True}).count == 2


def test_a_pattern_that_cannot_be_asked_is_an_error_that_says_why(services: Aeterna) -> None:
    with pytest.raises(InvalidQueryError, match="add an edge"):
        services.graph.query({"nodes": {"a": {}, "b": {}}})


def test_words_are_found_with_their_places(services: Aeterna) -> None:
    (hit,) = services.graph.search("checkout api", kinds=("Service",)).hits

    assert (hit.id, hit.kind) == ("svc:checkout", "Service")
    assert [(each.field, each.places) for each in hit.matched] == [
        ("id", ((4, 12),)),
        ("properties.name", ((0, 8), (9, 12))),
    ]


def test_related_nodes_come_with_what_they_share(services: Aeterna) -> None:
    found = services.graph.related("svc:checkout", types=("owned_by",), limit=5)

    assert [(each.node.id, each.shared, each.because) for each in found.nodes] == [
        ("svc:ledger", 1, ("team:payments",))
    ]


def test_a_subgraph_can_be_narrowed(services: Aeterna) -> None:
    found = services.graph.subgraph(["team:payments"], where=("tier>=2",), max_edges=10)

    assert found.ids == ("team:payments", "svc:ledger")
    assert [edge.source for edge in found.edges] == ["svc:ledger"]
    assert (found.more_nodes, found.more_edges) == (False, False)


def test_neighbors_and_paths_take_conditions_and_types(services: Aeterna) -> None:
    near = services.graph.neighbors("team:payments", direction="in", where=("name",))
    path = services.graph.shortest_path("svc:checkout", "svc:ledger", direction="both", types=("owned_by",))

    assert near.ids == ("svc:checkout",)
    assert path.nodes == ("svc:checkout", "team:payments", "svc:ledger")


@pytest.mark.anyio
async def test_asynchronous_code_asks_the_same(services: Aeterna, transport: httpx.MockTransport) -> None:
    async with AsyncAeterna(graph_url=URL, threads_url=URL, token="acme", transport=transport) as aeterna:
        assert await aeterna.graph.query(OWNERS) == services.graph.query(OWNERS)
        assert await aeterna.graph.search("ledger") == services.graph.search("ledger")
        assert await aeterna.graph.related("svc:ledger") == services.graph.related("svc:ledger")
        assert await aeterna.graph.subgraph(["svc:ledger"]) == services.graph.subgraph(["svc:ledger"])
