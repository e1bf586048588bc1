"""What every lens finds that fits a pattern, whatever holds it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import Edge, Node, edge_of, session_of
from aeterna.graph.domain.questions.filters import condition
from aeterna.graph.domain.questions.patterns import edge_pattern, node_pattern, pattern
from fixtures.fix_services import LONG, SERVICES, apply

if TYPE_CHECKING:
    from aeterna.graph.domain.questions.patterns import Pattern, Value
    from aeterna.graph.ports import Lens


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
    apply(lens, session_of("2", subject="ada", edges=[edge_of("svc:orderService", "reads", "svc:mail")]), seq=2)

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
