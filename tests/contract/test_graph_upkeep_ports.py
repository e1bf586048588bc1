"""What the upkeep of every history keeps to, whatever keeps the history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.identifiers import TagName
from aeterna.graph.domain.upkeep import CollectionPolicy, RetentionPolicy
from aeterna.graph.testing import MemoryGraphStores
from fixtures.fix_graph import ACME, batch_of, iceberg_stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.ports import GraphStores

LATER: Final = datetime.now(UTC) + timedelta(days=2)
LAST_TWO: Final = RetentionPolicy(keep_least=2, keep_most=2, keep_age=timedelta(0))


@pytest.fixture(params=["memory", "iceberg"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStores]:
    opened: GraphStores = MemoryGraphStores() if request.param == "memory" else iceberg_stores(tmp_path)
    yield opened
    opened.close()


def _filled(stores: GraphStores, count: int) -> list[Snapshot]:
    store = stores.open(ACME)
    snapshots: list[Snapshot] = []
    for seq in range(1, count + 1):
        session = session_of(f"s{seq}", subject="ada", nodes=[node_of(f"n{seq}", "Thing")])
        parent = snapshots[-1].id if snapshots else None
        snapshots.append(store.append(batch_of(session, first_seq=seq), parent=parent))
    return snapshots


def _ids(rows: Rows) -> list[str]:
    return sorted(id_ for id_ in rows["id"].to_pylist() if id_ is not None)


def test_a_compaction_is_a_snapshot_without_sessions_on_the_head(stores: GraphStores) -> None:
    newest = _filled(stores, 3)[-1]
    compactor = stores.upkeep(ACME).compactor
    runs = compactor.runs()
    rewrite = compactor.rewrite(0, forget_before=LATER, memory_bytes=256 << 20, watch=lambda _: None)

    swapped = compactor.swap(rewrite)

    store = stores.open(ACME)
    assert store.head() == swapped
    assert (len(runs), swapped.sessions, swapped.last_seq, swapped.committed_at) == (3, 0, 3, newest.committed_at)
    assert _ids(store.rows(swapped.id)) == ["n1", "n2", "n3"]
    assert compactor.settled(rewrite) == swapped


def test_a_rewrite_that_is_given_up_leaves_no_trace(stores: GraphStores) -> None:
    newest = _filled(stores, 3)[-1]
    compactor = stores.upkeep(ACME).compactor
    compactor.runs()
    rewrite = compactor.rewrite(0, forget_before=LATER, memory_bytes=256 << 20, watch=lambda _: None)

    compactor.abandon(rewrite)

    assert stores.open(ACME).head() == newest
    assert compactor.settled(rewrite) is None


def test_expiry_keeps_the_newest_snapshots_and_loses_no_row(stores: GraphStores) -> None:
    snapshots = _filled(stores, 5)

    dry = stores.upkeep(ACME).expirer.expire(LAST_TWO, now=LATER, dry_run=True)
    done = stores.upkeep(ACME).expirer.expire(LAST_TWO, now=LATER, dry_run=False)

    store = stores.open(ACME)
    head = store.head()
    assert dry == done
    assert (done.expired, done.kept, store.snapshots()) == (3, 2, tuple(snapshots[3:]))
    assert head is not None
    assert _ids(store.rows(head.id)) == ["n1", "n2", "n3", "n4", "n5"]


def test_what_a_tag_names_does_not_expire(stores: GraphStores) -> None:
    snapshots = _filled(stores, 5)
    stores.refs(ACME).create(TagName("kept"), snapshots[1].id, expires_at=None)

    stores.upkeep(ACME).expirer.expire(LAST_TWO, now=LATER, dry_run=False)

    store = stores.open(ACME)
    store.head()
    assert _ids(store.rows(snapshots[1].id)) == ["n1", "n2"]


def test_a_collection_changes_nothing_that_can_be_read(stores: GraphStores) -> None:
    newest = _filled(stores, 3)[-1]

    stores.upkeep(ACME).collector.collect(CollectionPolicy(), now=LATER, dry_run=False, watch=lambda _: None)

    store = stores.open(ACME)
    assert store.head() == newest
    assert _ids(store.rows(newest.id)) == ["n1", "n2", "n3"]
    assert stores.tenants() == (ACME,)
