"""Compaction of a table: files are rewritten once, then swapped in on whatever head there is by then.

A swap on a newer head is right when only appends came between: they name no file that is swapped out, and their rows
have a higher seq than any that was merged. Anything else between (another compaction, an erasure) may have rewritten
the same rows, so the swap is refused and the files are given up.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFile, ManifestContent
from pyiceberg.table.snapshots import Operation
from pyiceberg.types import LongType

from aeterna.graph.adapters.iceberg.layout import LAYOUT_FIELDS, names_of
from aeterna.graph.adapters.iceberg.merging import Merge
from aeterna.graph.adapters.iceberg.sorted_files import COMPACTED, SortedFiles
from aeterna.graph.adapters.iceberg.streaming import batches_of, row_schema
from aeterna.graph.adapters.iceberg.summaries import committed, maintenance_summary, snapshot_of
from aeterna.graph.adapters.iceberg.transaction import transaction
from aeterna.graph.adapters.iceberg.translation import FAILURES, translated, translated_commit
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.upkeep import Progress, Rewrite, Run
from aeterna.graph.errors import CompactionOvertakenError, SnapshotNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata

    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.ports import Watch


@dataclass(frozen=True, slots=True)
class _Pending:
    """What a rewrite took out and brought, until it is swapped in."""

    base: int
    removed: list[DataFile]
    files: SortedFiles
    floor: int


class IcebergCompactor:
    """A `Compactor` on one table, with pyiceberg for the files and DuckDB for the order."""

    def __init__(self, *, load: Callable[[], Table | None], scratch: Path | None) -> None:
        self._load = load
        self._scratch = scratch
        self._table: Table | None = None
        self._runs: list[tuple[Run, list[DataFile]]] = []
        self._pending: dict[str, _Pending] = {}

    def runs(self) -> tuple[Run, ...]:
        """Ask the catalog for the head and return its runs, oldest first."""
        with translated("read the catalog"):
            self._table = self._load()
            self._runs = _runs_of(self._table) if self._table else []
        return tuple(run for run, _ in self._runs)

    def rewrite(self, first: int, *, forget_before: datetime, memory_bytes: int, watch: Watch) -> Rewrite:
        """Write the rows of the runs from position ``first`` on as new files, without what may be forgotten."""
        table, runs = self._table, self._runs[first:]
        head = table.current_snapshot() if table else None
        if table is None or head is None:
            raise SnapshotNotFoundError("head")
        old = [file for _, files in runs for file in files]
        rows = sum(run.rows for run, _ in runs)
        names = names_of(table.schema())
        merge = Merge(
            names=names,
            memory_bytes=memory_bytes,
            forget_before=forget_before,
            whole=first == 0,
            scratch=self._scratch,
        )
        files = SortedFiles(table=table, names=names)
        try:
            with translated("rewrite the files"):
                files.write(_watched(merge.merged(batches_of(table, old), row_schema(table)), rows, watch))
        except BaseException:
            _delete(table, files.paths)
            raise
        self._pending[files.id] = _Pending(head.snapshot_id, old, files, merge.floor)
        return Rewrite(
            id=files.id,
            full=first == 0,
            files_before=len(old),
            files_after=len(files.written),
            rows_before=merge.rows_read,
            rows_after=merge.rows_kept,
            bytes_before=sum(file.file_size_in_bytes for file in old),
            bytes_after=sum(file.file_size_in_bytes for file in files.written),
            floor=merge.floor,
        )

    def swap(self, rewrite: Rewrite) -> Snapshot:
        """Commit the rewritten files in place of the old ones, on the newest head."""
        pending = self._pending[rewrite.id]
        with translated("read the catalog"):
            table = self._load()
        head = table.current_snapshot() if table else None
        if table is None or head is None:
            raise CompactionOvertakenError
        _require_only_appends(table.metadata, pending.base)
        before = snapshot_of(table.metadata, head)
        summary = maintenance_summary(rewrite.id, before, floor=max(before.floor, pending.floor))
        with translated("swap the files"):
            changes = transaction(table)
            with changes.update_snapshot(snapshot_properties=summary).overwrite() as overwrite:
                for file in pending.removed:
                    overwrite.delete_data_file(file)
                for file in pending.files.written:
                    overwrite.append_data_file(file)
        with translated_commit("commit the compaction"):
            swapped = changes.commit_transaction().current_snapshot()
        if swapped is None:
            raise SnapshotNotFoundError(rewrite.id)
        del self._pending[rewrite.id]
        return snapshot_of(table.metadata, swapped)

    def settled(self, rewrite: Rewrite) -> Snapshot | None:
        """Look for the swap in the catalog: the answer to `CommitUncertainError`."""
        with translated("read the catalog"):
            table = self._load()
        return committed(table.metadata, rewrite.id) if table else None

    def abandon(self, rewrite: Rewrite) -> None:
        """Delete the files of a rewrite that was not swapped in; what cannot be deleted is collected later."""
        pending = self._pending.pop(rewrite.id, None)
        if pending is not None and self._table is not None:
            _delete(self._table, pending.files.paths)


def _runs_of(table: Table) -> list[tuple[Run, list[DataFile]]]:
    snapshot = table.current_snapshot()
    added: dict[int | None, list[DataFile]] = defaultdict(list)
    for manifest in snapshot.manifests(table.io) if snapshot else []:
        if manifest.content == ManifestContent.DATA:
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                added[entry.snapshot_id].append(entry.data_file)
    seq = LAYOUT_FIELDS["seq"]
    runs = [
        (
            Run(
                snapshot_id=None if id_ is None else SnapshotId(id_),
                last_seq=max(_bound(file, seq) for file in files),
                files=len(files),
                rows=sum(file.record_count for file in files),
                bytes=sum(file.file_size_in_bytes for file in files),
                compacted=all(COMPACTED in file.file_path.rsplit("/", 1)[-1] for file in files),
            ),
            files,
        )
        for id_, files in added.items()
    ]
    return sorted(runs, key=lambda run: run[0].last_seq)


def _bound(file: DataFile, field: int) -> int:
    """Return the highest value of a column of whole numbers; another engine may not have noted it."""
    bound = (file.upper_bounds or {}).get(field)
    return from_bytes(LongType(), bound) if bound is not None else 0


def _require_only_appends(metadata: TableMetadata, base: int) -> None:
    by_id = {snapshot.snapshot_id: snapshot for snapshot in metadata.snapshots}
    next_id = metadata.current_snapshot_id
    while next_id != base:
        snapshot = by_id.get(next_id) if next_id is not None else None
        if snapshot is None or snapshot.summary is None or snapshot.summary.operation != Operation.APPEND:
            raise CompactionOvertakenError
        next_id = snapshot.parent_snapshot_id


def _watched(batches: Iterable[object], rows: int, watch: Watch) -> Generator[object]:
    written = 0
    for batch in batches:
        written += untyped(batch).num_rows
        yield batch
        watch(Progress(task="compact", done=written, total=rows, unit="rows"))


def _delete(table: Table, paths: Sequence[str]) -> None:
    for path in paths:
        with contextlib.suppress(*FAILURES):
            table.io.delete(path)
