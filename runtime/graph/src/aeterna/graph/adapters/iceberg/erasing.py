"""The rewrite of a table without what an erasure reaches, and the deletion of every file that still holds it.

The rewrite is one commit: files with such rows are swapped for others, the erasure's record comes on top, and every
other snapshot and every tag and branch that names such a file leaves the metadata. What it rewrites is decided for
one head and refused on any other, so what others commit meanwhile survives: only the new files are looked at then.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyiceberg.expressions import AlwaysTrue, BooleanExpression, GreaterThan
from pyiceberg.io import pyarrow as arrow_files
from pyiceberg.manifest import DataFile, DataFileContent
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.update import RemoveSnapshotRefUpdate, RemoveSnapshotsUpdate

from aeterna.graph.adapters.iceberg.derived import PREFIX, DerivedPart
from aeterna.graph.adapters.iceberg.erased_files import TableFolder, left_behind, orphans, rank
from aeterna.graph.adapters.iceberg.layout import names_of, theirs
from aeterna.graph.adapters.iceberg.removable import removable
from aeterna.graph.adapters.iceberg.streaming import batches_of, row_schema
from aeterna.graph.adapters.iceberg.summaries import committed, snapshot_of, summary_of
from aeterna.graph.adapters.iceberg.transaction import transaction
from aeterna.graph.adapters.iceberg.translation import translated, translated_commit
from aeterna.graph.adapters.iceberg.verifying import verified
from aeterna.graph.domain.arrow import Arrow, pa, pc, untyped
from aeterna.graph.domain.arrow import Table as ArrowTable
from aeterna.graph.domain.certificates import Removed, Verification
from aeterna.graph.domain.erasure import STATE_COLUMNS
from aeterna.graph.domain.identifiers import Json
from aeterna.graph.domain.surviving import Reach, ours, reach_of
from aeterna.graph.errors import SnapshotNotFoundError
from aeterna.graph.ports import Reached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot

    from aeterna.graph.domain.certificates import ErasedFile, Erasure
    from aeterna.graph.domain.erasure import Target
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.ports import Batch


@dataclass(slots=True)
class _Judged:
    """What is known of each data file by its path: nothing reached (None) or the files in its place."""

    reach: Reach
    verdicts: dict[str, tuple[DataFile, ...] | None] = field(default_factory=dict[str, "tuple[DataFile, ...] | None"])


class IcebergEraser:
    """An `Eraser` on one table."""

    def __init__(
        self, *, load: Callable[[], Table | None], derived: DerivedPart | None = None, beside: Sequence[Path] = ()
    ) -> None:
        """Take also what was ``derived`` from the graph, and verify the local files and folders ``beside`` it too."""
        self._load = load
        self._derived = derived
        self._beside = tuple(beside)
        self._judged: _Judged | None = None

    def records(self) -> dict[str, Json]:
        """Return the newest text of each erasure on record."""
        table = self._loaded()
        if table is None:
            return {}
        with translated("read the erasures"):
            names = names_of(table.schema())
            rows = untyped(table).scan(row_filter=f"{names['record']} = 'erasure'").to_arrow().sort_by(names["seq"])
        texts = map(Json, rows[names["properties"]].to_pylist())
        return dict(zip(rows[names["id"]].to_pylist(), texts, strict=True))

    def state(self, *, after: int = 0) -> tuple[Snapshot, ArrowTable] | None:
        """Return the head and what its rows behind a seq are about, texts left out; None before the first."""
        table = self._loaded()
        head = table.current_snapshot() if table else None
        if table is None or head is None:
            return None
        names = names_of(table.schema())
        newer: BooleanExpression = untyped(GreaterThan)(names["seq"], after) if after else AlwaysTrue()
        with translated("read the graph"):
            wanted = tuple(names[name] for name in ("op", *STATE_COLUMNS))
            rows = untyped(table.scan(row_filter=newer, selected_fields=wanted)).to_arrow()
        return snapshot_of(table.metadata, head), ours(rows, names)

    def rewrite(self, erasure: Erasure, compose: Callable[[Snapshot, Reached], Batch | None]) -> Snapshot | None:
        """Commit the table without what the erasure reaches; ``compose`` gives the session that says so."""
        table = self._loaded()
        head = table.current_snapshot() if table else None
        if table is None or head is None:
            raise SnapshotNotFoundError("head")
        with translated("rewrite the graph"):
            files = _files_of(table, head)
            judged = self._judging(table, erasure, files)
            for file in files:
                self._judge(table, judged, file)
            kept = self._kept(table, judged)
            removed = self._removed(table, judged, files, kept)
        before = snapshot_of(table.metadata, head)
        batch = compose(before, Reached(removed=removed, subjects=judged.reach.subjects))
        if batch is None:
            return None
        gone = [file for file in files if judged.verdicts[file.file_path] is not None]
        return self._commit(table, batch, gone, _replacements(judged, files), kept)

    def settled(self, batch: Batch) -> Snapshot | None:
        """Look for the rewrite in the catalog: the answer to `CommitUncertainError`."""
        table = self._loaded()
        return committed(table.metadata, batch.id) if table else None

    def garbage(self, erasure: Erasure) -> tuple[ErasedFile, ...]:
        """Find and weigh every file that is left and that only what was removed names."""
        table = self._loaded()
        if table is None or erasure.removed is None:
            return ()
        with translated("look for erased files"):
            files = left_behind(TableFolder(table), erasure.removed)
        return (*files, *(self._derived.files() if self._derived else ()))

    def delete(self, files: Sequence[ErasedFile]) -> None:
        """Delete the files, what others are found by last; those that are gone already are gone."""
        table = self._loaded()
        if table is None:
            return
        with translated("delete erased files"):
            folder = TableFolder(table)
            own = (file for file in files if not file.path.startswith(PREFIX))
            for file in sorted(own, key=lambda file: rank(file.path)):
                with contextlib.suppress(FileNotFoundError):
                    table.io.delete(folder.location(file.path))
        if self._derived:
            self._derived.delete(files)

    def verify(self, target: Target, seq: int, *, at: datetime) -> Verification:
        """Look for the target in every byte that is left; ``seq`` is the last that the erasure reached."""
        table = self._loaded()
        if table is None:
            return Verification(clean=True, files=0, bytes=0, at=at)
        with translated("verify the erasure"):
            return verified(table, target, seq, at=at, beside=self._beside)

    def _loaded(self) -> Table | None:
        with translated("read the catalog"):
            return self._load()

    def _judging(self, table: Table, erasure: Erasure, files: Sequence[DataFile]) -> _Judged:
        """Return what is known from an earlier attempt: what was committed since cannot be reached."""
        if self._judged is None or self._judged.reach.erasure != erasure:
            self._judged = _Judged(reach_of(erasure, _state(table, files), names_of(table.schema())))
        return self._judged

    def _judge(self, table: Table, judged: _Judged, file: DataFile) -> None:
        """Decide about a data file, and write the one in its place."""
        if file.file_path not in judged.verdicts:
            stored = _read(table, [file])
            rest = judged.reach.surviving(stored)
            if rest is None and stored.num_rows == file.record_count:
                judged.verdicts[file.file_path] = None
            else:  # a file of which another engine deleted rows still holds them
                judged.verdicts[file.file_path] = _written(table, stored if rest is None else rest)

    def _kept(self, table: Table, judged: _Judged) -> dict[str, int]:
        """Return the refs whose snapshots hold nothing that is reached."""
        clean: dict[str, int] = {}
        for name, ref in table.metadata.refs.items():
            snapshot = table.snapshot_by_id(ref.snapshot_id)
            if name == MAIN_BRANCH or snapshot is None:
                continue
            if all(self._is_clean(table, judged, file) for file in _files_of(table, snapshot)):
                clean[name] = ref.snapshot_id
        return clean

    def _is_clean(self, table: Table, judged: _Judged, file: DataFile) -> bool:
        if file.file_path not in judged.verdicts:
            stored = _read(table, [file])
            clean = stored.num_rows == file.record_count and judged.reach.surviving(stored) is None
            judged.verdicts[file.file_path] = None if clean else ()
        return judged.verdicts[file.file_path] is None

    def _removed(self, table: Table, judged: _Judged, files: Sequence[DataFile], kept: dict[str, int]) -> Removed:
        stay = set(kept.values())
        return Removed(
            rows=judged.reach.rows,
            snapshots=tuple(each.snapshot_id for each in table.metadata.snapshots if each.snapshot_id not in stay),
            refs=tuple(sorted(set(table.metadata.refs) - {MAIN_BRANCH} - kept.keys())),
            rewritten_files=sum(judged.verdicts[file.file_path] is not None for file in files),
            kept_snapshots=tuple(sorted(stay)),
            files=tuple(orphans(TableFolder(table), judged.reach)),
        )

    def _commit(
        self,
        table: Table,
        batch: Batch,
        gone: Sequence[DataFile],
        come: Sequence[DataFile],
        kept: dict[str, int],
    ) -> Snapshot:
        stay = set(kept.values())
        old = [each.snapshot_id for each in table.metadata.snapshots if each.snapshot_id not in stay]
        refs = [name for name in table.metadata.refs if name != MAIN_BRANCH and name not in kept]
        with translated("rewrite the graph"):
            changes = transaction(table)
            if (head := table.current_snapshot()) is not None:
                untyped(changes)._stage((), (removable(head, old, refs),))  # noqa: SLF001 - as below
            with changes.update_snapshot(snapshot_properties=summary_of(batch)).overwrite() as overwrite:
                for file in gone:
                    overwrite.delete_data_file(file)
                for file in (*come, *_written(table, theirs(batch.rows, table.schema()))):
                    overwrite.append_data_file(file)
            changes._stage(  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - pyiceberg has no public way to do it in the same commit
                (
                    *(untyped(RemoveSnapshotRefUpdate)(ref_name=name) for name in refs),
                    untyped(RemoveSnapshotsUpdate)(snapshot_ids=old),
                ),
            )
        with translated_commit("commit the rewrite"):
            rewritten = changes.commit_transaction().current_snapshot()
        if rewritten is None:
            raise SnapshotNotFoundError(batch.id)
        return snapshot_of(table.metadata, rewritten)


def _files_of(table: Table, snapshot: IcebergSnapshot) -> list[DataFile]:
    return [
        entry.data_file
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
        if entry.data_file.content == DataFileContent.DATA
    ]


def _written(table: Table, rows: Arrow) -> tuple[DataFile, ...]:
    write = untyped(arrow_files)._dataframe_to_data_files  # noqa: SLF001 - what `Table.append` itself uses
    return tuple(write(table.metadata, rows, table.io)) if rows.num_rows else ()


def _read(table: Table, files: Iterable[DataFile]) -> Arrow:
    return pa.Table.from_batches(batches_of(table, files), schema=row_schema(table))


def _state(table: Table, files: Iterable[DataFile]) -> Arrow:
    """Read what decides about rows: not their texts, except those on record."""
    names = names_of(table.schema())
    parts: list[Arrow] = []
    for batch in batches_of(table, files):
        rows = pa.Table.from_batches([batch])
        on_record = pc.is_in(rows[names["record"]], value_set=pa.array(["hold", "erasure"]))
        texts = pc.if_else(on_record, rows[names["properties"]], pa.scalar(None, pa.string()))
        wanted = [names[name] for name in ("op", "session", *STATE_COLUMNS)]
        parts.append(rows.select(wanted).append_column(names["properties"], texts))
    return pa.concat_tables(parts).unify_dictionaries()


def _replacements(judged: _Judged, files: Iterable[DataFile]) -> list[DataFile]:
    return [new for file in files for new in judged.verdicts[file.file_path] or ()]
