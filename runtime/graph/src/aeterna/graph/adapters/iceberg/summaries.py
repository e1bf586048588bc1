"""What a snapshot's summary says about the sessions in it, written and read: a public contract."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pyiceberg.table.snapshots import Operation

from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.snapshots import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot

    from aeterna.graph.domain.identifiers import SessionId
    from aeterna.graph.ports import Batch

BATCH: Final = "aeterna.batch"
_EPOCH_OF_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SESSIONS: Final = "aeterna.sessions"
_FIRST_SEQ: Final = "aeterna.first-seq"
_LAST_SEQ: Final = "aeterna.last-seq"
_COMMITTED_US: Final = "aeterna.committed-us"
_FLOOR: Final = "aeterna.floor"
_EPOCH: Final = "aeterna.epoch"
_MARK_BYTES: Final = 12  # of a SHA-256: 16 characters for each session keep the summary small


def mark_of(session: SessionId) -> str:
    """Return the short mark by which a snapshot's summary names a session."""
    return urlsafe_b64encode(hashlib.sha256(session.encode()).digest()[:_MARK_BYTES]).decode()


def summary_of(batch: Batch) -> dict[str, str]:
    """Return the summary of a snapshot that holds a batch of sessions."""
    return {
        BATCH: batch.id,
        _SESSIONS: " ".join(mark_of(session) for session in batch.sessions),
        **_position(batch.first_seq, batch.last_seq, batch.committed_at, batch.floor, batch.epoch),
    }


def maintenance_summary(
    id_: str, parent: Snapshot, *, floor: int | None = None, epoch: int | None = None
) -> dict[str, str]:
    """Return the summary of a snapshot that holds no session of its own; ``id_`` finds it again as a batch's does."""
    return {
        BATCH: id_,
        **_position(
            parent.last_seq + 1,
            parent.last_seq,
            parent.committed_at,
            parent.floor if floor is None else floor,
            parent.epoch if epoch is None else epoch,
        ),
    }


def batch_of(snapshot: IcebergSnapshot) -> str | None:
    """Return the id of the batch that the snapshot holds; None for a snapshot of another engine."""
    return snapshot.summary.additional_properties.get(BATCH) if snapshot.summary else None


def committed(metadata: TableMetadata, batch: str) -> Snapshot | None:
    """Look for the snapshot that holds a batch: the answer to a commit whose outcome is open."""
    return next((snapshot_of(metadata, each) for each in reversed(metadata.snapshots) if batch_of(each) == batch), None)


def history(metadata: TableMetadata, to: int | None = None) -> tuple[Snapshot, ...]:
    """Return the readable snapshots up to ``to`` (the current one without it), oldest first."""
    return tuple(_read(reversed(chain(metadata, to))))


def chain(metadata: TableMetadata, to: int | None = None) -> list[IcebergSnapshot]:
    """Return the readable snapshots up to ``to`` as Iceberg has them, newest first.

    Metadata may also list snapshots of branches and rolled back ones; the history is the chain of parents.
    """
    by_id = {snapshot.snapshot_id: snapshot for snapshot in metadata.snapshots}
    found: list[IcebergSnapshot] = []
    next_id = metadata.current_snapshot_id if to is None else to
    while next_id is not None and (snapshot := by_id.get(next_id)) is not None:
        found.append(snapshot)
        next_id = snapshot.parent_snapshot_id
    return found


def snapshot_of(metadata: TableMetadata, snapshot: IcebergSnapshot) -> Snapshot:
    """Read one snapshot; one of another engine inherits its place in history from its nearest ancestor of ours."""
    if _is_ours(snapshot):
        return _own(snapshot)
    return history(metadata, snapshot.snapshot_id)[-1]


def _read(snapshots: Iterable[IcebergSnapshot]) -> Iterable[Snapshot]:
    last: Snapshot | None = None
    for snapshot in snapshots:
        last = _own(snapshot) if _is_ours(snapshot) else _inherited(snapshot, last)
        yield last


def _is_ours(snapshot: IcebergSnapshot) -> bool:
    return snapshot.summary is not None and _LAST_SEQ in snapshot.summary.additional_properties


def _own(snapshot: IcebergSnapshot) -> Snapshot:
    summary: Mapping[str, str] = snapshot.summary.additional_properties if snapshot.summary else {}
    return Snapshot(
        id=SnapshotId(snapshot.snapshot_id),
        first_seq=int(summary[_FIRST_SEQ]),
        last_seq=int(summary[_LAST_SEQ]),
        committed_at=_EPOCH_OF_TIME + timedelta(microseconds=int(summary[_COMMITTED_US])),
        floor=int(summary.get(_FLOOR, 0)),
        epoch=int(summary.get(_EPOCH, 0)),
    )


def _inherited(snapshot: IcebergSnapshot, parent: Snapshot | None) -> Snapshot:
    committed_at = _EPOCH_OF_TIME + timedelta(milliseconds=snapshot.timestamp_ms)
    last_seq = parent.last_seq if parent else 0
    told = snapshot.summary.additional_properties.get(_FLOOR) if snapshot.summary else None
    return Snapshot(
        id=SnapshotId(snapshot.snapshot_id),
        first_seq=last_seq + 1,
        last_seq=last_seq,
        committed_at=parent.committed_at if parent else committed_at,
        floor=_floor_behind(snapshot, parent) if told is None else max(int(told), parent.floor if parent else 0),
        epoch=parent.epoch if parent else 0,
    )


def _floor_behind(snapshot: IcebergSnapshot, parent: Snapshot | None) -> int:
    """Return the floor of a snapshot of another engine that says nothing of it."""
    if parent is None:
        return 0
    # Iceberg calls it "replace" when the rows stayed the same; anything else may have lost some.
    return parent.floor if _only_moved_rows(snapshot) else parent.last_seq


def _only_moved_rows(snapshot: IcebergSnapshot) -> bool:
    return snapshot.summary is not None and snapshot.summary.operation == Operation.REPLACE


def _position(first_seq: int, last_seq: int, committed_at: datetime, floor: int, epoch: int) -> dict[str, str]:
    return {
        _FIRST_SEQ: str(first_seq),
        _LAST_SEQ: str(last_seq),
        _COMMITTED_US: str((committed_at - _EPOCH_OF_TIME) // timedelta(microseconds=1)),
        _FLOOR: str(floor),
        _EPOCH: str(epoch),
    }
