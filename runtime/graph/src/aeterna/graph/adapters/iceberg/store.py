"""A tenant's history as one Iceberg table: an append is a snapshot, and a snapshot names the sessions in it."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from aeterna.graph.adapters.iceberg.transaction import transaction
from aeterna.graph.adapters.iceberg.translation import translated, translated_commit
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.rows import ROW_SCHEMA
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import CommitConflictError, SnapshotNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot

    from aeterna.graph.domain.identifiers import SessionId
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.ports import Batch

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BATCH: Final = "aeterna.batch"
_SESSIONS: Final = "aeterna.sessions"
_FIRST_SEQ: Final = "aeterna.first-seq"
_LAST_SEQ: Final = "aeterna.last-seq"
_COMMITTED_US: Final = "aeterna.committed-us"
_MARK_BYTES: Final = 12  # of a SHA-256: 16 characters for each session keep the summary small


class IcebergGraphStore:
    """A `GraphStore` on one table, which is made with the first append."""

    def __init__(self, *, load: Callable[[], Table | None], make: Callable[[], Table]) -> None:
        self._load = load
        self._make = make
        self._table: Table | None = None

    def head(self) -> Snapshot | None:
        """Ask the catalog for the newest snapshot of any writer; None before the first."""
        with translated("read the catalog"):
            self._table = self._load()
        newest = self._table.current_snapshot() if self._table else None
        return _snapshot(newest) if newest else None

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return every snapshot that is still readable, oldest first, as of the last look at the catalog."""
        if self._table is None:
            return ()
        metadata = self._table.metadata
        by_id = {snapshot.snapshot_id: snapshot for snapshot in metadata.snapshots}
        # The list may also hold snapshots of branches and rolled back ones; the history is the chain of parents.
        chain: list[Snapshot] = []
        next_id = metadata.current_snapshot_id
        while next_id is not None and (snapshot := by_id.get(next_id)) is not None:
            chain.append(_snapshot(snapshot))
            next_id = snapshot.parent_snapshot_id
        return tuple(reversed(chain))

    def append(self, batch: Batch, *, parent: SnapshotId | None) -> Snapshot:
        """Write every row of the batch as one durable snapshot on top of ``parent``."""
        with translated("make the tenant's table"):
            table = self._table or self._load() or self._make()
        self._table = table
        current = table.current_snapshot()
        if (current.snapshot_id if current else None) != parent:
            raise CommitConflictError("commit", f"the head is no longer {parent}")
        with translated("write the session"):
            changes = transaction(table)
            untyped(changes).append(batch.rows, snapshot_properties=_summary(batch))
        with translated_commit("commit the session"):
            committed = changes.commit_transaction().current_snapshot()
        if committed is None:
            raise SnapshotNotFoundError(batch.id)
        return _snapshot(committed)

    def settled(self, batch_id: str) -> Snapshot | None:
        """Look for a batch among the snapshots in the catalog: the answer to `CommitUncertainError`."""
        self.head()
        for snapshot in reversed(self._table.snapshots() if self._table else []):
            if snapshot.summary is not None and snapshot.summary.get(_BATCH) == batch_id:
                return _snapshot(snapshot)
        return None

    def rows(self, to: SnapshotId, *, after: SnapshotId | None = None) -> Rows:
        """Read what was committed up to ``to``, all of it or only what came behind ``after``."""
        table = self._table
        if table is None or table.snapshot_by_id(to) is None:
            raise SnapshotNotFoundError(str(to))
        with translated("read the graph"):
            if after is None:
                scan = table.scan(snapshot_id=to)
            else:
                scan = table.incremental_append_scan(from_snapshot_id_exclusive=after, to_snapshot_id_inclusive=to)
            try:
                return untyped(scan).to_arrow().cast(ROW_SCHEMA)
            except ValueError as unrelated:
                # pyiceberg says so when the one is not an ancestor of the other, expired ones included.
                raise SnapshotNotFoundError(str(after)) from unrelated


def mark_of(session: SessionId) -> str:
    """Return the short mark by which a snapshot's summary names a session."""
    return urlsafe_b64encode(hashlib.sha256(session.encode()).digest()[:_MARK_BYTES]).decode()


def _summary(batch: Batch) -> dict[str, str]:
    return {
        _BATCH: batch.id,
        _SESSIONS: " ".join(mark_of(session) for session in batch.sessions),
        _FIRST_SEQ: str(batch.first_seq),
        _LAST_SEQ: str(batch.last_seq),
        _COMMITTED_US: str((batch.committed_at - _EPOCH) // timedelta(microseconds=1)),
    }


def _snapshot(snapshot: IcebergSnapshot) -> Snapshot:
    summary = snapshot.summary.additional_properties if snapshot.summary else {}
    return Snapshot(
        id=SnapshotId(snapshot.snapshot_id),
        first_seq=int(summary[_FIRST_SEQ]),
        last_seq=int(summary[_LAST_SEQ]),
        committed_at=_EPOCH + timedelta(microseconds=int(summary[_COMMITTED_US])),
    )
