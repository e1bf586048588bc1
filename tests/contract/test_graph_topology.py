"""What every lens gives when it is asked for the whole graph in arrays."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from aeterna.graph.domain.changes import edge_key_of, edge_of, node_of, removed_node_of, session_of
from aeterna.graph.testing import MemoryGraphStores
from fixtures.fix_graph import ACME, LENSES, GraphBench, applied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.graph.domain.changes import JsonValue, Session
    from aeterna.graph.domain.topologies import Topology
    from aeterna.graph.ports import Lens, LensFactory

LONG: Final = timedelta(minutes=1)


@pytest.fixture(params=LENSES.values(), ids=list(LENSES))
def lens(request: pytest.FixtureRequest) -> Lens:
    factory: LensFactory = request.param
    return factory()


def _topology(lens: Lens) -> Topology:
    with lens.view(LONG) as view:
        return view.topology()


def _edges(topology: Topology) -> list[tuple[str, str, float]]:
    ids = topology.ids
    ends = zip(topology.sources, topology.targets, topology.weights, strict=True)
    return sorted((ids[int(source)], ids[int(target)], float(weight)) for source, target, weight in ends)


def _pair(properties: Mapping[str, JsonValue]) -> Session:
    return session_of(
        "1", subject="ada", nodes=[node_of("a", "T"), node_of("b", "T")], edges=[edge_of("a", "t", "b", properties)]
    )


def test_an_empty_graph_has_empty_arrays(lens: Lens) -> None:
    topology = _topology(lens)

    assert (topology.ids, topology.sources.size, topology.targets.size, topology.weights.size) == ((), 0, 0, 0)


def test_nodes_come_in_the_order_of_their_ids_and_edges_one_by_one(lens: Lens) -> None:
    nodes = [node_of(id_, "T") for id_ in ("é", "b", "a", "alone")]
    edges = [edge_of("b", "t", "a"), edge_of("b", "u", "a"), edge_of("a", "t", "b"), edge_of("é", "t", "é")]
    applied(lens, session_of("1", subject="ada", nodes=nodes, edges=edges))

    topology = _topology(lens)

    assert topology.ids == ("a", "alone", "b", "é")
    assert _edges(topology) == [("a", "b", 1.0), ("b", "a", 1.0), ("b", "a", 1.0), ("é", "é", 1.0)]


@pytest.mark.parametrize(
    ("law", "properties", "weight"),
    [
        ("a whole number counts", {"weight": 3}, 3.0),
        ("a fraction counts, whatever is beside it", {"a": {"weight": 9}, "weight": 0.25, "z": [1]}, 0.25),
        ("a tiny one counts", {"weight": 1e-300}, 1e-300),
        ("a huge one counts", {"weight": 10**30}, 1e30),
        ("without it an edge counts once", {"other": 3}, 1.0),
        ("that of something within is another", {"a": {"weight": 9}}, 1.0),
        ("zero does not count", {"weight": 0}, 1.0),
        ("less than zero does not count", {"weight": -2}, 1.0),
        ("what no float can hold does not count", {"weight": 10**400}, 1.0),
        ("a text does not count", {"weight": "3"}, 1.0),
        ("a truth does not count", {"weight": True}, 1.0),
        ("nothing does not count", {"weight": None}, 1.0),
        ("a list does not count", {"weight": [3]}, 1.0),
    ],
)
def test_the_weight_of_an_edge(lens: Lens, law: str, properties: dict[str, JsonValue], weight: float) -> None:
    applied(lens, _pair(properties))

    assert _edges(_topology(lens)) == [("a", "b", weight)], law


def test_what_was_removed_is_gone_and_what_was_changed_counts_as_it_is_now(lens: Lens) -> None:
    nodes = [node_of(id_, "T") for id_ in "abcd"]
    edges = [edge_of("a", "t", "b", {"weight": 2}), edge_of("b", "t", "c", {"weight": 2}), edge_of("c", "t", "d")]
    applied(lens, session_of("1", subject="ada", nodes=nodes, edges=edges))
    later = session_of(
        "2",
        subject="ada",
        nodes=[node_of("aa", "T")],
        edges=[edge_of("a", "t", "b"), edge_of("aa", "t", "a", {"weight": 5})],
        removed_nodes=[removed_node_of("d")],
        removed_edges=[edge_key_of("c", "t", "d")],
    )
    applied(lens, later, first_seq=2)

    topology = _topology(lens)

    assert topology.ids == ("a", "aa", "b", "c")
    assert _edges(topology) == [("a", "b", 1.0), ("aa", "a", 5.0), ("b", "c", 2.0)]


@pytest.mark.parametrize("factory", LENSES.values(), ids=list(LENSES))
def test_a_graph_gives_its_topology_and_seq_of_now_and_of_then(factory: LensFactory) -> None:
    graph = GraphBench(stores=MemoryGraphStores(), new_lens=factory).graphs().of(ACME)
    first = graph.commit(_pair({"weight": 2}))
    second = graph.commit(session_of("2", subject="ada", edges=[edge_of("b", "t", "a")]))

    now = graph.topology(at_least=second.seq)
    then = graph.topology(as_of=first.snapshot_id)

    assert (now[0], _edges(now[1])) == (second.seq, [("a", "b", 2.0), ("b", "a", 1.0)])
    assert (then[0], _edges(then[1])) == (first.seq, [("a", "b", 2.0)])
