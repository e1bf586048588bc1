"""What is read for a lens is what was written, however it lies in files."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow.parquet
import pytest

from aeterna.graph.adapters.iceberg.reading import read_parts
from aeterna.graph.domain.arrow import pa, untyped
from aeterna.graph.domain.changes import edge_key_of, edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import Label, NodeId, SessionId, SnapshotId
from aeterna.graph.domain.parts import parts_of
from aeterna.graph.domain.rows import CHANGE_COLUMNS, change_rows
from aeterna.graph.domain.snapshots import Stamp
from aeterna.graph.ports import Batch
from fixtures.fix_graph import ACME, START, arrow_lens, batch_of, iceberg_stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyiceberg.table import Table

    from aeterna.graph.domain.parts import Parts
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.ports import GraphStore

LONG = timedelta(minutes=1)
SIZE = 60_000  # as many nodes, and as many edges in a ring


def _bulk() -> Batch:
    """Write a ring, in no order."""
    nodes = [f"node {number * 7_919 % SIZE}" for number in range(SIZE)]
    none = [None] * SIZE
    columns = {
        "record": ["node"] * SIZE + ["edge"] * SIZE,
        "op": ["upsert"] * (2 * SIZE),
        "id": [*nodes, *none],
        "kind": [*(["Place"] * SIZE), *none],
        "source": [*none, *nodes],
        "type": [*none, *(["next"] * SIZE)],
        "target": [*none, *nodes[1:], nodes[0]],
        "properties": [*(f'{{"number":{number}}}' for number in range(SIZE)), *(["{}"] * SIZE)],
    }
    changes = pa.table({name: pa.array(columns[name], pa.string()) for name in CHANGE_COLUMNS})
    stamp = Stamp(seq=1, committed_at=START)
    rows = change_rows(changes, session=SessionId("bulk"), subject="ada", stamp=stamp, digest="0")
    return Batch(id="bulk", rows=rows, sessions=(SessionId("bulk"),), first_seq=1, last_seq=1, committed_at=START)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GraphStore, Snapshot]]:
    """Write one large snapshot and two small ones on top of it."""
    stores = iceberg_stores(tmp_path_factory.mktemp("graph"))
    store = stores.open(ACME)
    head = store.append(_bulk(), parent=None)
    small = [
        session_of("2", subject="ada", nodes=[node_of("node 1", "Town")], edges=[edge_of("node 1", "near", "node 9")]),
        session_of("3", subject="ada", removed_edges=[edge_key_of("node 0", "next", "node 7919")]),
    ]
    for seq, session in enumerate(small, start=2):
        head = store.append(batch_of(session, first_seq=seq), parent=head.id)
    yield store, head
    stores.close()


def _table(store: GraphStore) -> Table:
    return untyped(store)._table


def _digest(parts: Parts, snapshot: Snapshot) -> str:
    lens = arrow_lens()
    lens.load(parts, snapshot)
    with lens.view(LONG) as view:
        return view.digest()


def test_many_rows_are_written_as_one_kind_of_record_a_file(written: tuple[GraphStore, Snapshot]) -> None:
    store, _ = written
    files = [task.file for task in _table(store).scan().plan_files()]

    bounds = [(file.lower_bounds[1].decode(), file.upper_bounds[1].decode()) for file in files if file.record_count > 9]

    assert sorted(bounds) == [("edge", "edge"), ("node", "node")]


def test_large_and_small_files_make_one_state(written: tuple[GraphStore, Snapshot]) -> None:
    store, head = written
    lens = arrow_lens()

    lens.load(store.parts(head.id), head)

    with lens.view(LONG) as view:
        statistics = view.statistics()
        assert (statistics.nodes, statistics.edges, statistics.edge_types[Label("near")]) == (SIZE, SIZE, 1)
        assert view.node(NodeId("node 1")).kind == "Town"
        assert view.node(NodeId("node 7919")).properties == '{"number":1}'
        assert not view.existing([edge_key_of("node 0", "next", "node 7919")])
        assert set(view.committed([SessionId("bulk"), SessionId("3")])) == {"bulk", "3"}


def test_read_in_parts_or_as_rows_it_is_the_same(written: tuple[GraphStore, Snapshot]) -> None:
    store, head = written

    assert _digest(store.parts(head.id), head) == _digest(parts_of(store.rows(head.id)), head)


def test_an_earlier_snapshot_is_read_as_it_was(written: tuple[GraphStore, Snapshot]) -> None:
    store, _ = written
    first = store.snapshots()[0]
    lens = arrow_lens()

    lens.load(store.parts(first.id), first)

    with lens.view(LONG) as view:
        assert view.statistics().node_kinds == {"Place": SIZE}


def test_the_newest_rows_also_rebuild_earlier_states(written: tuple[GraphStore, Snapshot]) -> None:
    store, head = written

    for snapshot in store.snapshots():
        by_rows = parts_of(store.rows(head.id, up_to=snapshot.last_seq))
        by_parts = store.parts(head.id, up_to=snapshot.last_seq)
        expected = _digest(store.parts(snapshot.id), snapshot)

        assert (_digest(by_parts, snapshot), _digest(by_rows, snapshot)) == (expected, expected)


def test_a_renamed_column_is_read_from_old_and_new_files(tmp_path: Path) -> None:
    """Files keep the names that they were written with; ids of columns are for ever."""
    stores = iceberg_stores(tmp_path)
    store = stores.open(ACME)
    store.append(batch_of(session_of("1", subject="ada", nodes=[node_of("a", "Old")])), parent=None)
    table = _table(store)
    with table.update_schema() as update:
        update.rename_column("kind", "sort_of")
    head = store.head()
    assert head is not None
    head = store.append(
        batch_of(session_of("2", subject="ada", nodes=[node_of("b", "New")]), first_seq=2), parent=head.id
    )

    parts = read_parts(_table(store), head.id)

    assert sorted(untyped(parts.nodes)["kind"].to_pylist()) == ["New", "Old"]
    stores.close()


def test_a_file_of_somebody_else_whose_columns_have_no_ids_is_read_by_name(tmp_path: Path) -> None:
    stores = iceberg_stores(tmp_path)
    store = stores.open(ACME)
    store.append(batch_of(session_of("1", subject="ada", nodes=[node_of("a", "T")])), parent=None)
    foreign = tmp_path / "foreign.parquet"
    theirs = batch_of(session_of("2", subject="bob", nodes=[node_of("b", "T")]), first_seq=2).rows
    untyped(pyarrow.parquet).write_table(theirs, foreign)
    _table(store).add_files([str(foreign)])
    head = _table(store).refresh().current_snapshot()
    assert head is not None

    parts = read_parts(_table(store), SnapshotId(head.snapshot_id))

    assert sorted(untyped(parts.nodes)["id"].to_pylist()) == ["a", "b"]
    stores.close()
