"""Collection of files that nothing names: what crashes, refused commits and expired snapshots leave behind.

The order of looks makes it safe beside writers: files are listed first and the metadata is read afterwards, so a
commit in between names its files in time. A file that no metadata names yet belongs to a commit in flight; that is why
only files older than a grace period are touched, and why the metadata is read again before each batch.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow.fs
from pyiceberg.io.pyarrow import PyArrowFileIO

from aeterna.graph.adapters.iceberg.translation import translated
from aeterna.graph.domain.arrow import Arrow, untyped
from aeterna.graph.domain.upkeep import Collected, CollectionPolicy, Garbage, Progress
from aeterna.graph.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata

    from aeterna.graph.ports import Watch


class IcebergCollector:
    """A `Collector` on one table, on every storage that pyarrow has a file system for."""

    def __init__(self, *, load: Callable[[], Table | None]) -> None:
        self._load = load

    def collect(self, policy: CollectionPolicy, *, now: datetime, dry_run: bool, watch: Watch) -> Collected:
        """Delete what is unreachable and older than the grace period; repeating it goes on where it was stopped."""
        with translated("read the catalog"):
            table = self._load()
        if table is None:
            return Collected(files=0, bytes=0, reachable=0, waiting=0, waiting_bytes=0)
        with translated("collect garbage"):
            store = TableFiles(table)
            listed = list(store.listed())
            reachable = Reachable(store)
            reachable.add(self._reloaded(table))
            loose = [each for each in listed if each[0].path not in reachable.paths]
            before = now - policy.grace
            old = [garbage for garbage, written in loose if written < before]
            report = Collected(
                files=len(old),
                bytes=sum(garbage.bytes for garbage in old),
                reachable=len(listed) - len(loose),
                waiting=len(loose) - len(old),
                waiting_bytes=sum(each.bytes for each, _ in loose) - sum(garbage.bytes for garbage in old),
            )
            if not dry_run:
                self._delete(table, store, reachable, old, policy.batch_files, watch)
        return report

    def _delete(
        self, table: Table, store: TableFiles, reachable: Reachable, old: list[Garbage], size: int, watch: Watch
    ) -> None:
        for begin in range(0, len(old), size):
            reachable.add(self._reloaded(table))
            for garbage in old[begin : begin + size]:
                if garbage.path not in reachable.paths:
                    store.delete(garbage.path)
            watch(Progress(task="collect", done=min(begin + size, len(old)), total=len(old), unit="files"))

    def _reloaded(self, table: Table) -> Table:
        fresh = self._load()
        if fresh is None or fresh.metadata.table_uuid != table.metadata.table_uuid:
            raise StorageError("collect garbage", "the table was dropped or made anew meanwhile")
        return fresh


class Reachable:
    """Every path that a table's metadata names; what is added is never taken away."""

    def __init__(self, files: TableFiles) -> None:
        self.paths: set[str] = set()
        self._files = files
        self._metadata: set[str] = set()
        self._lists: set[str] = set()
        self._manifests: set[str] = set()

    def add(self, table: Table) -> None:
        """Add what this version of the table names; only what was not seen before is read."""
        if table.metadata_location in self._metadata:
            return
        self._metadata.add(table.metadata_location)
        self.paths.update(self._files.path(location) for location in _named_by(table.metadata, table.metadata_location))
        for snapshot in table.metadata.snapshots:
            if snapshot.manifest_list not in self._lists:
                self._lists.add(snapshot.manifest_list)
                for manifest in snapshot.manifests(table.io):
                    self._add_manifest(table, manifest)

    def _add_manifest(self, table: Table, manifest: ManifestFile) -> None:
        if manifest.manifest_path in self._manifests:
            return
        self._manifests.add(manifest.manifest_path)
        self.paths.add(self._files.path(manifest.manifest_path))
        # An entry that says "deleted" keeps no file: whoever still needs the file has an older manifest that names it.
        self.paths.update(
            self._files.path(entry.data_file.file_path)
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
        )


class TableFiles:
    """The files under a table's location, by the path that the storage's file system gives them."""

    def __init__(self, table: Table) -> None:
        if not isinstance(table.io, PyArrowFileIO):
            raise StorageError("collect garbage", f"{type(table.io).__name__} cannot list files")
        self._io = table.io
        self._scheme, netloc, self._root = self._io.parse_location(table.location(), self._io.properties)
        self._system: Arrow = untyped(self._io).fs_by_scheme(self._scheme, netloc)

    def path(self, location: str) -> str:
        """Return the path by which the file system knows a location."""
        return self._io.parse_location(location, self._io.properties)[2]

    def listed(self) -> Iterator[tuple[Garbage, datetime]]:
        """Yield every file and when it was last written."""
        selector: Arrow = untyped(pyarrow.fs).FileSelector(self._root, allow_not_found=True, recursive=True)
        for info in self._system.get_file_info(selector):
            if info.is_file:
                yield Garbage(path=info.path, bytes=info.size), info.mtime.astimezone(UTC)

    def delete(self, path: str) -> None:
        """Delete a file; another collection may have been faster."""
        with contextlib.suppress(FileNotFoundError):
            self._io.delete(f"{self._scheme}://{path}")


def _named_by(metadata: TableMetadata, location: str) -> Iterator[str]:
    """Yield what the metadata itself names; manifests and data files are named by the manifest lists."""
    yield location
    yield from (entry.metadata_file for entry in metadata.metadata_log)
    yield from (snapshot.manifest_list for snapshot in metadata.snapshots if snapshot.manifest_list)
    yield from (file.statistics_path for file in metadata.statistics)
    yield from (file.statistics_path for file in metadata.partition_statistics)
