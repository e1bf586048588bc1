"""Upkeep of real tables: nothing that can be asked changes, and what is left behind is little."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.catalog.sql import SqlCatalog

from aeterna.graph.adapters.iceberg.expiry import IcebergExpirer
from aeterna.graph.domain.arrow import where
from aeterna.graph.domain.changes import EdgeKey, Session, edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import Label, NodeId, SnapshotId, TagName
from aeterna.graph.domain.upkeep import CollectionPolicy, CompactionPolicy, RetentionPolicy
from aeterna.graph.errors import CommitConflictError, CompactionOvertakenError, SnapshotNotFoundError
from aeterna.graph.ports import CommitTrace
from aeterna.graph.usecases.compacting import compact
from aeterna.graph.usecases.engine import World
from fixtures.fix_graph import ACME, START, batch_of, iceberg_stores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pyiceberg.table import Table as IcebergTable

    from aeterna.graph.adapters.iceberg.stores import IcebergGraphStores
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.domain.upkeep import Compacted
    from aeterna.graph.ports import GraphStore, Upkeep

LATER: Final = datetime.now(UTC) + timedelta(days=2)
NAMES: Final = ("a", "b", "c")
KEEP_ONE: Final = RetentionPolicy(keep_least=1, keep_most=1)
TIERED: Final = CompactionPolicy(merge_runs=2, full_ratio=1e9, size_ratio=0.0)


class Table:
    """One tenant's table, and what keeps it."""

    def __init__(self, folder: Path) -> None:
        self.stores: IcebergGraphStores = iceberg_stores(folder)
        self.store: GraphStore = self.stores.open(ACME)
        self.upkeep: Upkeep = self.stores.upkeep(ACME)
        self.head: Snapshot | None = None
        self.folder = folder / "warehouse"

    def commit(self, session: Session) -> Snapshot:
        """Append a session on the newest head."""
        self.head = self.store.head()
        if self.head is None:
            return self.store.append(batch_of(session), parent=None)
        # As every writer does: what was forgotten stays forgotten.
        batch = replace(batch_of(session, first_seq=self.head.last_seq + 1), floor=self.head.floor)
        return self.store.append(batch, parent=self.head.id)

    def elsewhere(self) -> IcebergTable:
        """Return the table as another process loads it now."""
        catalog = SqlCatalog("aeterna", uri=f"sqlite:///{self.folder.parent}/catalog.db", warehouse=str(self.folder))
        return catalog.load_table(("aeterna", "acme"))

    def compact(self, policy: CompactionPolicy = TIERED, *, full: bool = False, now: datetime = LATER) -> Compacted:
        """Compact, as of a time at which every removal is old unless a test says otherwise."""
        world = World(clock=lambda: now, stopwatch=lambda: 0.0, pause=lambda _: None, chance=lambda: 0.5)
        return compact(self.upkeep.compactor, policy, world, trace=CommitTrace(), watch=lambda _: None, full=full)

    def rows(self, done: Compacted) -> Rows:
        """Return what a compaction left."""
        self.store.head()
        return self.store.rows(done.snapshot_id or SnapshotId(0))

    def state(self, snapshot: SnapshotId | None = None) -> dict[tuple[Any, ...], Any]:
        """Return what counts of a snapshot, the newest without one: of each thing the latest row, removals left out."""
        head = self.store.head()
        assert head is not None
        return latest(self.store.rows(snapshot or head.id))


def latest(rows: Rows) -> dict[tuple[Any, ...], Any]:
    """Apply the layout's one rule by the definition."""
    counts: dict[tuple[Any, ...], Any] = {}
    names = ("record", "op", "seq", "session", "id", "source", "type", "target", "properties", "digest")
    for row in sorted(zip(*(rows[name].to_pylist() for name in names), strict=True), key=lambda row: row[2]):
        record, op, _, session, *key = row[:8]
        counts[record, *key, session if record == "session" else None] = row if op == "upsert" else None
    return {key: row for key, row in counts.items() if row is not None}


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    opened = Table(tmp_path)
    yield opened
    opened.stores.close()


def _node(id_: str, number: int) -> Session:
    return session_of(f"{id_}{number}", subject="ada", nodes=[node_of(id_, "Thing", {"number": number})])


nodes = st.sampled_from(NAMES)
change = st.tuples(st.sampled_from(["node", "edge", "drop node", "drop edge"]), nodes, nodes)
step = st.one_of(st.lists(change, min_size=1, max_size=3), st.sampled_from(["tiered", "full"]))


def _session_of(number: int, changes: Sequence[tuple[str, str, str]]) -> Session:
    things: dict[tuple[str, ...], tuple[str, str, str]] = {}
    for kind, one, other in changes:
        things[("node", one) if "node" in kind else ("edge", one, other)] = (kind, one, other)
    of = {
        kind: [(one, other) for each, one, other in things.values() if each == kind]
        for kind in ("node", "edge", "drop node", "drop edge")
    }
    gone = {one for one, _ in of["drop node"]}
    edges = [(one, other) for one, other in of["edge"] if not gone & {one, other}]
    written = [node_of(one, "Thing", {"at": number}) for one in [one for one, _ in of["node"]] or ["z"]]
    return session_of(
        f"s{number}",
        subject="ada",
        nodes=written,
        edges=[edge_of(one, "knows", other, {"at": number}) for one, other in edges],
        removed_nodes=[NodeId(one) for one in gone],
        removed_edges=[EdgeKey(NodeId(one), Label("knows"), NodeId(other)) for one, other in of["drop edge"]],
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(step, min_size=3, max_size=10), days=st.sampled_from([-30, 2]))
def test_compaction_changes_nothing_that_counts_now_or_in_the_past(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str | list[tuple[str, str, str]]], days: int
) -> None:
    """The newest state, every snapshot, and every position from the floor on; with all history young, and all old."""
    table = Table(tmp_path_factory.mktemp("table"))
    states: dict[int, dict[tuple[Any, ...], Any]] = {0: {}}
    snapshots: dict[SnapshotId, int] = {}
    for number, each in enumerate(steps):
        if isinstance(each, str):
            table.compact(full=each == "full", now=datetime.now(UTC) + timedelta(days=days))
        else:
            snapshot = table.commit(_session_of(number, each))
            rows = table.store.rows(snapshot.id, after=snapshot.last_seq - 1)
            states[snapshot.last_seq] = _brought_forward(states[snapshot.last_seq - 1], rows)
            snapshots[snapshot.id] = snapshot.last_seq
    head = table.store.head()
    if head is not None:
        newest = states[head.last_seq]
        assert {snapshot: table.state(snapshot) for snapshot in snapshots} == {
            snapshot: states[seq] for snapshot, seq in snapshots.items()
        }
        for seq in range(max(head.floor, 1), head.last_seq + 1):
            assert latest(table.store.rows(head.id, up_to=seq)) == states[seq]
            assert _brought_forward(states[seq], table.store.rows(head.id, after=seq)) == newest
        assert latest(table.store.rows(head.id)) == newest
        assert days > 0 or head.floor == 0
    table.stores.close()


def _brought_forward(state: dict[tuple[Any, ...], Any], rows: Rows) -> dict[tuple[Any, ...], Any]:
    removed = {
        (record, id_, source, type_, target, None)
        for record, op, id_, source, type_, target in zip(
            *(rows[name].to_pylist() for name in ("record", "op", "id", "source", "type", "target")), strict=True
        )
        if op == "delete"
    }
    return {key: row for key, row in state.items() if key not in removed} | latest(rows)


def test_a_full_compaction_leaves_one_sorted_row_of_each_thing_in_a_file_of_each_kind(table: Table) -> None:
    for number in range(3):
        for id_ in ("b", "a"):
            table.commit(_node(id_, number))

    done = table.compact(full=True)

    rows = table.rows(done)
    assert rows.filter(where("record", "node"))["id"].to_pylist() == ["a", "b"]
    assert (done.files_before, done.files_after, done.rows_before, done.rows_after) == (6, 2, 12, 8)


def test_sessions_are_known_for_ever(table: Table) -> None:
    for number in range(4):
        table.commit(_node("a", number))

    done = table.compact(full=True)

    kept = table.rows(done).filter(where("record", "session"))
    assert sorted(kept["session"].to_pylist()) == ["a0", "a1", "a2", "a3"]


def test_old_removals_are_forgotten_by_a_full_compaction_and_the_floor_says_so(table: Table) -> None:
    table.commit(_node("a", 1))
    table.commit(session_of("gone", subject="ada", removed_nodes=[NodeId("a")]))
    table.commit(_node("b", 1))

    table.compact(full=True)

    head = table.store.head()
    assert head is not None
    assert (head.floor, head.last_seq, head.sessions) == (2, 3, 0)
    assert table.store.rows(head.id)["op"].to_pylist() == ["upsert"] * 4


def test_young_removals_stay_so_that_no_replica_has_to_load_anew(table: Table) -> None:
    table.commit(_node("a", 1))
    table.commit(session_of("gone", subject="ada", removed_nodes=[NodeId("a")]))

    table.compact(full=True, now=START + timedelta(minutes=1))

    head = table.store.head()
    assert head is not None
    assert (head.floor, "delete" in table.store.rows(head.id)["op"].to_pylist()) == (0, True)


def test_a_removal_stays_while_older_rows_are_in_files_that_are_not_merged(table: Table) -> None:
    table.commit(_node("a", 1))
    table.compact(full=True)
    table.commit(session_of("gone", subject="ada", removed_nodes=[NodeId("a")]))
    table.commit(_node("b", 1))

    done = table.compact()

    assert done.reason == "tiered"
    assert not any(key[:2] == ("node", "a") for key in table.state())


def test_commits_that_come_between_are_kept(table: Table) -> None:
    for number in range(3):
        table.commit(_node("a", number))
    compactor = table.upkeep.compactor
    compactor.runs()
    rewrite = compactor.rewrite(0, forget_before=LATER, memory_bytes=256 << 20, watch=lambda _: None)
    table.commit(_node("a", 9))

    snapshot = compactor.swap(rewrite)

    state = table.state(snapshot.id)
    assert json.loads(state["node", "a", None, None, None, None][8]) == {"number": 9}
    assert (snapshot.last_seq, len(state)) == (4, 5)


def test_the_second_of_two_compactions_is_refused_and_leaves_no_file(table: Table) -> None:
    for number in range(3):
        table.commit(_node("a", number))
    slow = table.upkeep.compactor
    slow.runs()
    rewrite = slow.rewrite(0, forget_before=LATER, memory_bytes=256 << 20, watch=lambda _: None)
    Table(table.folder.parent).compact(full=True)

    with pytest.raises(CompactionOvertakenError):
        slow.swap(rewrite)
    slow.abandon(rewrite)

    assert len(table.state()) == 4
    assert not list(table.folder.rglob(f"*{rewrite.id}*"))


def test_expiry_keeps_the_newest_and_what_a_tag_names(table: Table) -> None:
    snapshots = [table.commit(_node("a", number)) for number in range(8)]
    table.stores.refs(ACME).create(TagName("kept"), snapshots[1].id, expires_at=None)

    expired = table.upkeep.expirer.expire(RetentionPolicy(keep_least=3, keep_most=3), now=LATER, dry_run=False)

    assert (expired.expired, expired.kept) == (4, 4)
    store = table.stores.open(ACME)
    store.head()
    assert [snapshot.id for snapshot in store.snapshots()] == [snapshot.id for snapshot in snapshots[5:]]
    assert len(latest(store.rows(snapshots[1].id))) == 3
    with pytest.raises(SnapshotNotFoundError):
        store.rows(snapshots[0].id)


def test_a_tag_that_is_made_while_snapshots_expire_keeps_its_snapshot(table: Table) -> None:
    """Whoever removes a snapshot removes its tags: the expiry that had not seen the tag is refused."""
    snapshots = [table.commit(_node("a", number)) for number in range(4)]
    seen_before = table.elsewhere()
    table.stores.refs(ACME).create(TagName("kept"), snapshots[0].id, expires_at=None)

    with pytest.raises(CommitConflictError):
        IcebergExpirer(load=lambda: seen_before).expire(KEEP_ONE, now=LATER, dry_run=False)

    assert [tag.snapshot for tag in table.stores.refs(ACME).tags()] == [snapshots[0]]


def test_the_second_of_two_expiries_is_refused_so_that_it_looks_again(table: Table) -> None:
    for number in range(4):
        table.commit(_node("a", number))
    seen_before = table.elsewhere()
    table.upkeep.expirer.expire(KEEP_ONE, now=LATER, dry_run=False)

    with pytest.raises(CommitConflictError):
        IcebergExpirer(load=lambda: seen_before).expire(KEEP_ONE, now=LATER, dry_run=False)


def test_a_tag_on_another_engines_snapshot_still_says_its_seq_when_that_is_old(table: Table) -> None:
    """It says so by its ancestors: without them the named state would be taken for an empty one."""
    table.commit(_node("a", 0))
    with table.elsewhere().transaction() as changes, changes.update_snapshot().fast_append():
        pass
    named = table.store.head()
    assert named is not None
    table.stores.refs(ACME).create(TagName("kept"), named.id, expires_at=None)
    for number in range(1, 4):
        table.commit(_node("a", number))

    table.upkeep.expirer.expire(KEEP_ONE, now=LATER, dry_run=False)

    assert [tag.snapshot.last_seq for tag in table.stores.refs(ACME).tags()] == [1]


def test_a_tag_whose_time_is_over_keeps_nothing(table: Table) -> None:
    snapshots = [table.commit(_node("a", number)) for number in range(4)]
    table.stores.refs(ACME).create(TagName("over"), snapshots[0].id, expires_at=datetime.now(UTC) + timedelta(hours=1))

    table.upkeep.expirer.expire(RetentionPolicy(keep_least=1, keep_most=1), now=LATER, dry_run=False)

    assert table.stores.refs(ACME).tags() == ()


def test_collection_deletes_exactly_what_nothing_names(table: Table) -> None:
    for number in range(4):
        table.commit(_node("a", number))
    table.compact(full=True)
    table.upkeep.expirer.expire(RetentionPolicy(keep_least=1, keep_most=1), now=LATER, dry_run=False)
    (table.folder / "aeterna" / "acme" / "data" / "left-by-a-crash.parquet").write_bytes(b"torn")
    policy = CollectionPolicy(batch_files=3)

    dry = table.upkeep.collector.collect(policy, now=LATER, dry_run=True, watch=lambda _: None)
    seen: list[int] = []
    done = table.upkeep.collector.collect(policy, now=LATER, dry_run=False, watch=lambda each: seen.append(each.done))

    files = [path for path in table.folder.rglob("*") if path.is_file()]
    assert done == dry
    assert len(files) == done.reachable
    assert seen == [*range(3, done.files, 3), done.files]
    assert len(table.state()) == 5


def test_young_files_wait_for_the_commit_that_may_name_them(table: Table) -> None:
    table.commit(_node("a", 1))
    data = table.folder / "aeterna" / "acme" / "data"
    for name, age in (("young", 1), ("old", 30)):
        (data / f"{name}.parquet").write_bytes(b"12345")
        written = (datetime.now(UTC) - timedelta(hours=age)).timestamp()
        os.utime(data / f"{name}.parquet", (written, written))

    done = table.upkeep.collector.collect(
        CollectionPolicy(), now=datetime.now(UTC), dry_run=False, watch=lambda _: None
    )

    assert (done.files, done.bytes, done.waiting, done.waiting_bytes) == (1, 5, 1, 5)
    assert (data / "young.parquet").exists()


def test_an_empty_tenant_needs_no_upkeep(table: Table) -> None:
    assert table.compact(full=True).reason is None
    assert table.upkeep.expirer.expire(RetentionPolicy(), now=LATER, dry_run=False).expired == 0
    collected = table.upkeep.collector.collect(CollectionPolicy(), now=LATER, dry_run=False, watch=lambda _: None)
    assert collected.reachable == 0
    assert table.stores.tenants() == ()
