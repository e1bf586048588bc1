"""The fast lens answers what the definitions say, on graphs that nobody thought of."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import igraph
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.graph.adapters.duckdb_lens import DuckDbLens
from aeterna.graph.adapters.topology import Column, Topology
from aeterna.graph.adapters.walks import Way, ball, shortest
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.changes import edge_key_of, edge_of, node_of, removed_node_of, session_of
from aeterna.graph.domain.identifiers import NodeId, SnapshotId
from aeterna.graph.domain.queries import neighbors_query, path_query
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import NodeNotFoundError, NoPathError, QueryTimeoutError
from aeterna.graph.testing import MemoryLens
from fixtures.fix_graph import ManualStopwatch, batch_of, duckdb_lens

if TYPE_CHECKING:
    from aeterna.graph.adapters.adjacency import Ints
    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.queries import Direction
    from aeterna.graph.ports import LensView

LONG = timedelta(minutes=1)
NODES = [f"n{number}" for number in range(7)]

ids = st.sampled_from(NODES)
keys = st.builds(edge_key_of, ids, st.sampled_from(["t", "u"]), ids)


@st.composite
def histories(draw: st.DrawFn) -> list[Session]:
    """Sessions that keep the promise of admission: no edge without its nodes."""
    present: set[str] = set()
    edges: set[tuple[str, str, str]] = set()
    sessions: list[Session] = []
    for number in range(draw(st.integers(1, 6))):
        written = draw(st.sets(ids))
        removed = draw(st.sets(ids)) - written
        present = (present | written) - removed
        wanted = {key for key in draw(st.sets(keys, max_size=8)) if {key.source, key.target} <= present}
        gone = {key for key in edges if not {key[0], key[2]} <= present} | (draw(st.sets(keys, max_size=3)) - wanted)
        edges = (edges | wanted) - gone
        if written or removed or wanted or gone:
            sessions.append(
                session_of(
                    f"s{number}",
                    subject="ada",
                    nodes=[node_of(node, "KL"[number % 2], {"v": number}) for node in written],
                    edges=[edge_of(*key, {"v": number} if number % 2 else {}) for key in wanted],
                    removed_nodes=[removed_node_of(node) for node in removed],
                    removed_edges=[edge_key_of(*key) for key in gone],
                )
            )
    return sessions


def _answers(view: LensView) -> list[object]:
    answers: list[object] = [view.statistics(), view.incident([NodeId("n0"), NodeId("n1")])]
    for node in NODES:
        for direction in ("out", "in", "both"):
            for depth in (1, 3):
                try:
                    answers.append(view.neighbors(neighbors_query(node, depth=depth, direction=direction, limit=3)))
                    answers.append(
                        view.neighbors(
                            neighbors_query(node, depth=depth, direction=direction, types=["t"], kinds=["K"])
                        )
                    )
                except NodeNotFoundError as missing:
                    answers.append(str(missing))
            try:
                answers.append(len(view.shortest_path(path_query(node, "n0", direction=direction)).edges))
            except (NodeNotFoundError, NoPathError) as missing:
                answers.append(str(missing))
    return answers


@given(histories(), st.booleans())
@settings(deadline=None, max_examples=60)
def test_the_fast_lens_agrees_with_the_definitions(history: list[Session], at_once: bool) -> None:
    fast, slow = duckdb_lens(), MemoryLens()
    groups = [history] if at_once else [[session] for session in history]
    seq = 1
    for group in groups:
        if not group:
            continue
        batch = batch_of(*group, first_seq=seq)
        seq = batch.last_seq + 1
        snapshot = Snapshot(
            id=SnapshotId(seq), first_seq=batch.first_seq, last_seq=batch.last_seq, committed_at=batch.committed_at
        )
        fast.apply(batch.rows, snapshot)
        slow.apply(batch.rows, snapshot)

    with fast.view(LONG) as quick, slow.view(LONG) as plain:
        assert _answers(quick) == _answers(plain)


def _topology(nodes: int, source: Ints, target: Ints, step: int) -> Topology:
    """Add the edges ``step`` at a time, as commits would."""
    columns = [Column[np.int32](np.int32) for _ in range(3)]
    kinds = np.zeros(nodes, dtype=np.int32)
    state = Topology.empty()
    for first in range(0, len(source), step):
        size = len(state.source)
        state = Topology(
            kinds=kinds,
            source=columns[0].extend(size, source[first : first + step]),
            target=columns[1].extend(size, target[first : first + step]),
            type=columns[2].extend(size, np.zeros(len(source[first : first + step]), dtype=np.int32)),
            alive=np.ones(min(first + step, len(source)), dtype=np.bool_),
            out=state.out,
            into=state.into,
            merged=state.merged,
        ).indexed()
    return state


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
    lens = DuckDbLens(stopwatch=stopwatch)
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


def test_a_topology_costs_at_most_24_bytes_an_edge() -> None:
    nodes, edges = 10_000, 400_000
    generator = np.random.default_rng(7)
    source, target = (generator.integers(0, nodes, edges, dtype=np.int32) for _ in range(2))

    state = _topology(nodes, source, target, step=edges)

    arrays = [state.source, state.target, state.type, state.alive]
    arrays += [part for index in (*state.out, *state.into) for part in (index.edges, index.offsets)]
    assert sum(array.nbytes for array in arrays) / edges <= 24
