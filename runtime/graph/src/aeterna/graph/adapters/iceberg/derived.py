"""What was computed from graphs and lies in a table of all tenants: an erasure takes a tenant's part out of it.

The part can be computed again, so all of it goes, whatever the erasure is about. The table is partitioned by tenant:
the tenant's files are dropped whole, and the others stay as they are.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Final

from pyiceberg.expressions import EqualTo
from pyiceberg.table.update import RemoveSnapshotsUpdate

from aeterna.graph.adapters.iceberg.collection import Reachable, TableFiles
from aeterna.graph.adapters.iceberg.transaction import transaction
from aeterna.graph.adapters.iceberg.translation import translated, translated_commit
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.certificates import ErasedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyiceberg.table import Table

    from aeterna.graph.domain.identifiers import TenantId

COMMUNITIES: Final = ("aeterna_derived", "communities")
PREFIX: Final = "derived/"  # of the paths in a certificate


class DerivedPart:
    """One tenant's part of a derived table."""

    def __init__(self, tenant: TenantId, *, load: Callable[[], Table | None]) -> None:
        self._tenant = tenant
        self._load = load

    def files(self) -> tuple[ErasedFile, ...]:
        """Weigh the tenant's data files, of every snapshot that there is."""
        with translated("look for derived data"):
            table = self._load()
            return () if table is None else tuple(_weighed(table, path) for path in sorted(self._paths(table)))

    def delete(self, files: Iterable[ErasedFile]) -> None:
        """Take the part out, forget every earlier snapshot, and delete those of the files that nothing names."""
        wanted = [file.path.removeprefix(PREFIX) for file in files if file.path.startswith(PREFIX)]
        with translated("erase derived data"):
            table = self._load()
        if table is None:
            return
        if self._paths(table):
            table = self._without(table)
        with translated("erase derived data"):
            store = TableFiles(table)
            reachable = Reachable(store)
            reachable.add(table)
            for path in wanted:
                location = f"{table.location().rstrip('/')}/{path}"
                if store.path(location) not in reachable.paths:
                    with contextlib.suppress(FileNotFoundError):
                        table.io.delete(location)

    def _paths(self, table: Table) -> set[str]:
        root = table.location().rstrip("/") + "/"
        return {
            entry.data_file.file_path.removeprefix(root)
            for snapshot in table.metadata.snapshots
            for manifest in snapshot.manifests(table.io)
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
            if entry.data_file.partition[0] == self._tenant
        }

    def _without(self, table: Table) -> Table:
        with translated("erase derived data"):
            changes = transaction(table)
            untyped(changes).delete(untyped(EqualTo)("tenant", self._tenant))
            head = changes.table_metadata.current_snapshot_id
            old = [each.snapshot_id for each in changes.table_metadata.snapshots if each.snapshot_id != head]
            if old:
                changes._stage((untyped(RemoveSnapshotsUpdate)(snapshot_ids=old),))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # in the same commit, for which there is no public way
        with translated_commit("erase derived data"):
            return changes.commit_transaction()


def _weighed(table: Table, path: str) -> ErasedFile:
    with table.io.new_input(f"{table.location().rstrip('/')}/{path}").open() as stream:
        data = stream.read()
    return ErasedFile(path=f"{PREFIX}{path}", bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
