"""The newest state of one tenant: its history, its lens, and the one lock under which both move on."""

from __future__ import annotations

import logging
import threading
import uuid
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from aeterna.graph.domain.rows import Rows, rows_of
from aeterna.graph.domain.snapshots import Stamp
from aeterna.graph.errors import (
    CommitConflictError,
    CommitUncertainError,
    GraphError,
    NotYetVisibleError,
    SnapshotNotFoundError,
    StorageError,
)
from aeterna.graph.ports import Batch, LensView
from aeterna.graph.usecases.admission import Admission, admit, as_repeated, receipt_of
from aeterna.graph.usecases.looking import SharedLooks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.identifiers import SessionId, SnapshotId, TenantId
    from aeterna.graph.domain.snapshots import Receipt, Snapshot
    from aeterna.graph.ports import CommitTrace, GraphStore
    from aeterna.graph.usecases.engine import Engine

T = TypeVar("T")
Build: TypeAlias = "Callable[[LensView, Stamp], Rows | None]"  # the rows of one session, stamped; None for none

log = logging.getLogger(__name__)


class Present:
    """A tenant's store and lens, moved on by commits here and by refreshes after commits elsewhere."""

    def __init__(self, tenant: TenantId, store: GraphStore, engine: Engine) -> None:
        self._tenant = tenant
        self._store = store
        self._leases = engine.leases
        self._notices = engine.notices
        self._new_lens = engine.new_lens
        self._limits = engine.limits
        self._world = engine.world
        self._lens = engine.new_lens()
        self._snapshot: Snapshot | None = None
        self._epoch: int | None = None  # of the lease under which the last attempt was made
        self._known_seq = 0
        self._looked_at: float | None = None  # on the stopwatch; None before the first look
        self._moving = threading.Lock()
        self._looks = SharedLooks(self._look, engine.world)

    @property
    def shown_seq(self) -> int:
        """The seq of the newest session that reads see; 0 before the first."""
        return self._last_seq

    @property
    def known_seq(self) -> int:
        """The seq of the newest session that the catalog told of, which reads may not see yet."""
        return self._known_seq

    def refresh(self, seq: int | None = None) -> None:
        """Look at the catalog, unless reads see ``seq`` already; raise `StorageError`."""
        if seq is None or seq > self._last_seq:
            self._looks.look()

    def view(self, at_least: int = 0) -> AbstractContextManager[LensView]:
        """Hold the newest known state, with the seq ``at_least`` in it; raise `NotYetVisibleError` when none is."""
        self._freshen(at_least)
        return self._lens.view(self._limits.query_time)

    def snapshots(self, at_least: int = 0) -> tuple[Snapshot, ...]:
        """Return the readable snapshots, oldest first."""
        self._freshen(at_least)
        return self._store.snapshots()

    def looked(self, at_least: int = 0) -> tuple[Snapshot, ...]:
        """Return the readable snapshots after a look at the catalog."""
        self._looks.look()
        return self.snapshots(at_least)

    def commit(self, sessions: Sequence[Session], trace: CommitTrace) -> list[Receipt | GraphError]:
        """Write those sessions that may be written as one snapshot; return what became of each.

        Raise `StorageError` when none was written for want of storage, `CommitConflictError` when other writers won
        every time.
        """
        return self._tried(lambda: self._attempt(sessions, trace), trace)

    def write(self, session: SessionId, build: Build, trace: CommitTrace) -> Snapshot | None:
        """Write what ``build`` makes of the newest state as one session and one snapshot; None when it makes nothing.

        ``build`` is asked again when another writer was first. Its rows carry the stamp that it is given, a row of the
        session included. Raises what `commit` raises, and what ``build`` does.
        """
        return self._tried(lambda: self._built(session, build, trace), trace)

    def _tried(self, attempt: Callable[[], T], trace: CommitTrace) -> T:
        for turn in range(self._limits.commit_attempts):
            if turn:
                trace.retries = turn
                # Jitter spreads writers that collided once over the time that a commit takes.
                self._world.step_aside()
            asked_at = self._world.stopwatch()
            newest = self._snapshot.epoch if self._snapshot else 0
            # The lease first: whoever waits for it must not keep readers from moving on.
            try:
                with self._leases.holding(self._tenant, not_below=newest) as epoch, self._moving:
                    trace.lease_seconds += self._world.stopwatch() - asked_at
                    trace.epoch = epoch
                    if turn or self._looked_at is None or epoch != self._epoch:
                        # A lease that was somebody else's means that there is something to see.
                        self._refresh()
                    self._epoch = epoch
                    return attempt()
            except CommitConflictError:
                continue
        raise CommitConflictError("commit", f"other writers won {self._limits.commit_attempts} times")

    def _built(self, session: SessionId, build: Build, trace: CommitTrace) -> Snapshot | None:
        with self._lens.view(self._limits.query_time) as view:
            stamp = Stamp.behind(view.last_seq, view.committed_at, now=self._world.clock())
            rows = build(view, stamp)
        if rows is None:
            self._require_current()
            return None
        return self._append(rows, (session,), (stamp.seq, stamp), trace)

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
        last = Stamp(seq=accepted[-1].seq, committed_at=accepted[-1].committed_at)
        sessions = tuple(each.session.id for each in accepted)
        return self._append(rows_of(accepted), sessions, (accepted[0].seq, last), trace)

    def _append(
        self, rows: Rows, sessions: tuple[SessionId, ...], place: tuple[int, Stamp], trace: CommitTrace
    ) -> Snapshot:
        first_seq, last = place
        batch = Batch(
            id=str(uuid.uuid4()),
            rows=rows,
            sessions=sessions,
            first_seq=first_seq,
            last_seq=last.seq,
            committed_at=last.committed_at,
            floor=self._snapshot.floor if self._snapshot else 0,
            epoch=self._batch_epoch(),
        )
        trace.sessions, trace.rows = len(sessions), rows.num_rows
        try:
            snapshot = self._store.append(batch, parent=self._snapshot.id if self._snapshot else None)
        except CommitUncertainError as uncertain:
            # Looked for before anybody tries again: otherwise a lost answer would write the sessions twice.
            found = self._settled(batch, uncertain)
            if found is None:
                raise uncertain.otherwise from uncertain
            snapshot = found
        trace.snapshot_id = snapshot.id
        self._known_seq = snapshot.last_seq
        self._lens.apply(batch.rows, snapshot)
        self._snapshot = snapshot
        self._notices.publish(self._tenant, snapshot.last_seq)
        return snapshot

    def _settled(self, batch: Batch, uncertain: CommitUncertainError) -> Snapshot | None:
        try:
            return self._store.settled(batch.id)
        except StorageError as failure:
            # Nobody can tell: whoever asks again with the same session is told then.
            raise uncertain from failure

    def _batch_epoch(self) -> int:
        """Return the lease's epoch; without a lease, the head's."""
        if self._epoch is not None:
            return self._epoch
        return self._snapshot.epoch if self._snapshot else 0

    def _containing(self, seq: int) -> SnapshotId:
        for snapshot in self._store.snapshots():
            if snapshot.last_seq >= seq:
                return snapshot.id
        raise SnapshotNotFoundError(f"seq {seq}")

    @property
    def _last_seq(self) -> int:
        return self._snapshot.last_seq if self._snapshot else 0

    def _freshen(self, at_least: int) -> None:
        if self._looked_at is None or at_least > self._last_seq:
            self._looks.look()
            if at_least > self._last_seq:
                raise NotYetVisibleError(at_least, self._last_seq)
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

    def _look(self) -> None:
        with self._moving:
            self._refresh()

    def _refresh(self) -> None:
        """Bring the lens to the head; the lock is held."""
        head = self._store.head()
        self._known_seq = head.last_seq if head else 0
        if head is not None and (self._snapshot is None or head.id != self._snapshot.id):
            self._bring_to(head)
            self._snapshot = head
        self._looked_at = self._world.stopwatch()

    def _bring_to(self, head: Snapshot) -> None:
        if self._snapshot is not None and self._leads_from(self._snapshot, head):
            self._lens.apply(self._store.rows(head.id, after=self._snapshot.last_seq), head)
            return
        if self._snapshot is not None:
            log.info("graph.reload", extra={"snapshot": str(head.id), "floor": head.floor})
        lens = self._new_lens()
        lens.load(self._store.parts(head.id), head)
        self._lens = lens

    def _leads_from(self, known: Snapshot, head: Snapshot) -> bool:
        """Whether the rows behind ``known`` make it the head's state: nothing was forgotten or rolled back since."""
        if head.floor > known.last_seq:
            return False
        readable = self._store.snapshots()
        # One that expired has left nothing older behind; one that was rolled back has.
        return any(each.id == known.id for each in readable) or readable[0].last_seq >= known.last_seq
