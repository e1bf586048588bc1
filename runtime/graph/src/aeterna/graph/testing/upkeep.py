"""Upkeep of a history in memory: no files, so a compaction only makes its snapshot and a collection finds nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aeterna.graph.domain.arrow import pa
from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.rows import ROW_SCHEMA
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.domain.upkeep import Collected, Expired, Rewrite, Run, expiry_cutoff
from aeterna.graph.errors import SnapshotNotFoundError
from aeterna.graph.ports import Batch

if TYPE_CHECKING:
    import itertools
    from datetime import datetime

    from aeterna.graph.domain.identifiers import TagName, TenantId
    from aeterna.graph.domain.tags import Tag
    from aeterna.graph.domain.upkeep import CollectionPolicy, RetentionPolicy, TaskReport
    from aeterna.graph.ports import Watch


class MemoryUpkeep:
    """A `Compactor`, `Expirer` and `Collector` on a list; a snapshot's age is that of its newest session."""

    def __init__(
        self, history: list[tuple[Snapshot, Batch]], tags: dict[TagName, Tag], ids: itertools.count[int]
    ) -> None:
        self._history = history
        self._tags = tags
        self._ids = ids

    def runs(self) -> tuple[Run, ...]:
        """Return a run for each batch that has rows."""
        return tuple(
            Run(
                snapshot_id=snapshot.id,
                last_seq=snapshot.last_seq,
                files=1,
                rows=batch.rows.num_rows,
                bytes=batch.rows.num_rows,
                compacted=False,
            )
            for snapshot, batch in self._history
            if batch.rows.num_rows
        )

    def rewrite(self, first: int, *, forget_before: datetime, memory_bytes: int, watch: Watch) -> Rewrite:
        """Return what would be merged; history is never forgotten here."""
        del forget_before, memory_bytes, watch
        runs = self.runs()[first:]
        if not runs:
            raise SnapshotNotFoundError("head")
        rows = sum(run.rows for run in runs)
        return Rewrite(
            id=f"rewrite-{next(self._ids)}",
            full=first == 0,
            files_before=len(runs),
            files_after=1,
            rows_before=rows,
            rows_after=rows,
            bytes_before=rows,
            bytes_after=rows,
            floor=0,
        )

    def swap(self, rewrite: Rewrite) -> Snapshot:
        """Put a snapshot without sessions on the head."""
        head = self._history[-1][0]
        snapshot = Snapshot(
            id=SnapshotId(next(self._ids)),
            first_seq=head.last_seq + 1,
            last_seq=head.last_seq,
            committed_at=head.committed_at,
            floor=head.floor,
            epoch=head.epoch,
        )
        batch = Batch(
            id=rewrite.id,
            rows=ROW_SCHEMA.empty_table(),
            sessions=(),
            first_seq=snapshot.first_seq,
            last_seq=snapshot.last_seq,
            committed_at=snapshot.committed_at,
        )
        self._history.append((snapshot, batch))
        return snapshot

    def settled(self, rewrite: Rewrite) -> Snapshot | None:
        """Look for the swap."""
        return next((snapshot for snapshot, batch in self._history if batch.id == rewrite.id), None)

    def abandon(self, rewrite: Rewrite) -> None:
        """Forget the rewrite: it has no files."""
        del rewrite

    def expire(self, policy: RetentionPolicy, *, now: datetime, dry_run: bool) -> Expired:
        """Remove old snapshots; what they brought is the next one's."""
        cutoff = expiry_cutoff([snapshot.committed_at for snapshot, _ in reversed(self._history)], policy, now)
        tagged = {tag.snapshot.id for tag in self._tags.values()}
        old = [
            place
            for place, (snapshot, _) in enumerate(self._history[:-1])
            if snapshot.committed_at < cutoff and snapshot.id not in tagged
        ]
        if not dry_run:
            for place in reversed(old):
                self._hand_over(place)
        return Expired(expired=len(old), kept=len(self._history) - (len(old) if dry_run else 0), cutoff=cutoff)

    def collect(self, policy: CollectionPolicy, *, now: datetime, dry_run: bool, watch: Watch) -> Collected:
        """Find nothing: there are no files."""
        del policy, now, dry_run, watch
        return Collected(files=0, bytes=0, reachable=0, waiting=0, waiting_bytes=0)

    def _hand_over(self, place: int) -> None:
        _, gone = self._history.pop(place)
        snapshot, batch = self._history[place]
        self._history[place] = (snapshot, replace(batch, rows=pa.concat_tables([gone.rows, batch.rows])))


class RecordingUpkeepObserver:
    """An `UpkeepObserver` that remembers."""

    def __init__(self) -> None:
        self.reports: list[tuple[TenantId, TaskReport]] = []

    def done(self, tenant: TenantId, report: TaskReport) -> None:
        """Note what one task did."""
        self.reports.append((tenant, report))
