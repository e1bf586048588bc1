"""What every lens on a graph answers, whatever holds it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from aeterna.graph.domain.changes import edge_key_of, edge_of, node_of, removed_node_of, session_of
from aeterna.graph.domain.identifiers import NodeId, SessionId
from aeterna.graph.domain.queries import neighbors_query, path_query
from aeterna.graph.errors import NodeNotFoundError, NoPathError
from fixtures.fix_graph import LENSES, START, applied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aeterna.graph.domain.changes import Edge, Node, Session
    from aeterna.graph.domain.queries import Neighbors
    from aeterna.graph.ports import Lens, LensFactory

LONG: Final = timedelta(minutes=1)


@pytest.fixture(params=LENSES.values(), ids=list(LENSES))
def lens(request: pytest.FixtureRequest) -> Lens:
    factory: LensFactory = request.param
    return factory()


def _graph(edges: str, extra: Iterable[Node] = ()) -> Session:
    """Read ``a-t>b c-u>d`` as edges and the nodes that they need."""
    parsed: list[Edge] = []
    for text in edges.split():
        source, rest = text.split("-")
        type_, target = rest.split(">")
        parsed.append(edge_of(source, type_, target))
    named = {node for edge in parsed for node in (edge.key.source, edge.key.target)}
    nodes = [node_of(node, "Letter") for node in named]
    return session_of("graph", subject="ada", nodes=[*nodes, *extra], edges=parsed)


def _found(page: Neighbors) -> list[tuple[int, str]]:
    return [(node.depth, node.id) for node in page.nodes]


def test_an_empty_lens_has_no_snapshot_and_no_nodes(lens: Lens) -> None:
    with lens.view(LONG) as view:
        assert (view.snapshot_id, view.last_seq, view.committed_at) == (None, 0, None)
        with pytest.raises(NodeNotFoundError):
            view.node(NodeId("a"))


def test_a_node_is_what_was_written_last(lens: Lens) -> None:
    applied(lens, session_of("1", subject="ada", nodes=[node_of("a", "Old", {"x": 1})]))
    snapshot = applied(lens, session_of("2", subject="ada", nodes=[node_of("a", "New", {"y": 2})]), first_seq=2)

    with lens.view(LONG) as view:
        node = view.node(NodeId("a"))

    assert (node.kind, node.properties, node.snapshot_id) == ("New", '{"y":2}', snapshot.id)


def test_of_several_writes_in_one_snapshot_the_last_session_wins(lens: Lens) -> None:
    first = session_of("1", subject="ada", nodes=[node_of("a", "T", {"x": 1})])
    second = session_of("2", subject="ada", nodes=[node_of("a", "T", {"x": 2})])
    applied(lens, first, second)

    with lens.view(LONG) as view:
        assert view.node(NodeId("a")).properties == '{"x":2}'


def test_a_view_stays_what_it_was_while_the_lens_moves_on(lens: Lens) -> None:
    first = applied(lens, _graph("a-t>b"))
    with lens.view(LONG) as view:
        applied(
            lens,
            session_of(
                "2", subject="ada", nodes=[node_of("a", "New"), node_of("c", "New")], edges=[edge_of("a", "t", "c")]
            ),
            first_seq=2,
        )

        assert view.snapshot_id == first.id
        assert view.node(NodeId("a")).kind == "Letter"
        assert _found(view.neighbors(neighbors_query("a"))) == [(1, "b")]
        with pytest.raises(NodeNotFoundError):
            view.node(NodeId("c"))


@pytest.mark.parametrize(
    ("question", "direction", "depth", "expected"),
    [
        ("edges are walked from source to target", "out", 1, [(1, "b"), (1, "c")]),
        ("edges are walked back", "in", 1, [(1, "e")]),
        ("edges are walked both ways", "both", 1, [(1, "b"), (1, "c"), (1, "e")]),
        ("each node comes once, with its least depth", "out", 2, [(1, "b"), (1, "c"), (2, "d")]),
        ("a cycle ends", "out", 5, [(1, "b"), (1, "c"), (2, "d"), (3, "e")]),
    ],
)
def test_neighbors(lens: Lens, question: str, direction: str, depth: int, expected: list[tuple[int, str]]) -> None:
    applied(lens, _graph("a-t>b a-t>c b-t>d c-t>d d-t>e e-t>a a-t>a"))

    with lens.view(LONG) as view:
        page = view.neighbors(neighbors_query("a", depth=depth, direction=direction))

    assert _found(page) == expected, question


def test_the_edges_of_a_page_are_those_by_which_its_nodes_are_first_reached(lens: Lens) -> None:
    applied(lens, _graph("a-t>b a-u>b a-t>c b-t>c b-t>d c-t>d d-t>b"))

    with lens.view(LONG) as view:
        page = view.neighbors(neighbors_query("a", depth=2))

    assert [tuple(edge.key) for edge in page.edges] == [
        ("a", "t", "b"),
        ("a", "t", "c"),
        ("a", "u", "b"),
        ("b", "t", "d"),
        ("c", "t", "d"),
    ]


def test_types_limit_what_is_walked(lens: Lens) -> None:
    applied(lens, _graph("a-t>b b-u>c a-u>d b-t>e"))

    with lens.view(LONG) as view:
        page = view.neighbors(neighbors_query("a", depth=2, types=["t"]))

    assert _found(page) == [(1, "b"), (2, "e")]


def test_kinds_limit_what_is_returned_and_not_what_is_walked(lens: Lens) -> None:
    applied(lens, _graph("a-t>b b-t>c", extra=[node_of("z", "Digit")]))
    applied(lens, session_of("2", subject="ada", nodes=[node_of("c", "Digit")]), first_seq=2)

    with lens.view(LONG) as view:
        page = view.neighbors(neighbors_query("a", depth=2, kinds=["Digit"]))

    assert _found(page) == [(2, "c")]


def test_an_unknown_kind_or_type_finds_nothing(lens: Lens) -> None:
    applied(lens, _graph("a-t>b"))

    with lens.view(LONG) as view:
        assert not view.neighbors(neighbors_query("a", kinds=["Nowhere"])).nodes
        assert not view.neighbors(neighbors_query("a", types=["nowhere"])).nodes


def test_pages_follow_each_other_without_gap_or_overlap(lens: Lens) -> None:
    applied(lens, _graph("a-t>b a-t>c a-t>d b-t>e c-t>f d-t>g"))
    whole = [(1, "b"), (1, "c"), (1, "d"), (2, "e"), (2, "f"), (2, "g")]
    for limit in range(1, 7):
        pages: list[tuple[int, str]] = []
        position = None
        with lens.view(LONG) as view:
            while True:
                page = view.neighbors(neighbors_query("a", depth=2, limit=limit, after=position))
                pages += _found(page)
                if (position := page.next) is None:
                    break

        assert pages == whole


def test_edges_carry_their_properties(lens: Lens) -> None:
    nodes = [node_of("a", "T"), node_of("b", "T")]
    applied(lens, session_of("1", subject="ada", nodes=nodes, edges=[edge_of("a", "t", "b", {"since": 2024})]))
    with lens.view(LONG) as view:
        first = view.neighbors(neighbors_query("a")).edges
    applied(lens, session_of("2", subject="ada", edges=[edge_of("a", "t", "b")]), first_seq=2)
    with lens.view(LONG) as view:
        second = view.neighbors(neighbors_query("a")).edges

    assert [edge.properties for edge in (*first, *second)] == ['{"since":2024}', "{}"]


def test_a_shortest_path_has_the_fewest_edges_and_each_leads_on(lens: Lens) -> None:
    applied(lens, _graph("a-t>b b-t>c c-t>d a-t>x x-t>d"))

    with lens.view(LONG) as view:
        path = view.shortest_path(path_query("a", "d"))

    assert path.nodes == ("a", "x", "d")
    assert [tuple(edge) for edge in path.edges] == [("a", "t", "x"), ("x", "t", "d")]


@pytest.mark.parametrize(
    ("case", "ends", "direction", "expected"),
    [
        ("a node leads to itself in no steps", ("a", "a"), "out", ("a",)),
        ("edges can be walked back", ("c", "a"), "in", ("c", "b", "a")),
        ("edges can be walked both ways", ("a", "d"), "both", ("a", "b", "d")),
    ],
)
def test_paths(lens: Lens, case: str, ends: tuple[str, str], direction: str, expected: tuple[str, ...]) -> None:
    applied(lens, _graph("a-t>b b-t>c d-t>b"))

    with lens.view(LONG) as view:
        assert view.shortest_path(path_query(*ends, direction=direction)).nodes == expected, case


def test_no_path_is_an_error_that_says_how_far_was_looked(lens: Lens) -> None:
    applied(lens, _graph("a-t>b b-t>c"))

    with lens.view(LONG) as view:
        with pytest.raises(NoPathError, match="within 1 hops"):
            view.shortest_path(path_query("a", "c", max_hops=1))
        with pytest.raises(NoPathError):
            view.shortest_path(path_query("c", "a"))
        with pytest.raises(NodeNotFoundError):
            view.shortest_path(path_query("a", "nowhere"))


def test_what_was_removed_is_gone_and_may_come_back(lens: Lens) -> None:
    applied(lens, _graph("a-t>b b-t>c"))
    gone = session_of(
        "2",
        subject="ada",
        removed_nodes=[removed_node_of("b")],
        removed_edges=[edge_key_of("a", "t", "b"), edge_key_of("b", "t", "c")],
    )
    applied(lens, gone, first_seq=2)
    with lens.view(LONG) as view:
        assert not view.neighbors(neighbors_query("a")).nodes
        with pytest.raises(NodeNotFoundError):
            view.node(NodeId("b"))
    applied(
        lens,
        session_of("3", subject="ada", nodes=[node_of("b", "Again")], edges=[edge_of("a", "t", "b", {"x": 1})]),
        first_seq=3,
    )

    with lens.view(LONG) as view:
        page = view.neighbors(neighbors_query("a", depth=2))
        assert [(node.id, node.kind) for node in page.nodes] == [("b", "Again")]
        assert [edge.properties for edge in page.edges] == ['{"x":1}']


def test_statistics_count_what_is_there_now(lens: Lens) -> None:
    applied(lens, _graph("a-t>b b-u>c", extra=[node_of("z", "Digit")]))
    applied(lens, session_of("2", subject="ada", removed_edges=[edge_key_of("a", "t", "b")]), first_seq=2)

    with lens.view(LONG) as view:
        found = view.statistics()

    assert (found.seq, found.nodes, found.edges) == (2, 4, 1)
    assert found.node_kinds == {"Digit": 1, "Letter": 3}
    assert found.edge_types == {"u": 1}


def test_admission_is_told_what_exists(lens: Lens) -> None:
    applied(lens, _graph("a-t>b b-t>c"))

    with lens.view(LONG) as view:
        assert view.known([NodeId("a"), NodeId("x")]) == {"a"}
        known = edge_key_of("a", "t", "b")
        assert view.existing([known, edge_key_of("b", "t", "a"), edge_key_of("x", "t", "y")]) == {known}
        assert view.incident([NodeId("b")]) == {known, edge_key_of("b", "t", "c")}
        assert view.known([]) == view.existing([]) == view.incident([]) == frozenset()


def test_sessions_are_remembered_with_what_they_were(lens: Lens) -> None:
    session = _graph("a-t>b")
    applied(lens, session)

    with lens.view(LONG) as view:
        remembered = view.committed([session.id, SessionId("other")])

    assert remembered.keys() == {session.id}
    known = remembered[session.id]
    assert (known.digest, known.seq, known.nodes, known.edges) == (session.digest, 1, 2, 1)
    assert known.committed_at == START + timedelta(seconds=1)
