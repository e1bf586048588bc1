"""However a state came about, by commits or by one load, it is the same, and it is as the definitions say."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.graph.adapters.lens.adjacency import ordered
from aeterna.graph.adapters.lens.applying import Growth, applied
from aeterna.graph.adapters.lens.columns import Column
from aeterna.graph.adapters.lens.identifiers import Identifiers
from aeterna.graph.adapters.lens.properties import Properties
from aeterna.graph.adapters.lens.sessions import Sessions
from aeterna.graph.adapters.lens.state import LensState
from aeterna.graph.domain.arrow import pa, untyped
from aeterna.graph.domain.changes import edge_key_of, edge_of, node_of, removed_node_of, session_of
from aeterna.graph.domain.identifiers import NodeId, SessionId, SnapshotId
from aeterna.graph.domain.parts import parts_of
from aeterna.graph.domain.queries import neighbors_query, path_query
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import NodeNotFoundError, NoPathError
from aeterna.graph.testing import MemoryLens
from fixtures.fix_graph import arrow_lens, batch_of

if TYPE_CHECKING:
    from aeterna.graph.domain.changes import Session
    from aeterna.graph.ports import Batch, LensView

LONG = timedelta(minutes=1)
NODES = ["n0", "n1", "日本 語", "é", "n", "\U0010ffff"]

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


def _batches(history: list[Session], together: list[bool]) -> list[Batch]:
    """Commit the sessions in groups: ``together`` tells of each but the first whether it joins the one before it."""
    groups: list[list[Session]] = []
    for session, joins in zip(history, [False, *together], strict=False):
        if joins:
            groups[-1].append(session)
        else:
            groups.append([session])
    batches: list[Batch] = []
    for group in groups:
        batches.append(batch_of(*group, first_seq=batches[-1].last_seq + 1 if batches else 1))
    return batches


def _snapshot(batch: Batch) -> Snapshot:
    return Snapshot(
        id=SnapshotId(batch.last_seq), first_seq=1, last_seq=batch.last_seq, committed_at=batch.committed_at
    )


def _answers(view: LensView) -> list[object]:
    answers: list[object] = [view.statistics(), view.incident([NodeId("n0"), NodeId("n1")]), view.digest()]
    answers.append(view.committed([SessionId(f"s{number}") for number in range(7)]))
    for node in NODES[:4]:
        for direction, depth in (("out", 1), ("in", 3), ("both", 2)):
            try:
                answers.append(view.neighbors(neighbors_query(node, depth=depth, direction=direction, limit=3)))
                answers.append(
                    view.neighbors(neighbors_query(node, depth=depth, direction=direction, types=["t"], kinds=["K"]))
                )
                answers.append(len(view.shortest_path(path_query(node, "n0", direction=direction)).edges))
            except (NodeNotFoundError, NoPathError) as missing:
                answers.append(str(missing))
    return answers


@given(histories(), st.lists(st.booleans(), min_size=5, max_size=5))
@settings(deadline=None, max_examples=40)
def test_commits_one_by_one_one_load_and_the_definitions_agree(history: list[Session], together: list[bool]) -> None:
    batches = _batches(history, together)
    if not batches:
        return
    whole = parts_of(pa.concat_tables([batch.rows for batch in reversed(batches)]))
    moved, fresh, slow = arrow_lens(), arrow_lens(), MemoryLens()
    for batch in batches:
        moved.apply(batch.rows, _snapshot(batch))
    fresh.load(whole, _snapshot(batches[-1]))
    slow.load(whole, _snapshot(batches[-1]))

    with moved.view(LONG) as by_commits, fresh.view(LONG) as by_load, slow.view(LONG) as plain:
        expected = _answers(plain)
        assert _answers(by_commits) == expected
        assert _answers(by_load) == expected


def _rows(state: LensState) -> tuple[set[tuple[object, ...]], set[tuple[object, ...]]]:
    node, edge = (untyped(table).to_pylist() for table in (state.relations.node, state.relations.edge))
    texts = {row["number"]: row["id"] for row in node}
    return (
        {(row["id"], row["kind"], row["properties"]) for row in node},
        {(texts[row["source"]], row["type"], texts[row["target"]], row["properties"]) for row in edge},
    )


@given(histories())
@settings(deadline=None, max_examples=30)
def test_the_relations_of_every_state_hold_exactly_what_lived_then(history: list[Session]) -> None:
    nodes: dict[str, tuple[object, ...]] = {}
    edges: dict[tuple[str, ...], tuple[object, ...]] = {}
    state, growth = LensState.empty(), Growth()
    states: list[LensState] = []
    expected: list[tuple[set[tuple[object, ...]], set[tuple[object, ...]]]] = []
    for batch, session in zip(_batches(history, [False] * 5), history, strict=True):
        state = applied(state, parts_of(batch.rows), _snapshot(batch), growth)
        nodes |= {node.id: (node.id, node.kind, node.properties) for node in session.nodes}
        edges |= {tuple(edge.key): (*edge.key, edge.properties) for edge in session.edges}
        nodes = {id_: row for id_, row in nodes.items() if id_ not in session.removed_nodes}
        edges = {key: row for key, row in edges.items() if key not in session.removed_edges}
        states.append(state)
        expected.append((set(nodes.values()), set(edges.values())))

    # Only now, when all later states share memory with the earlier ones.
    assert [_rows(each) for each in states] == expected


def test_an_abandoned_change_leaves_no_trace() -> None:
    """A change that failed half way has numbered ids and written behind the end of what readers see."""
    growth = Growth()
    first = batch_of(session_of("1", subject="ada", nodes=[node_of("a", "T")]))
    state = applied(LensState.empty(), parts_of(first.rows), _snapshot(first), growth)
    lost = batch_of(
        session_of("2", subject="ada", nodes=[node_of("b", "T"), node_of("a", "Lost")], edges=[edge_of("a", "t", "b")]),
        first_seq=2,
    )
    applied(state, parts_of(lost.rows), _snapshot(lost), growth)
    kept = batch_of(session_of("3", subject="ada", nodes=[node_of("c", "T", {"x": 1})]), first_seq=2)

    after = applied(state, parts_of(kept.rows), _snapshot(kept), growth)

    assert _rows(after) == ({("a", "T", "{}"), ("c", "T", '{"x":1}')}, set())
    assert after.numbers(["a", "b", "c"]).tolist()[1] == -1


def test_growing_in_place_is_seen_by_nobody_who_looked_before() -> None:
    column: Column[np.int32] = Column(np.int32, -1)
    first = column.extended(np.empty(0, dtype=np.int32), np.arange(3, dtype=np.int32))

    second = column.extended(first, np.arange(3, 6, dtype=np.int32))
    third = column.changed(second, 8, np.array([1, 6], dtype=np.int32), np.array([10, 60], dtype=np.int32))

    assert (first.tolist(), second.tolist()) == ([0, 1, 2], [0, 1, 2, 3, 4, 5])
    assert third.tolist() == [0, 10, 2, 3, 4, 5, 60, -1]


def test_ids_keep_their_numbers_when_the_recent_ones_are_sorted_in() -> None:
    texts = [f"node:{number}" for number in range(150_000)]
    ids = Identifiers()
    (numbers,) = ids.numbered(pa.chunked_array([texts[:100_000], texts[50_000:]]))

    folded = ids.folded(len(texts))

    assert folded is not ids
    assert numbers.tolist() == [*range(100_000), *range(50_000, 150_000)]
    some = [*range(0, 150_000, 7_919), 149_999]
    assert folded.numbers(texts).tolist() == list(range(150_000))
    assert [folded.number(texts[number]) for number in some] == some
    assert [folded[number] for number in some] == [texts[number] for number in some]
    ordered = folded.in_order(np.array(some, dtype=np.int32))
    assert folded.texts(ordered).to_pylist() == sorted(texts[number] for number in some)
    assert (folded.number("node:x"), folded.numbers(["", "\U0010ffff"]).tolist()) == (-1, [-1, -1])


def test_texts_that_were_replaced_are_swept_away() -> None:
    size, memory = 60_000, Column[np.int32](np.int32, -1)
    numbers, properties = np.arange(size, dtype=np.int32), Properties.none()
    for turn in range(12):
        values = pa.chunked_array([pa.array([f'{{"turn":{turn}}}'] * (size - 1) + ["{}"])])
        properties = properties.replaced(numbers, values, size, memory)

    assert properties.at(np.array([0, size - 2, size - 1], dtype=np.int32)) == ['{"turn":11}', '{"turn":11}', "{}"]
    assert sum(len(texts) for texts in properties.texts) < 4 * size


def test_sessions_are_found_in_every_run() -> None:
    sessions, every = Sessions(), [f"s{number}" for number in range(40)]
    for seq, id_ in enumerate(every, start=1):
        batch = batch_of(session_of(id_, subject="ada", nodes=[node_of("a", "T")]), first_seq=seq)
        sessions = sessions.with_rows(parts_of(batch.rows).sessions)

    found = sessions.find([SessionId(id_) for id_ in [*every, "other"]])

    assert {id_: known.seq for id_, known in found.items()} == {id_: seq for seq, id_ in enumerate(every, start=1)}
    assert len(sessions.runs) < 5


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 70_000, 200_000])
def test_the_order_of_numbers_is_stable_whatever_their_size(size: int) -> None:
    numbers = np.random.default_rng(7).integers(0, size, 5_000).astype(np.int32)

    assert ordered(numbers).tolist() == np.argsort(numbers, kind="stable").tolist()
