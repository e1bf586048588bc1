"""Erasure in memory: there are no files, so what is rewritten is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aeterna.graph.domain.arrow import pa, pc, untyped
from aeterna.graph.domain.certificates import ERASURE, Finding, Removed, Verification
from aeterna.graph.domain.erasure import STATE_COLUMNS
from aeterna.graph.domain.identifiers import Json, SnapshotId
from aeterna.graph.domain.rows import ROW_SCHEMA
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.domain.surviving import reach_of, reached_again
from aeterna.graph.errors import CommitUncertainError, SnapshotNotFoundError, StorageError
from aeterna.graph.ports import Reached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from aeterna.graph.domain.arrow import Table
    from aeterna.graph.domain.certificates import ErasedFile, Erasure
    from aeterna.graph.domain.erasure import Target
    from aeterna.graph.domain.identifiers import TagName
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.domain.tags import Tag
    from aeterna.graph.ports import Batch

_NAMES = {name: name for name in ROW_SCHEMA.names}


class MemoryEraser:
    """An `Eraser` on a list. Every tag goes: a list has no snapshot that stands alone."""

    def __init__(
        self,
        history: list[tuple[Snapshot, Batch]],
        tags: dict[TagName, Tag],
        ids: Iterator[int],
        failures: list[StorageError],
    ) -> None:
        self._history = history
        self._tags = tags
        self._ids = ids
        self._failures = failures

    def records(self) -> Mapping[str, Json]:
        """Return the newest text of each erasure on record."""
        rows = untyped(self._rows()).sort_by("seq").to_pylist()
        return {row["id"]: Json(row["properties"]) for row in rows if row["record"] == ERASURE}

    def state(self, *, after: int = 0) -> tuple[Snapshot, Table] | None:
        """Return the head and what its rows behind a seq are about."""
        if not self._history:
            return None
        rows = self._rows()
        return self._history[-1][0], rows.filter(pc.greater(rows["seq"], after)).select(["op", *STATE_COLUMNS])

    def rewrite(self, erasure: Erasure, compose: Callable[[Snapshot, Reached], Batch | None]) -> Snapshot | None:
        """Replace the history by one snapshot without what the erasure reaches."""
        if not self._history:
            raise SnapshotNotFoundError("head")
        head, rows = self._history[-1][0], self._rows()
        reach = reach_of(erasure, rows, _NAMES)
        removed = Removed(
            rows=reach.rows,
            snapshots=tuple(snapshot.id for snapshot, _ in self._history),
            refs=tuple(sorted(self._tags)),
            rewritten_files=0,
        )
        batch = compose(head, Reached(removed=removed, subjects=reach.subjects))
        if batch is None:
            return None
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None and not isinstance(failure, CommitUncertainError):
            raise failure
        rest = reach.surviving(rows)
        snapshot = Snapshot(
            id=SnapshotId(next(self._ids)),
            first_seq=batch.first_seq,
            last_seq=batch.last_seq,
            committed_at=batch.committed_at,
            floor=batch.floor,
            epoch=batch.epoch,
        )
        kept = pa.concat_tables([untyped(rows if rest is None else rest), untyped(batch.rows)])
        self._history[:] = [(snapshot, replace(batch, rows=kept))]
        self._tags.clear()
        if failure is not None:
            raise failure
        return snapshot

    def settled(self, batch: Batch) -> Snapshot | None:
        """Look for the rewrite."""
        return next((snapshot for snapshot, each in self._history if each.id == batch.id), None)

    def garbage(self, erasure: Erasure) -> tuple[ErasedFile, ...]:
        """Find nothing: there are no files."""
        del erasure
        return ()

    def delete(self, files: Sequence[ErasedFile]) -> None:
        """Delete nothing."""

    def verify(self, target: Target, seq: int, *, at: datetime) -> Verification:
        """Look through every row."""
        rows = self._rows()
        count = pc.sum(reached_again(rows, target, seq)).as_py() or 0
        findings = (Finding(path="memory", what="rows", count=count),) if count else ()
        return Verification(clean=not findings, files=0, bytes=0, at=at, findings=findings)

    def _rows(self) -> Rows:
        return pa.concat_tables([ROW_SCHEMA.empty_table(), *(untyped(batch.rows) for _, batch in self._history)])
