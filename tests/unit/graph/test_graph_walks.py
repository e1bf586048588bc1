"""The fast lens answers what the definitions say, on graphs that nobody thought of."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import igraph
import numpy as np
import pytest

from aeterna.graph.adapters.lens.arrow_lens import ArrowLens
from aeterna.graph.adapters.lens.columns import Column
from aeterna.graph.adapters.lens.topology import Topology
from aeterna.graph.adapters.lens.walks import Way, ball, shortest
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.changes import edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.queries import neighbors_query, path_query
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import QueryTimeoutError
from fixtures.fix_graph import ManualStopwatch, batch_of

if TYPE_CHECKING:
    from aeterna.graph.adapters.lens.adjacency import Ints
    from aeterna.graph.domain.questions.checks import Direction

LONG = timedelta(minutes=1)


def _topology(nodes: int, source: Ints, target: Ints, step: int) -> Topology:
    """Add the edges ``step`` at a time, as commits would."""
    columns = [Column[np.int32](np.int32, 0) for _ in range(3)]
    state = replace(Topology.empty(), kinds=np.zeros(nodes, dtype=np.int32))
    for first in range(0, len(source), step):
        added = slice(first, first + step)
        state = replace(
            state,
            source=columns[0].extended(state.source, source[added]),
            target=columns[1].extended(state.target, target[added]),
            type=columns[2].extended(state.type, np.zeros(len(source[added]), dtype=np.int32)),
            alive=np.ones(min(first + step, len(source)), dtype=np.bool_),
        ).indexed()
    return state


RING = untyped(igraph).Graph.Ring
KNOWN = {
    "Zachary's karate club": (untyped(igraph).Graph.Famous("Zachary"), 1, 5),
    "a grid of 7 by 9": (untyped(igraph).Graph.Lattice([7, 9], circular=False), 1, 14),
    "a cycle of 30": (RING(30), 1, 15),
    "a star of 40": (untyped(igraph).Graph.Star(40), 1, 2),
    "three cycles apart": (
        untyped(igraph).Graph.Ring(5) + untyped(igraph).Graph.Ring(6) + untyped(igraph).Graph.Ring(7),
        3,
        3,
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_graphs_of_which_all_is_known(name: str) -> None:
    """Every distance and every component, by the definitions and by the books."""
    graph, components, diameter = KNOWN[name]
    ends = np.array(graph.get_edgelist(), dtype=np.int32)
    nodes: int = graph.vcount()
    topology = _topology(nodes, ends[:, 0].copy(), ends[:, 1].copy(), step=7)
    way = Way(direction="both", types=None, check=lambda: None)

    balls = [ball(topology, origin, nodes, way) for origin in range(nodes)]

    assert max(len(around.layers) - 1 for around in balls) == diameter
    assert len({tuple(sorted(np.concatenate(around.layers).tolist())) for around in balls}) == components
    for origin, distances in enumerate(graph.distances()):
        reached = {goal: int(mark) - 1 for goal, mark in enumerate(balls[origin].marks.tolist()) if mark}
        assert reached == {goal: steps for goal, steps in enumerate(distances) if steps != float("inf")}
        for goal, steps in enumerate(distances):
            path = shortest(topology, origin, goal, nodes, way)
            assert (float("inf") if path is None else len(path)) == steps


@pytest.mark.parametrize("direction", ["out", "in", "both"])
def test_distances_are_those_of_igraph_across_merges_of_the_index(direction: Direction) -> None:
    generator = random.Random(7)  # noqa: S311 - a graph for a test, the same each time
    nodes, edges = 20_000, 60_000
    source = np.array([int(nodes * generator.random() ** 2) for _ in range(edges)], dtype=np.int32)
    target = np.array([generator.randrange(nodes) for _ in range(edges)], dtype=np.int32)
    topology = _topology(nodes, source, target, step=9_000)
    reference = untyped(igraph).Graph(
        n=nodes, edges=list(zip(source.tolist(), target.tolist(), strict=True)), directed=True
    )
    way = Way(direction=direction, types=None, check=lambda: None)
    mode = {"out": "out", "in": "in", "both": "all"}[direction]

    for origin in (0, 5, 700):
        distances: list[float] = reference.distances(origin, mode=mode)[0]
        around = ball(topology, origin, 3, way)
        assert [mark - 1 if mark else None for mark in around.marks.tolist()] == [
            distance if distance <= 3 else None for distance in distances
        ]
        for goal in range(1, nodes, 3_001):
            path = shortest(topology, origin, goal, 64, way)
            assert (float("inf") if path is None else len(path)) == distances[goal]


def test_a_walk_stops_when_its_time_is_up() -> None:
    stopwatch = ManualStopwatch()
    lens = ArrowLens(stopwatch=stopwatch)
    batch = batch_of(
        session_of("1", subject="ada", nodes=[node_of("a", "T"), node_of("b", "T")], edges=[edge_of("a", "t", "b")])
    )
    lens.apply(batch.rows, Snapshot(id=SnapshotId(1), first_seq=1, last_seq=1, committed_at=batch.committed_at))

    with lens.view(LONG) as view:
        stopwatch.seconds += 61
        with pytest.raises(QueryTimeoutError, match="narrow it"):
            view.neighbors(neighbors_query("a"))
        with pytest.raises(QueryTimeoutError):
            view.shortest_path(path_query("a", "b"))


def test_sql_is_stopped_when_its_time_is_up_and_the_next_reader_gets_an_answer() -> None:
    lens = ArrowLens(stopwatch=time.monotonic)
    batch = batch_of(session_of("1", subject="ada", nodes=[node_of("a", "T")]))
    lens.apply(batch.rows, Snapshot(id=SnapshotId(1), first_seq=1, last_seq=1, committed_at=batch.committed_at))

    endless = "SELECT count(*) FROM node, range(1000000) AS a, range(1000000) AS b WHERE hash(a.range, b.range) = 7"
    with pytest.raises(QueryTimeoutError), lens.view(timedelta(seconds=0.2)) as view:
        untyped(view)._asking.sql().execute(endless).fetchall()

    with lens.view(LONG) as view:
        assert untyped(view)._asking.sql().execute("SELECT id, kind FROM node").fetchall() == [("a", "T")]


def test_a_topology_costs_at_most_24_bytes_an_edge() -> None:
    nodes, edges = 10_000, 400_000
    generator = np.random.default_rng(7)
    source, target = (generator.integers(0, nodes, edges, dtype=np.int32) for _ in range(2))

    state = _topology(nodes, source, target, step=edges)

    arrays = [state.source, state.target, state.type, state.alive]
    indexes = (*state.out, *state.into)
    arrays += [part for index in indexes for part in (index.edges, index.offsets) if part is not None]
    assert sum(array.nbytes for array in arrays) / edges <= 24
