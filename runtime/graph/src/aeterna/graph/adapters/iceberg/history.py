"""What each snapshot added, read from its own files: compaction leaves those of readable snapshots where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow.parquet
from pyiceberg.manifest import ManifestEntryStatus

from aeterna.graph.adapters.iceberg.summaries import history, snapshot_of
from aeterna.graph.adapters.iceberg.translation import translated
from aeterna.graph.domain.arrow import pa, pc, untyped
from aeterna.graph.domain.rows import ROW_SCHEMA
from aeterna.graph.errors import SnapshotNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot

    from aeterna.graph.domain.identifiers import SnapshotId
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.domain.snapshots import Snapshot

_PART_ROWS: Final = 10_000
_FIELD_ID: Final = b"PARQUET:field_id"


class IcebergChangeLog:
    """A `ChangeLog` on the data files that a tenant's appends brought."""

    def __init__(self, *, load: Callable[[], Table | None]) -> None:
        self._load = load
        self._table: Table | None = None

    def appends(self) -> tuple[Snapshot, ...]:
        """Look at the catalog; return every readable snapshot that holds sessions of its own, oldest first."""
        with translated("read the catalog"):
            self._table = self._load()
        if self._table is None:
            return ()
        return tuple(snapshot for snapshot in history(self._table.metadata) if snapshot.sessions)

    def added(self, snapshot: SnapshotId) -> Iterator[Rows]:
        """Read the rows of this very snapshot's sessions, in parts of bounded size and in any order."""
        table = self._table
        found = table.snapshot_by_id(snapshot) if table else None
        if table is None or found is None:
            raise SnapshotNotFoundError(str(snapshot))
        return _added(table, found)


def _added(table: Table, snapshot: IcebergSnapshot) -> Iterator[Rows]:
    # An erasure also rewrites older rows in the snapshot that holds its own session.
    own = pc.field("seq") >= snapshot_of(table.metadata, snapshot).first_seq
    with translated("read the changes"):
        for path in _added_files(table, snapshot):
            for part in _parts(table, path):
                if (rows := part.filter(own)).num_rows:
                    yield rows


def _added_files(table: Table, snapshot: IcebergSnapshot) -> list[str]:
    # A later commit may merge manifests; its entries still say which snapshot added a file. Those written by this one
    # are in manifests that it wrote itself.
    own = (each for each in snapshot.manifests(table.io) if each.added_snapshot_id == snapshot.snapshot_id)
    return [
        entry.data_file.file_path
        for manifest in own
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
        if entry.status == ManifestEntryStatus.ADDED and entry.snapshot_id == snapshot.snapshot_id
    ]


def _parts(table: Table, path: str) -> Iterator[Rows]:
    """Read one file a part at a time. Columns are found by their ids: a file keeps the names it was written with."""
    with table.io.new_input(path).open() as stream:
        file = untyped(pyarrow.parquet).ParquetFile(untyped(stream))
        names = {int(field.metadata[_FIELD_ID]): field.name for field in file.schema_arrow if _has_id(field)}
        wanted = {ours: names.get(number) for number, ours in enumerate(ROW_SCHEMA.names, start=1)}
        columns = [name for name in wanted.values() if name is not None]
        for batch in file.iter_batches(batch_size=_PART_ROWS, columns=columns):
            yield pa.table(
                {
                    ours: batch.column(name) if name is not None else pa.nulls(batch.num_rows)
                    for ours, name in wanted.items()
                }
            ).cast(ROW_SCHEMA)


def _has_id(field: Any) -> bool:  # noqa: ANN401 - pyarrow's own field has no type
    return field.metadata is not None and _FIELD_ID in field.metadata
