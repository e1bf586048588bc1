"""What every log of changes does, whatever keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.arrow import pa, pc
from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.rows import ROW_SCHEMA
from aeterna.graph.errors import SnapshotNotFoundError
from aeterna.graph.testing import MemoryGraphStores
from fixtures.fix_graph import ACME, batch_of, iceberg_stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.ports import GraphStores


@pytest.fixture(params=["memory", "iceberg"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStores]:
    opened: GraphStores = MemoryGraphStores() if request.param == "memory" else iceberg_stores(tmp_path)
    yield opened
    opened.close()


def _session(id_: str, nodes: int = 1) -> Session:
    return session_of(
        id_, subject="ada", nodes=[node_of(f"n:{id_}:{each}", "Thing", {"from": id_}) for each in range(nodes)]
    )


def test_a_tenant_without_commits_has_no_changes(stores: GraphStores) -> None:
    assert stores.changes(ACME).appends() == ()


def test_each_snapshot_gives_its_own_rows_and_no_others(stores: GraphStores) -> None:
    store, batches, parent = stores.open(ACME), [batch_of(_session("a"), _session("b"))], None
    batches.append(batch_of(_session("c"), first_seq=3))
    for batch in batches:
        parent = store.append(batch, parent=parent.id if parent else None)
    log = stores.changes(ACME)

    appends = log.appends()

    assert [(each.first_seq, each.last_seq) for each in appends] == [(1, 2), (3, 3)]
    order = [("seq", "ascending"), ("record", "ascending")]
    for snapshot, batch in zip(appends, batches, strict=True):
        added = pa.concat_tables(list(log.added(snapshot.id)))
        assert added.schema == ROW_SCHEMA
        assert (
            added.take(pc.sort_indices(added, sort_keys=order)).to_pylist()
            == (batch.rows.take(pc.sort_indices(batch.rows, sort_keys=order))).to_pylist()
        )


def test_rows_come_in_parts_of_bounded_size(stores: GraphStores) -> None:
    snapshot = stores.open(ACME).append(batch_of(*(_session(f"s{each}", 3_000) for each in range(5))), parent=None)
    log = stores.changes(ACME)
    log.appends()

    sizes = [part.num_rows for part in log.added(snapshot.id)]

    assert sum(sizes) == 5 * 3_001
    assert max(sizes) <= 10_000


def test_a_snapshot_that_there_is_not_is_named(stores: GraphStores) -> None:
    stores.open(ACME).append(batch_of(_session("a")), parent=None)
    log = stores.changes(ACME)
    log.appends()

    with pytest.raises(SnapshotNotFoundError):
        log.added(SnapshotId(404))
