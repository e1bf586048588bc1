"""Expiry of snapshots: metadata stays short, and what only old snapshots name becomes garbage."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRef
from pyiceberg.table.update import RemoveSnapshotsUpdate
from pyiceberg.table.update.snapshot import ManageSnapshots

from aeterna.graph.adapters.iceberg.removable import removable
from aeterna.graph.adapters.iceberg.summaries import batch_of, chain, maintenance_summary, snapshot_of
from aeterna.graph.adapters.iceberg.transaction import transaction
from aeterna.graph.adapters.iceberg.translation import translated, translated_commit
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.upkeep import Expired, RetentionPolicy, expiry_cutoff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot

_MILLISECOND: Final = timedelta(milliseconds=1)
_EPOCH_OF_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


class IcebergExpirer:
    """An `Expirer` on one table."""

    def __init__(self, *, load: Callable[[], Table | None]) -> None:
        self._load = load

    def expire(self, policy: RetentionPolicy, *, now: datetime, dry_run: bool) -> Expired:
        """Remove old snapshots and refs from the metadata; raise `CommitConflictError` when a commit came between."""
        with translated("read the catalog"):
            table = self._load()
        head = table.current_snapshot() if table else None
        if table is None or head is None:
            return Expired(expired=0, kept=0, cutoff=now)
        if not dry_run and batch_of(head) is None:
            head = _stamp(table, head)
        metadata = table.metadata
        cutoff = _cutoff(metadata, policy, now)
        refs = _dead_refs(metadata, now)
        protected = _protected(metadata, without=refs)
        old = [each for each in metadata.snapshots if _time(each) < cutoff and each.snapshot_id not in protected]
        report = Expired(expired=len(old), kept=len(metadata.snapshots) - len(old), cutoff=cutoff)
        if not dry_run and (old or refs):
            _remove(table, head, [each.snapshot_id for each in old], refs)
        return report


def _cutoff(metadata: TableMetadata, policy: RetentionPolicy, now: datetime) -> datetime:
    newest_first = chain(metadata)
    cutoff = expiry_cutoff([_time(snapshot) for snapshot in newest_first], policy, now)
    kept = [snapshot for snapshot in newest_first if _time(snapshot) >= cutoff]
    # A snapshot of another engine knows its place in history by an ancestor of ours, which therefore stays too.
    if kept and batch_of(kept[-1]) is None:
        ours = next((each for each in newest_first[len(kept) :] if batch_of(each) is not None), None)
        return min(cutoff, _time(ours)) if ours else cutoff
    return cutoff


def _dead_refs(metadata: TableMetadata, now: datetime) -> list[str]:
    """Return the tags and branches whose own age limit has passed."""
    by_id = {snapshot.snapshot_id: snapshot for snapshot in metadata.snapshots}

    def is_dead(ref: SnapshotRef) -> bool:
        snapshot = by_id.get(ref.snapshot_id)
        if ref.max_ref_age_ms is None or snapshot is None:
            return False
        return _time(snapshot) + ref.max_ref_age_ms * _MILLISECOND < now

    return [name for name, ref in metadata.refs.items() if name != MAIN_BRANCH and is_dead(ref)]


def _protected(metadata: TableMetadata, *, without: Sequence[str]) -> set[int]:
    """Return what refs name, and for a snapshot of another engine the way to the nearest ancestor of ours as well."""
    by_id = {snapshot.snapshot_id: snapshot for snapshot in metadata.snapshots}
    protected: set[int] = set()
    for name, ref in metadata.refs.items():
        snapshot = None if name in without else by_id.get(ref.snapshot_id)
        while snapshot is not None:
            protected.add(snapshot.snapshot_id)
            parent = snapshot.parent_snapshot_id
            # Without that ancestor nobody could tell of which seq the named state is.
            snapshot = by_id.get(parent) if batch_of(snapshot) is None and parent is not None else None
    return protected


def _remove(table: Table, head: IcebergSnapshot, snapshots: Sequence[int], refs: Sequence[str]) -> None:
    with translated("expire snapshots"):
        changes = transaction(table)
        unchanged = removable(head, snapshots, refs)
        untyped(changes)._stage((), (unchanged,))  # noqa: SLF001 - pyiceberg has no public way to demand it
        if refs:
            manage = ManageSnapshots(changes)
            for name in refs:
                manage.remove_tag(name)
            manage.commit()
        if snapshots:
            # pyiceberg's own removal by name takes a second for fifty.
            update = RemoveSnapshotsUpdate.model_validate({"snapshot-ids": snapshots})
            untyped(changes)._stage((update,))  # noqa: SLF001 - as above
    with translated_commit("commit the expiry"):
        changes.commit_transaction()


def _stamp(table: Table, head: IcebergSnapshot) -> IcebergSnapshot:
    """Put an empty snapshot of ours on top of another engine's, so that its place in history outlives its ancestors."""
    summary = maintenance_summary(str(uuid.uuid4()), snapshot_of(table.metadata, head))
    with translated("stamp the history"):
        changes = transaction(table)
        with changes.update_snapshot(snapshot_properties=summary).fast_append():
            pass
    with translated_commit("commit the stamp"):
        return changes.commit_transaction().current_snapshot() or head


def _time(snapshot: IcebergSnapshot) -> datetime:
    return _EPOCH_OF_TIME + snapshot.timestamp_ms * _MILLISECOND
