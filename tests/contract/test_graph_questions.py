"""What every lens answers to questions about more than one node's surroundings, whatever holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.queries import neighbors_query, path_query
from aeterna.graph.domain.questions.filters import conditions
from aeterna.graph.domain.questions.patterns import node_pattern, pattern
from aeterna.graph.domain.questions.relatedness import related_query
from aeterna.graph.domain.questions.subgraphs import subgraph_query
from aeterna.graph.errors import NodeNotFoundError, NoPathError
from fixtures.fix_services import LONG, SERVICES

if TYPE_CHECKING:
    from aeterna.graph.ports import Lens


@pytest.mark.parametrize(
    ("law", "where", "expected"),
    [
        ("a text equals a text", ["owner=payments"], ["svc:checkout-api", "svc:ledger"]),
        ("numbers compare whatever their form", ["tier=1"], ["svc:checkout-api", "svc:ledger"]),
        ("numbers have an order", ["tier>=1.5"], ["svc:orderService"]),
        ("a text that looks like a number is a text", ['tier="2"'], ["svc:mail"]),
        ("texts have an order", ["owner<q"], ["svc:checkout-api", "svc:ledger"]),
        ("null is a value", ["owner=null"], ["svc:orderService"]),
        ("what is there and not equal is unequal", ["owner!=payments"], ["svc:orderService"]),
        ("what is there exists", ["retired"], ["svc:mail"]),
        ("what is not there is missing", ["!tier"], ["alone", "tbl:order_items", "team:payments"]),
        ("what is not there matches nothing", ["nowhere!=1"], []),
        ("all conditions must hold", ["owner=payments", "tier=1", "text"], ["svc:ledger"]),
        ("true is not 1", ["retired=1"], []),
    ],
)
def test_conditions_on_properties(lens: Lens, law: str, where: list[str], expected: list[str]) -> None:
    """Every way to filter means the same: neighbours, subgraphs and patterns."""
    wanted = conditions(where)
    everything = [node.id for node in SERVICES.nodes]
    with lens.view(LONG) as view:
        matched = view.matches(pattern([node_pattern("n", where=wanted)], returns=["n.id"])).rows
        around = view.subgraph(subgraph_query(["tbl:order_items"], depth=5, where=wanted)).nodes
        near = view.neighbors(neighbors_query("tbl:order_items", depth=5, direction="both", where=wanted)).nodes

    assert [row[0] for row in matched] == expected, law
    reached = [id_ for id_ in expected if id_ in everything and id_ not in {"alone", "tbl:order_items"}]
    assert sorted(node.id for node in around if node.depth) == reached
    assert sorted(node.id for node in near) == reached


def test_pages_of_filtered_neighbors_follow_each_other(lens: Lens) -> None:
    found: list[str] = []
    position = None
    with lens.view(LONG) as view:
        for _ in range(3):
            query = neighbors_query(
                "tbl:order_items", depth=5, direction="both", where=conditions(["tier"]), limit=2, after=position
            )
            page = view.neighbors(query)
            found += [node.id for node in page.nodes]
            position = page.next
            if position is None:
                break

    assert found == ["svc:checkout-api", "svc:orderService", "svc:ledger", "svc:mail"]
    assert position is None


def test_types_limit_what_a_path_walks(lens: Lens) -> None:
    with lens.view(LONG) as view:
        path = view.shortest_path(path_query("svc:checkout-api", "svc:mail", types=["calls"]))
        with pytest.raises(NoPathError):
            view.shortest_path(path_query("svc:checkout-api", "svc:mail", types=["reads"], direction="both"))

    assert path.nodes == ("svc:checkout-api", "svc:orderService", "svc:mail")


def test_a_subgraph_has_every_edge_between_its_nodes(lens: Lens) -> None:
    with lens.view(LONG) as view:
        found = view.subgraph(subgraph_query(["team:payments", "svc:mail"], depth=1))

    assert [(node.depth, node.id) for node in found.nodes] == [
        (0, "svc:mail"),
        (0, "team:payments"),
        (1, "svc:checkout-api"),
        (1, "svc:ledger"),
        (1, "svc:orderService"),
    ]
    here = {node.id for node in found.nodes}
    assert found.edges == tuple(edge for edge in SERVICES.edges if {edge.key.source, edge.key.target} <= here)
    assert (found.more_nodes, found.more_edges) == (False, False)


def test_the_limits_of_a_subgraph_say_that_there_is_more(lens: Lens) -> None:
    with lens.view(LONG) as view:
        found = view.subgraph(subgraph_query(["svc:orderService"], depth=3, nodes=3, edges=2))

    assert [node.id for node in found.nodes] == ["svc:orderService", "svc:checkout-api", "svc:mail"]
    assert [edge.key.target for edge in found.edges] == ["svc:orderService", "svc:checkout-api"]
    assert (found.more_nodes, found.more_edges) == (True, True)


def test_a_subgraph_walks_and_returns_only_the_types_and_kinds_that_are_asked_for(lens: Lens) -> None:
    with lens.view(LONG) as view:
        found = view.subgraph(subgraph_query(["team:payments"], depth=2, types=["owned_by", "reads"], kinds=["Table"]))

    assert [node.id for node in found.nodes] == ["team:payments", "tbl:order_items"]
    assert not found.edges


def test_a_seed_that_does_not_exist_is_named(lens: Lens) -> None:
    with lens.view(LONG) as view, pytest.raises(NodeNotFoundError, match="nowhere"):
        view.subgraph(subgraph_query(["alone", "nowhere"]))


def test_related_nodes_share_neighbours_and_the_rarer_ones_count_more(lens: Lens) -> None:
    """The team is joined to two nodes, the checkout to five."""
    with lens.view(LONG) as view:
        found = view.related(related_query("svc:ledger"))

    assert [(node.id, node.shared, node.because) for node in found.nodes] == [
        ("svc:checkout-api", 1, ("team:payments",)),
        ("svc:mail", 1, ("svc:checkout-api",)),
        ("svc:orderService", 1, ("svc:checkout-api",)),
        ("tbl:order_items", 1, ("svc:checkout-api",)),
        ("team:payments", 1, ("svc:checkout-api",)),
    ]
    scores = {str(node.id): node.score for node in found.nodes}
    assert scores["svc:checkout-api"] == pytest.approx(1.442695041)  # 1 / ln 2
    assert scores["svc:mail"] == pytest.approx(0.621334935)  # 1 / ln 5


def test_related_nodes_can_be_of_some_kinds_and_by_some_types(lens: Lens) -> None:
    with lens.view(LONG) as view:
        found = view.related(related_query("svc:checkout-api", types=["reads", "owned_by"], kinds=["Service"], limit=1))

    assert [(node.id, node.because) for node in found.nodes] == [("svc:ledger", ("team:payments",))]


def test_a_node_without_neighbours_is_like_none(lens: Lens) -> None:
    with lens.view(LONG) as view:
        assert not view.related(related_query("alone")).nodes
        with pytest.raises(NodeNotFoundError):
            view.related(related_query("nowhere"))


def test_statistics_tell_how_the_graph_is_joined(lens: Lens) -> None:
    with lens.view(LONG) as view:
        found = view.statistics()

    assert (found.degree_mean, found.degree_max, found.isolated) == (18 / 7, 5, 1)
    assert found.hub == "svc:checkout-api"
