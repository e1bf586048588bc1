"""What every durable history of a graph does, whatever keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.arrow import pc
from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.identifiers import SnapshotId, TenantId
from aeterna.graph.errors import CommitConflictError, SnapshotNotFoundError, WriterFencedError
from aeterna.graph.testing import MemoryGraphStores
from fixtures.fix_catalogs import KINDS, place_of
from fixtures.fix_graph import ACME, START, batch_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.ports import GraphStores


@pytest.fixture(params=["memory", *KINDS])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStores]:
    opened: GraphStores
    match request.param:
        case "memory":
            opened = MemoryGraphStores()
        case kind:
            opened = place_of(kind, request, tmp_path).open()
    yield opened
    opened.close()


def _session(id_: str) -> Session:
    return session_of(id_, subject="ada", nodes=[node_of(f"n:{id_}", "Thing", {"from": id_})])


def _ids(rows: Rows) -> list[str]:
    return sorted(id_ for id_ in rows["id"].to_pylist() if id_ is not None)


def test_a_tenant_without_commits_has_no_snapshot(stores: GraphStores) -> None:
    store = stores.open(ACME)

    assert store.head() is None
    assert store.snapshots() == ()


def test_a_batch_is_one_snapshot_that_any_other_opening_sees(stores: GraphStores) -> None:
    written = stores.open(ACME).append(batch_of(_session("a"), _session("b")), parent=None)

    other = stores.open(ACME)
    assert other.head() == written
    assert (written.first_seq, written.last_seq, written.sessions) == (1, 2, 2)
    assert written.committed_at > START


def test_what_was_written_is_read_back_row_for_row(stores: GraphStores) -> None:
    store, batch = stores.open(ACME), batch_of(_session("a"), _session("b"))
    snapshot = store.append(batch, parent=None)

    read = store.rows(snapshot.id)

    order = [("seq", "ascending"), ("record", "ascending")]
    for name in ("record", "op", "seq", "session", "committed_at", "subject", "id", "kind", "properties", "digest"):
        expected = batch.rows.take(pc.sort_indices(batch.rows, sort_keys=order))[name].to_pylist()
        assert read.take(pc.sort_indices(read, sort_keys=order))[name].to_pylist() == expected


def test_only_what_came_behind_a_snapshot_is_read(stores: GraphStores) -> None:
    store = stores.open(ACME)
    first = store.append(batch_of(_session("a")), parent=None)
    second = store.append(batch_of(_session("b"), first_seq=2), parent=first.id)
    third = store.append(batch_of(_session("c"), first_seq=3), parent=second.id)

    assert _ids(store.rows(third.id, after=first.last_seq)) == ["n:b", "n:c"]
    assert _ids(store.rows(second.id, after=first.last_seq)) == ["n:b"]


def test_an_earlier_snapshot_is_read_as_it_was(stores: GraphStores) -> None:
    store = stores.open(ACME)
    first = store.append(batch_of(_session("a")), parent=None)
    store.append(batch_of(_session("b"), first_seq=2), parent=first.id)

    assert _ids(store.rows(first.id)) == ["n:a"]


def test_snapshots_are_listed_oldest_first(stores: GraphStores) -> None:
    store = stores.open(ACME)
    first = store.append(batch_of(_session("a")), parent=None)
    second = store.append(batch_of(_session("b"), first_seq=2), parent=first.id)

    assert store.snapshots() == (first, second)


@pytest.mark.parametrize("seen_first", [True, False], ids=["the loser had looked before", "the loser never looked"])
def test_only_one_of_two_writers_on_the_same_parent_commits(stores: GraphStores, seen_first: bool) -> None:
    winner, loser = stores.open(ACME), stores.open(ACME)
    first = winner.append(batch_of(_session("a")), parent=None)
    if seen_first:
        loser.head()
    second = winner.append(batch_of(_session("b"), first_seq=2), parent=first.id)

    with pytest.raises(CommitConflictError):
        loser.append(batch_of(_session("c"), first_seq=2), parent=first.id)

    assert loser.head() == second
    assert _ids(loser.rows(second.id)) == ["n:a", "n:b"]


def test_a_refused_writer_commits_on_the_new_head(stores: GraphStores) -> None:
    winner, loser = stores.open(ACME), stores.open(ACME)
    loser.head()
    first = winner.append(batch_of(_session("a")), parent=None)
    with pytest.raises(CommitConflictError):
        loser.append(batch_of(_session("b")), parent=None)
    loser.head()

    second = loser.append(batch_of(_session("b"), first_seq=2), parent=first.id)

    assert winner.head() == second


def test_a_writer_of_an_older_epoch_than_the_heads_is_refused_even_on_the_head(stores: GraphStores) -> None:
    """A process that was thought dead, and is not, holds a lease that is over."""
    store = stores.open(ACME)
    first = store.append(replace(batch_of(_session("a")), epoch=4), parent=None)
    late = replace(batch_of(_session("b"), first_seq=2), epoch=3)

    with pytest.raises(WriterFencedError):
        store.append(late, parent=first.id)

    assert store.head() == first
    assert store.append(replace(late, epoch=4), parent=first.id).epoch == 4


def test_a_batch_is_found_again_by_its_id(stores: GraphStores) -> None:
    """This is how a commit whose answer was lost is settled."""
    batch = batch_of(_session("a"))
    snapshot = stores.open(ACME).append(batch, parent=None)

    assert stores.open(ACME).settled(batch.id) == snapshot
    assert stores.open(ACME).settled("another") is None


def test_unknown_snapshots_are_refused(stores: GraphStores) -> None:
    store = stores.open(ACME)
    store.append(batch_of(_session("a")), parent=None)

    with pytest.raises(SnapshotNotFoundError):
        store.rows(SnapshotId(7))


@pytest.mark.parametrize("other", ["acme-2", "acm", "a-cme"])
def test_tenants_share_nothing(stores: GraphStores, other: str) -> None:
    stores.open(ACME).append(batch_of(_session("a")), parent=None)

    assert stores.open(TenantId(other)).head() is None


def test_the_stores_can_be_probed(stores: GraphStores) -> None:
    stores.probe()
