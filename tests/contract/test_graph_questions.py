"""What every lens answers to questions about more than one node's surroundings, whatever holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from aeterna.graph.domain.changes import Edge, Node, edge_of, node_of, removed_node_of, session_of
from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.queries import neighbors_query, path_query
from aeterna.graph.domain.questions.filters import condition, conditions
from aeterna.graph.domain.questions.patterns import edge_pattern, node_pattern, pattern
from aeterna.graph.domain.questions.relatedness import related_query
from aeterna.graph.domain.questions.searches import search_query
from aeterna.graph.domain.questions.subgraphs import subgraph_query
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import NodeNotFoundError, NoPathError
from aeterna.graph.testing import MemoryLens
from fixtures.fix_graph import arrow_lens, batch_of

if TYPE_CHECKING:
    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.questions.patterns import Pattern, Value
    from aeterna.graph.ports import Lens, LensFactory

LENSES: Final[dict[str, LensFactory]] = {"memory": MemoryLens, "arrow": arrow_lens}
LONG: Final = timedelta(minutes=1)

SERVICES: Final = session_of(
    "services",
    subject="ada",
    nodes=[
        node_of("svc:checkout-api", "Service", {"name": "Checkout API", "tier": 1, "owner": "payments"}),
        node_of("svc:ledger", "Service", {"name": "Ledger", "tier": 1.0, "owner": "payments", "text": "books money"}),
        node_of("svc:orderService", "Service", {"tier": 2, "owner": None, "note": "takes the order of a café"}),
        node_of("svc:mail", "Service", {"tier": "2", "retired": True}),
        node_of("team:payments", "Team", {"title": "Payments team"}),
        node_of("tbl:order_items", "Table", {"tags": ["order lines", "checkout data"]}),
        node_of("alone", "Thing"),
    ],
    edges=[
        edge_of("svc:checkout-api", "calls", "svc:ledger", {"rate": 10}),
        edge_of("svc:checkout-api", "calls", "svc:orderService", {"rate": 5}),
        edge_of("svc:orderService", "calls", "svc:mail"),
        edge_of("svc:orderService", "calls", "svc:orderService"),
        edge_of("svc:orderService", "reads", "tbl:order_items"),
        edge_of("svc:checkout-api", "reads", "tbl:order_items"),
        edge_of("svc:checkout-api", "owned_by", "team:payments"),
        edge_of("svc:ledger", "owned_by", "team:payments"),
        edge_of("svc:mail", "calls", "svc:checkout-api"),
    ],
)


@pytest.fixture(params=LENSES.values(), ids=list(LENSES))
def lens(request: pytest.FixtureRequest) -> Lens:
    factory: LensFactory = request.param
    lens = factory()
    _apply(lens, SERVICES)
    return lens


def _apply(lens: Lens, session: Session, seq: int = 1) -> None:
    batch = batch_of(session, first_seq=seq)
    lens.apply(
        batch.rows,
        Snapshot(id=SnapshotId(seq * 10), first_seq=seq, last_seq=seq, committed_at=batch.committed_at),
    )


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


def _rows(lens: Lens, query: Pattern) -> list[tuple[object, ...]]:
    with lens.view(LONG) as view:
        return [tuple(_short(value) for value in row) for row in view.matches(query).rows]


def _short(value: Value) -> object:
    match value:
        case Node():
            return value.id
        case Edge():
            return tuple(value.key)
        case _:
            return value


def test_a_pattern_finds_every_assignment_of_its_variables(lens: Lens) -> None:
    query = pattern(
        [node_pattern("s", kinds=["Service"]), node_pattern("t", kinds=["Team"])],
        [edge_pattern("s", "t", types=["owned_by"])],
        returns=["s.id", "t", "s.properties.tier", "s.properties.nowhere"],
    )

    assert _rows(lens, query) == [
        ("svc:checkout-api", "team:payments", 1, None),
        ("svc:ledger", "team:payments", 1.0, None),
    ]


def test_two_variables_may_be_one_node_unless_that_is_forbidden(lens: Lens) -> None:
    nodes = [node_pattern("a"), node_pattern("b", kinds=["Service"])]
    edges = [edge_pattern("a", "b", types=["calls"])]
    loop = ("svc:orderService", "svc:orderService")

    assert loop in _rows(lens, pattern(nodes, edges, returns=["a.id", "b.id"]))
    assert loop not in _rows(lens, pattern(nodes, edges, returns=["a.id", "b.id"], different=[("a", "b")]))


def test_a_named_edge_is_part_of_a_match_and_an_unnamed_one_only_has_to_be_there(lens: Lens) -> None:
    """Two edges lead from the order service to itself and the mail: two matches, or one where nobody asks which."""
    nodes = [node_pattern("a", ids=["svc:checkout-api"]), node_pattern("b", kinds=["Service"]), node_pattern("c")]
    edges = [edge_pattern("a", "b"), edge_pattern("b", "c", types=["calls", "reads"])]
    named = [edges[0], edge_pattern("b", "c", types=["calls", "reads"], name="e")]
    _apply(lens, session_of("2", subject="ada", edges=[edge_of("svc:orderService", "reads", "svc:mail")]), seq=2)

    assert len(_rows(lens, pattern(nodes, named, returns=["e"]))) == 4
    assert len(_rows(lens, pattern(nodes, edges, returns=["c.id"]))) == 3


@pytest.mark.parametrize(
    ("law", "hops", "direction", "expected"),
    [
        ("one hop is an edge", (1, 1), "out", ["svc:ledger", "svc:orderService"]),
        ("two hops are two edges", (2, 2), "out", ["svc:mail", "svc:orderService"]),
        ("a range is any of them", (1, 3), "out", ["svc:checkout-api", "svc:ledger", "svc:mail", "svc:orderService"]),
        ("edges can be walked back", (1, 1), "in", ["svc:mail"]),
        ("edges can be walked both ways", (1, 1), "both", ["svc:ledger", "svc:mail", "svc:orderService"]),
    ],
)
def test_hops(lens: Lens, law: str, hops: tuple[int, int], direction: str, expected: list[str]) -> None:
    query = pattern(
        [node_pattern("a", ids=["svc:checkout-api"]), node_pattern("b")],
        [edge_pattern("a", "b", types=["calls"], hops=hops, direction=direction)],
        returns=["b.id"],
    )

    assert [row[0] for row in _rows(lens, query)] == expected, law


def test_matches_are_sorted_by_type_and_what_is_missing_comes_last(lens: Lens) -> None:
    def tiers(*, down: bool) -> list[object]:
        query = pattern([node_pattern("n")], returns=["n.properties.tier"], order=[("n.properties.tier", down)])
        return [row[0] for row in _rows(lens, query)]

    assert tiers(down=False) == [1, 1.0, 2, "2", None, None, None]
    assert tiers(down=True) == ["2", 2, 1, 1.0, None, None, None]


def test_edges_can_be_filtered_and_sorted_by(lens: Lens) -> None:
    query = pattern(
        [node_pattern("a"), node_pattern("b")],
        [edge_pattern("a", "b", name="e", where=[condition("rate", ">", 1)])],
        returns=["b.id", "e.properties.rate", "e.type"],
        order=[("e.properties.rate", False)],
    )

    assert _rows(lens, query) == [("svc:orderService", 5, "calls"), ("svc:ledger", 10, "calls")]


def test_distinct_rows_come_once_and_are_counted_once(lens: Lens) -> None:
    nodes, returns = [node_pattern("n")], ["n.kind"]

    assert _rows(lens, pattern(nodes, returns=returns, distinct=True)) == [
        ("Service",),
        ("Table",),
        ("Team",),
        ("Thing",),
    ]
    with lens.view(LONG) as view:
        assert view.matches(pattern(nodes, returns=returns, distinct=True, count=True)).count == 4
        assert view.matches(pattern(nodes, returns=returns, count=True)).count == 7


def test_pages_of_matches_follow_each_other(lens: Lens) -> None:
    with lens.view(LONG) as view:
        first = view.matches(pattern([node_pattern("n")], returns=["n.id"], limit=4))
        rest = view.matches(_at(pattern([node_pattern("n")], returns=["n.id"], limit=4), first.next))

    assert [row[0] for row in (*first.rows, *rest.rows)] == sorted(node.id for node in SERVICES.nodes)
    assert (first.next, rest.next) == (4, None)


def _at(query: Pattern, offset: int | None) -> Pattern:
    assert offset is not None
    return replace(query, offset=offset)


@pytest.mark.parametrize(
    ("law", "text", "expected"),
    [
        ("a part of an id", "checkout", {"svc:checkout-api", "tbl:order_items"}),
        ("a part in camel case", "order", {"svc:orderService", "tbl:order_items"}),
        ("a name in camel case, by its parts", "order service", {"svc:orderService"}),
        ("a name in snake case", "order_items", {"tbl:order_items"}),
        ("a whole id", "svc:checkout-api", {"svc:checkout-api"}),
        ("case and accents do not matter", "CAFE", {"svc:orderService"}),
        ("a beginning", "pay*", {"svc:checkout-api", "svc:ledger", "team:payments"}),
        ("every word must be found", "checkout api", {"svc:checkout-api"}),
        ("a phrase stands together", '"order lines"', {"tbl:order_items"}),
        ("a phrase has an order", '"lines order"', set[str]()),
        ("a phrase ends with its text", '"lines checkout"', set[str]()),
        ("operators are words", "checkout OR ledger", set[str]()),
        ("syntax is nothing", 'checkout" OR id:* NEAR(', set[str]()),
        ("numbers are not texts", "10", set[str]()),
    ],
)
def test_search(lens: Lens, law: str, text: str, expected: set[str]) -> None:
    with lens.view(LONG) as view:
        found = view.search(search_query(text))

    assert {hit.id for hit in found.hits} == expected, law


def test_names_count_more_than_other_texts(lens: Lens) -> None:
    with lens.view(LONG) as view:
        checkout = view.search(search_query("checkout")).hits
        payments = view.search(search_query("payments", kinds=["Team", "Service"])).hits

    assert [hit.id for hit in checkout] == ["svc:checkout-api", "tbl:order_items"]
    assert payments[0].id == "team:payments"
    assert [hit.score for hit in checkout] == sorted((hit.score for hit in checkout), reverse=True)


def test_a_hit_says_where_and_what_was_found(lens: Lens) -> None:
    with lens.view(LONG) as view:
        (hit,) = view.search(search_query("data", kinds=["Table"])).hits

    (matched,) = hit.matched
    assert (matched.field, matched.snippet, matched.places) == ("properties.tags", "checkout data", ((9, 13),))


def test_a_search_follows_what_is_written(lens: Lens) -> None:
    """The index is there already when the nodes change."""
    with lens.view(LONG) as view:
        view.search(search_query("checkout"))
    _apply(
        lens,
        session_of(
            "2",
            subject="ada",
            nodes=[
                node_of("svc:ledger", "Service", {"name": "checkout books"}),
                node_of("new", "Thing", {"a": "checkout"}),
            ],
            removed_nodes=[removed_node_of("tbl:order_items")],
        ),
        seq=2,
    )

    with lens.view(LONG) as view:
        found = view.search(search_query("checkout"))

    assert {hit.id for hit in found.hits} == {"svc:checkout-api", "svc:ledger", "new"}
    assert (found.snapshot_id, found.seq) == (20, 2)


def test_statistics_tell_how_the_graph_is_joined(lens: Lens) -> None:
    with lens.view(LONG) as view:
        found = view.statistics()

    assert (found.degree_mean, found.degree_max, found.isolated) == (18 / 7, 5, 1)
    assert found.hub == "svc:checkout-api"
