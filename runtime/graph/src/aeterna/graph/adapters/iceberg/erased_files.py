"""The files of a table that an erasure leaves behind: found by what names them, weighed, and deleted in order.

They go without a grace period, and need none: a file that nothing names and that holds a reached row can be named by
no later commit. An append that wrote it stood on a head before the erasure, and a compaction that wrote it read a
file which is gone; the catalog refuses both.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Final

from pyiceberg.exceptions import ValidationError
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.serializers import FromInputFile

from aeterna.graph.adapters.iceberg.collection import Reachable, TableFiles
from aeterna.graph.adapters.iceberg.streaming import batches_of
from aeterna.graph.adapters.iceberg.translation import FAILURES
from aeterna.graph.domain.arrow import pa, pc
from aeterna.graph.domain.certificates import ErasedFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot

    from aeterna.graph.domain.certificates import Removed
    from aeterna.graph.domain.surviving import Reach

METADATA: Final = ".metadata.json"
_READ_BYTES: Final = 1 << 20


class TableFolder:
    """The files under a table's location, by their paths relative to it, as a certificate names them."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.store = TableFiles(table)
        self._root = self.store.path(table.location()).rstrip("/")

    def listed(self) -> list[str]:
        """List every file."""
        return sorted(self.relative(found.path) for found, _ in self.store.listed())

    def relative(self, path: str) -> str:
        """Return the relative path of a path that the storage gave."""
        return path.removeprefix(self._root).lstrip("/")

    def named(self, location: str) -> str:
        """Return the relative path of a location that metadata gave."""
        return self.relative(self.store.path(location))

    def location(self, path: str) -> str:
        """Return the location of a relative path."""
        return f"{self.table.location().rstrip('/')}/{path}"

    def reachable(self) -> set[str]:
        """Return what the table's present metadata names, earlier metadata files included."""
        reachable = Reachable(self.store)
        reachable.add(self.table)
        return {self.relative(path) for path in reachable.paths}

    def parts(self, path: str) -> Iterator[bytes]:
        """Read a file, a part at a time."""
        with self.table.io.new_input(self.location(path)).open() as stream:
            while part := stream.read(_READ_BYTES):
                yield part


def orphans(folder: TableFolder, reach: Reach) -> Iterator[str]:
    """Yield data files that no metadata names and that hold reached rows: of refused and interrupted commits."""
    listed = folder.listed()  # before the metadata is asked: what is committed meanwhile is named in time
    reachable = folder.reachable()
    for path in listed:
        if path.endswith(".parquet") and path not in reachable:
            file = DataFile.from_args(
                content=DataFileContent.DATA, file_path=folder.location(path), file_format=FileFormat.PARQUET
            )
            # Half a file is of a writer that writes it now, or of one that was killed: left to the usual collection.
            with contextlib.suppress(*FAILURES):
                batches = (pa.Table.from_batches([batch]) for batch in batches_of(folder.table, [file]))
                if any(pc.any(reach.reaches(rows)).as_py() for rows in batches):
                    yield path


def left_behind(folder: TableFolder, removed: Removed) -> tuple[ErasedFile, ...]:
    """Find and weigh the files that are still there and that only removed snapshots and orphans' names lead to."""
    listed = folder.listed()
    old = _old_metadata(folder, listed, frozenset(removed.snapshots))
    named = set(old) | set(removed.files)
    for snapshots in old.values():
        for snapshot in snapshots:
            named.update(folder.named(location) for location in _named_by(folder.table, snapshot))
    needed = folder.reachable() - old.keys()
    return tuple(_weighed(folder, path) for path in sorted(named.intersection(listed) - needed))


def rank(path: str) -> int:
    """Order deletions so that whatever names a file outlives it: a job that was stopped still finds the rest."""
    if path.endswith(METADATA):
        return 3
    if path.rsplit("/", 1)[-1].startswith("snap-"):
        return 2
    return 1 if path.endswith(".avro") else 0


def _old_metadata(folder: TableFolder, listed: list[str], removed: frozenset[int]) -> dict[str, list[IcebergSnapshot]]:
    """Find metadata files that still name removed snapshots: earlier ones. Those of commits in flight name none."""
    current = folder.named(folder.table.metadata_location)
    found: dict[str, list[IcebergSnapshot]] = {}
    for path in listed:
        if path.endswith(METADATA) and path != current:
            gone = _named_snapshots(folder, path, removed)
            if gone is not None:
                found[path] = gone
    return found


def _named_snapshots(folder: TableFolder, path: str, removed: frozenset[int]) -> list[IcebergSnapshot] | None:
    """Return the removed snapshots that a metadata file names; None when it names none."""
    try:
        metadata = FromInputFile.table_metadata(folder.table.io.new_input(folder.location(path)))
    except (ValueError, ValidationError):
        # Half a file, of a process that was killed while it wrote, or of one that writes it now.
        data = b"".join(folder.parts(path))
        return [] if any(str(id_).encode() in data for id_ in removed) else None
    return [each for each in metadata.snapshots if each.snapshot_id in removed] or None


def _named_by(table: Table, snapshot: IcebergSnapshot) -> Iterator[str]:
    yield snapshot.manifest_list
    with contextlib.suppress(FileNotFoundError):  # deleted before this job was stopped, and what it named before it
        for manifest in snapshot.manifests(table.io):
            yield manifest.manifest_path
            with contextlib.suppress(FileNotFoundError):
                for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
                    yield entry.data_file.file_path


def _weighed(folder: TableFolder, path: str) -> ErasedFile:
    digest, size = hashlib.sha256(), 0
    for part in folder.parts(path):
        digest.update(part)
        size += len(part)
    return ErasedFile(path=path, bytes=size, sha256=digest.hexdigest())
