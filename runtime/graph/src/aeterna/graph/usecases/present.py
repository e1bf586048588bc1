"""The newest state of one tenant: its history, its lens, and the one lock under which both move on."""

from __future__ import annotations

import logging
import threading
import uuid
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.rows import rows_of
from aeterna.graph.errors import (
    CommitConflictError,
    CommitUncertainError,
    GraphError,
    SnapshotNotFoundError,
    StorageError,
)
from aeterna.graph.ports import Batch
from aeterna.graph.usecases.admission import Admission, admit, as_repeated, receipt_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.identifiers import SnapshotId
    from aeterna.graph.domain.snapshots import Receipt, Snapshot
    from aeterna.graph.ports import CommitTrace, GraphStore, LensView
    from aeterna.graph.usecases.engine import Engine

log = logging.getLogger(__name__)

_LEAST_PAUSE: Final = 0.01
_MOST_PAUSE: Final = 0.3


class Present:
    """A tenant's store and lens, moved on by commits here and by refreshes after commits elsewhere."""

    def __init__(self, store: GraphStore, engine: Engine) -> None:
        self._store = store
        self._new_lens = engine.new_lens
        self._limits = engine.limits
        self._world = engine.world
        self._lens = engine.new_lens()
        self._snapshot: Snapshot | None = None
        self._seen: set[SnapshotId] = set()
        self._looked_at: float | None = None  # on the stopwatch; None before the first look
        self._moving = threading.Lock()

    def view(self, at_least: SnapshotId | None = None) -> AbstractContextManager[LensView]:
        """Hold the newest known state, which contains ``at_least``; raise `SnapshotNotFoundError` when none does."""
        self._freshen(at_least)
        return self._lens.view(self._limits.query_time)

    def snapshots(self, at_least: SnapshotId | None = None) -> tuple[Snapshot, ...]:
        """Return the readable snapshots, oldest first."""
        self._freshen(at_least)
        return self._store.snapshots()

    def commit(self, sessions: Sequence[Session], trace: CommitTrace) -> list[Receipt | GraphError]:
        """Write those sessions that may be written as one snapshot; return what became of each.

        Raise `StorageError` when none was written for want of storage, `CommitConflictError` when other writers won
        every time.
        """
        with self._moving:
            if self._looked_at is None:
                self._refresh()
            for attempt in range(self._limits.commit_attempts):
                if attempt:
                    trace.retries = attempt
                    # Jitter spreads writers that collided once over the time that a commit takes.
                    self._world.pause(_LEAST_PAUSE + self._world.chance() * (_MOST_PAUSE - _LEAST_PAUSE))
                    self._refresh()
                try:
                    return self._attempt(sessions, trace)
                except CommitConflictError:
                    continue
        raise CommitConflictError("commit", f"other writers won {self._limits.commit_attempts} times")

    def _attempt(self, sessions: Sequence[Session], trace: CommitTrace) -> list[Receipt | GraphError]:
        with self._lens.view(self._limits.query_time) as view:
            admission = admit(sessions, view, now=self._world.clock(), containing=self._containing)
        receipts: dict[int, Receipt] = dict(admission.repeated)
        if admission.refused and not admission.accepted:
            self._require_current()
        if admission.accepted:
            snapshot = self._write(admission, trace)
            receipts |= {
                position: receipt_of(accepted, snapshot.id) for position, accepted in admission.accepted.items()
            }
            receipts |= {position: as_repeated(receipts[twin]) for position, twin in admission.twins.items()}
        return [
            receipts[position] if position in receipts else admission.refused[position]
            for position in range(len(sessions))
        ]

    def _require_current(self) -> None:
        """Raise `CommitConflictError` when the state is behind: what it refuses may be right by now.

        A state on which something was committed needs no such look: the store refuses a parent that is not the head.
        """
        known = self._snapshot
        self._refresh()
        if self._snapshot is not known:
            raise CommitConflictError("commit", "another writer was first")

    def _write(self, admission: Admission, trace: CommitTrace) -> Snapshot:
        accepted = list(admission.accepted.values())
        batch = Batch(
            id=str(uuid.uuid4()),
            rows=rows_of(accepted),
            sessions=tuple(each.session.id for each in accepted),
            first_seq=accepted[0].seq,
            last_seq=accepted[-1].seq,
            committed_at=accepted[-1].committed_at,
        )
        trace.sessions, trace.rows = len(accepted), batch.rows.num_rows
        try:
            snapshot = self._store.append(batch, parent=self._snapshot.id if self._snapshot else None)
        except CommitUncertainError as uncertain:
            # Looked for before anybody tries again: otherwise a lost answer would write the sessions twice.
            found = self._store.settled(batch.id)
            if found is None:
                raise uncertain.otherwise from uncertain
            snapshot = found
        trace.snapshot_id = snapshot.id
        self._apply(batch, snapshot)
        return snapshot

    def _apply(self, batch: Batch, snapshot: Snapshot) -> None:
        self._lens.apply(batch.rows, snapshot)
        self._snapshot = snapshot
        # In place: a copy for each commit would cost more the longer the history is.
        self._seen.add(snapshot.id)

    def _containing(self, seq: int) -> SnapshotId:
        for snapshot in self._store.snapshots():
            if snapshot.last_seq >= seq:
                return snapshot.id
        raise SnapshotNotFoundError(f"seq {seq}")

    def _freshen(self, at_least: SnapshotId | None) -> None:
        if self._looked_at is None or (at_least is not None and at_least not in self._seen):
            with self._moving:
                if self._looked_at is None or (at_least is not None and at_least not in self._seen):
                    self._refresh()
            if at_least is not None and at_least not in self._seen:
                raise SnapshotNotFoundError(str(at_least))
        elif self._is_old(self._looked_at) and self._moving.acquire(blocking=False):
            # Whoever holds the lock is moving the state on: a reader need not wait for that.
            try:
                self._refresh()
            except StorageError:
                # What was read is still true of its snapshot; a catalog that is away must not stop readers too.
                log.warning("graph.refresh_failed", exc_info=True)
            finally:
                self._moving.release()

    def _is_old(self, looked_at: float) -> bool:
        return self._world.stopwatch() - looked_at >= self._limits.refresh_every.total_seconds()

    def _refresh(self) -> None:
        """Bring the lens to the head; the lock is held."""
        head = self._store.head()
        if head is not None and (self._snapshot is None or head.id != self._snapshot.id):
            self._bring_to(head)
            self._snapshot = head
            self._seen = {snapshot.id for snapshot in self._store.snapshots()}
        self._looked_at = self._world.stopwatch()

    def _bring_to(self, head: Snapshot) -> None:
        if self._snapshot is not None:
            try:
                self._lens.apply(self._store.rows(head.id, after=self._snapshot.id), head)
            except SnapshotNotFoundError:
                log.info("graph.reload", extra={"snapshot": str(head.id)})
            else:
                return
        lens = self._new_lens()
        lens.apply(self._store.rows(head.id), head)
        self._lens = lens
