"""A tenant's history as one Iceberg table: an append is a snapshot, and a snapshot names the sessions in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.graph.adapters.iceberg.layout import read, upgraded
from aeterna.graph.adapters.iceberg.reading import read_parts
from aeterna.graph.adapters.iceberg.summaries import committed, history, snapshot_of, summary_of
from aeterna.graph.adapters.iceberg.transaction import transaction
from aeterna.graph.adapters.iceberg.translation import translated, translated_commit
from aeterna.graph.adapters.iceberg.writing import append
from aeterna.graph.errors import (
    CommitConflictError,
    CommitUncertainError,
    SnapshotNotFoundError,
    StorageError,
    WriterFencedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyiceberg.table import Table

    from aeterna.graph.domain.identifiers import SnapshotId
    from aeterna.graph.domain.parts import Parts
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.ports import Batch


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
        return snapshot_of(self._table.metadata, newest) if self._table and newest else None

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return every snapshot that is still readable, oldest first, as of the last look at the catalog."""
        return history(self._table.metadata) if self._table else ()

    def append(self, batch: Batch, *, parent: SnapshotId | None) -> Snapshot:
        """Write every row of the batch as one durable snapshot on top of ``parent``."""
        with translated("make the tenant's table"):
            table = self._table or self._load() or self._make()
        with translated("upgrade the layout"):
            # Before the look at the head: what comes back may have a newer one.
            self._table = table = upgraded(table, self._load)
        current = table.current_snapshot()
        if (current.snapshot_id if current else None) != parent:
            raise CommitConflictError("commit", f"the head is no longer {parent}")
        if current is not None and (newest := snapshot_of(table.metadata, current).epoch) > batch.epoch:
            raise WriterFencedError(batch.epoch, newest)
        try:
            with translated("write the session"):
                changes = transaction(table)
                append(table, changes, batch.rows, summary_of(batch))
        except StorageError as failure:
            raise self._overtaken(parent, failure) from failure
        try:
            with translated_commit("commit the session"):
                appended = changes.commit_transaction().current_snapshot()
        except CommitConflictError as conflict:
            return self._refused(batch, conflict)
        if appended is None:
            raise SnapshotNotFoundError(batch.id)
        return snapshot_of(table.metadata, appended)

    def _overtaken(self, parent: SnapshotId | None, failure: StorageError) -> StorageError:
        """Return a conflict when the head has moved on: the files of the one that was stood on may be erased by now."""
        head = self.head()
        if (head.id if head else None) == parent:
            return failure
        return CommitConflictError(failure.operation, f"the head is no longer {parent}, and {failure.reason}")

    def _refused(self, batch: Batch, conflict: CommitConflictError) -> Snapshot:
        """Return the batch's snapshot when what refused the commit was that same commit, sent twice on its way."""
        try:
            found = self.settled(batch.id)
        except StorageError as failure:
            raise CommitUncertainError("commit the session", failure.reason, conflict) from failure
        if found is None:
            raise conflict
        return found

    def settled(self, batch_id: str) -> Snapshot | None:
        """Look for a batch among the snapshots in the catalog: the answer to `CommitUncertainError`."""
        self.head()
        return committed(self._table.metadata, batch_id) if self._table else None

    def rows(self, to: SnapshotId, *, after: int = 0, up_to: int | None = None) -> Rows:
        """Read the rows of the snapshot ``to``, or only those with a seq behind ``after`` and not behind ``up_to``."""
        table = self._table
        if table is None or table.snapshot_by_id(to) is None:
            raise SnapshotNotFoundError(str(to))
        with translated("read the graph"):
            return read(table, to, after=after, up_to=up_to)

    def parts(self, to: SnapshotId, *, up_to: int | None = None) -> Parts:
        """Read as `rows` does, in the form in which a lens is loaded fastest."""
        table = self._table
        if table is None or table.snapshot_by_id(to) is None:
            raise SnapshotNotFoundError(str(to))
        with translated("read the graph"):
            return read_parts(table, to, up_to=up_to)
