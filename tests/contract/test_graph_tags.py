"""What every store of tags does, whatever keeps it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.identifiers import SnapshotId, TagName, TenantId
from aeterna.graph.errors import SnapshotNotFoundError, TagConflictError, TagNotFoundError
from aeterna.graph.testing import MemoryGraphStores
from fixtures.fix_graph import ACME, START, batch_of, iceberg_stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.ports import GraphStores

ONE, TWO = TagName("one"), TagName("two")


@pytest.fixture(params=["memory", "iceberg"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStores]:
    opened: GraphStores = MemoryGraphStores() if request.param == "memory" else iceberg_stores(tmp_path)
    yield opened
    opened.close()


def _committed(stores: GraphStores, seq: int, parent: Snapshot | None = None) -> Snapshot:
    session = session_of(f"s{seq}", subject="ada", nodes=[node_of(f"n:{seq}", "Thing")])
    store = stores.open(ACME)
    store.head()
    return store.append(batch_of(session, first_seq=seq), parent=parent.id if parent else None)


def test_a_tenant_without_commits_has_no_tags(stores: GraphStores) -> None:
    assert stores.refs(ACME).tags() == ()
    with pytest.raises(SnapshotNotFoundError):
        stores.refs(ACME).create(ONE, SnapshotId(1), expires_at=None)


def test_a_tag_is_seen_by_every_other_opening_and_only_by_its_tenant(stores: GraphStores) -> None:
    snapshot = _committed(stores, 1)

    made = stores.refs(ACME).create(ONE, snapshot.id, expires_at=None)

    assert stores.refs(ACME).tags() == (made,)
    assert (made.name, made.snapshot, made.expires_at) == (ONE, snapshot, None)
    assert stores.refs(TenantId("umbrella")).tags() == ()


def test_a_tag_says_until_when_it_is_kept(stores: GraphStores) -> None:
    """Iceberg counts the age of a reference from its snapshot; whoever names an old one means from now."""
    snapshot = _committed(stores, 1)
    until = START + timedelta(days=1_000)

    stores.refs(ACME).create(ONE, snapshot.id, expires_at=until)

    assert [tag.expires_at for tag in stores.refs(ACME).tags()] == [until]


def test_the_same_tag_again_is_the_one_that_is_there(stores: GraphStores) -> None:
    snapshot = _committed(stores, 1)
    first = stores.refs(ACME).create(ONE, snapshot.id, expires_at=None)

    assert stores.refs(ACME).create(ONE, snapshot.id, expires_at=START + timedelta(days=9_999)) == first


def test_a_tag_does_not_move(stores: GraphStores) -> None:
    first = _committed(stores, 1)
    second = _committed(stores, 2, first)
    stores.refs(ACME).create(ONE, first.id, expires_at=None)

    with pytest.raises(TagConflictError):
        stores.refs(ACME).create(ONE, second.id, expires_at=None)

    assert [tag.snapshot for tag in stores.refs(ACME).tags()] == [first]


def test_tags_come_in_order_of_their_names(stores: GraphStores) -> None:
    snapshot = _committed(stores, 1)
    for name in (TWO, ONE):
        stores.refs(ACME).create(name, snapshot.id, expires_at=None)

    assert [tag.name for tag in stores.refs(ACME).tags()] == [ONE, TWO]


def test_a_deleted_tag_is_gone_and_its_snapshot_is_not(stores: GraphStores) -> None:
    snapshot = _committed(stores, 1)
    stores.refs(ACME).create(ONE, snapshot.id, expires_at=None)

    stores.refs(ACME).delete(ONE)

    assert stores.refs(ACME).tags() == ()
    assert stores.open(ACME).head() == snapshot
    with pytest.raises(TagNotFoundError):
        stores.refs(ACME).delete(ONE)


def test_a_writer_that_saw_no_tag_goes_on_beside_it(stores: GraphStores) -> None:
    """A tag changes the table's metadata and not the history: nobody loses a commit to it."""
    store = stores.open(ACME)
    first = store.append(batch_of(session_of("a", subject="ada", nodes=[node_of("n:1", "Thing")])), parent=None)
    stores.refs(ACME).create(ONE, first.id, expires_at=None)

    second = store.append(
        batch_of(session_of("b", subject="ada", nodes=[node_of("n:2", "Thing")]), first_seq=2), parent=first.id
    )

    assert stores.open(ACME).head() == second
    assert [tag.name for tag in stores.refs(ACME).tags()] == [ONE]
