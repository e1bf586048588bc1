"""Erasure of a subject, of nodes, or of a whole tenant: hidden at once, gone for ever by a job that can be stopped.

The order is a session of its own, so it is durable when it is acknowledged. Every step of the job can be repeated and
finds by itself where it was: a pending erasure is rewritten, a rewritten one is collected, and what is deleted stands
on record before it goes.
"""

from __future__ import annotations

import logging
import uuid
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.arrow import pa, untyped
from aeterna.graph.domain.certificates import (
    ERASURE,
    Erasure,
    erasures_in,
    ordered,
    require_target,
    rewritten,
)
from aeterna.graph.domain.erasure import STATE_COLUMNS, Target, removals
from aeterna.graph.domain.holds import HOLD, Hold, hold_of, holds_in, require_no_hold, require_not_held
from aeterna.graph.domain.identifiers import Json, SessionId
from aeterna.graph.domain.rows import CHANGE_COLUMNS, change_rows
from aeterna.graph.domain.snapshots import Stamp
from aeterna.graph.errors import (
    CommitConflictError,
    CommitUncertainError,
    ErasureNotFoundError,
    GraphError,
    HoldNotFoundError,
    InvalidErasureError,
    LegalHoldError,
)
from aeterna.graph.ports import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.graph.domain.arrow import Table
    from aeterna.graph.domain.certificates import Verification
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.ports import Eraser, LensView, Reached
    from aeterna.graph.usecases.engine import Engine
    from aeterna.graph.usecases.present import Present

SYSTEM: Final = "aeterna:erasure"  # commits what the job itself writes
_EVERYTHING: Final = Target(tenant=True)

log = logging.getLogger(__name__)


class Erasures:
    """One tenant's erasures and legal holds. Every method blocks and may raise `StorageError`."""

    def __init__(self, tenant: TenantId, present: Present, engine: Engine) -> None:
        self._tenant = tenant
        self._present = present
        self._engine = engine
        self._world = engine.world

    def order(self, target: Target, *, by: str, id_: str | None = None) -> Erasure:
        """Hide the target from every read, and put on record that it shall go; the job does the rest.

        Giving the same ``id_`` again gives the same erasure. Raise `LegalHoldError`, or `InvalidErasureError` when
        the id was given to another target.
        """
        erasure = _new_id() if id_ is None else _checked_id(id_)
        eraser = self._engine.stores.eraser(self._tenant)
        # Read before the lock is taken: what others commit meanwhile is little, and read under it.
        base = eraser.state()

        def build(view: LensView, stamp: Stamp) -> Rows | None:
            if erasure in view.records(ERASURE):
                return None
            holds = holds_in(view.records(HOLD))
            require_no_hold(holds, subject=target.subject, tenant=target.tenant)
            found = removals(target, _brought_to(view.last_seq, eraser, base))
            require_not_held(holds, found.subjects)
            record = ordered(erasure, target, by=by, stamp=stamp).record()
            changes = pa.concat_tables([found.changes.select(CHANGE_COLUMNS), _on_record(ERASURE, erasure, record)])
            return _session_rows(changes, session=f"erasure-{erasure}", by=by, stamp=stamp)

        self._write(f"erasure-{erasure}", build)
        known = self.erasure(erasure)
        require_target(known, target)
        return known

    def erasure(self, id_: str) -> Erasure:
        """Return an erasure, which is a certificate when it is done; raise `ErasureNotFoundError`."""
        for erasure in self.erasures():
            if erasure.id == id_:
                return erasure
        raise ErasureNotFoundError(id_)

    def erasures(self) -> tuple[Erasure, ...]:
        """Return every erasure on record, oldest first."""
        with self._present.view() as view:
            return erasures_in(view.records(ERASURE))

    def holds(self) -> tuple[Hold, ...]:
        """Return the holds in force, by id."""
        with self._present.view() as view:
            return holds_in(view.records(HOLD))

    def hold_of(self, id_: str) -> Hold:
        """Return a hold in force; raise `HoldNotFoundError`."""
        for hold in self.holds():
            if hold.id == id_:
                return hold
        raise HoldNotFoundError(id_)

    def hold(self, id_: str, *, subject: str | None, reason: str, by: str) -> Hold:
        """Forbid to erase what a subject committed, or anything when it is None, until the hold is released."""
        made: list[Hold] = []

        def build(_view: LensView, stamp: Stamp) -> Rows:
            made.append(hold_of(id_, subject=subject, reason=reason, by=by, at=stamp.committed_at))
            changes = _on_record(HOLD, id_, made[-1].record())
            return _session_rows(changes, session=session, by=by, stamp=stamp)

        session = f"hold-{_new_id()}"
        hold_of(id_, subject=subject, reason=reason, by=by, at=self._world.clock())  # refused before anything is locked
        self._write(session, build)
        return made[-1]

    def release(self, id_: str, *, by: str) -> None:
        """End a hold; raise `HoldNotFoundError`."""
        session = f"hold-{_new_id()}"

        def build(view: LensView, stamp: Stamp) -> Rows:
            if id_ not in view.records(HOLD):
                raise HoldNotFoundError(id_)
            return _session_rows(_on_record(HOLD, id_, None), session=session, by=by, stamp=stamp)

        self._write(session, build)

    def run(self) -> tuple[Erasure, ...]:
        """Do what is left of every erasure, in the order in which they were asked for; return those that are done.

        One that a hold forbids by now stays pending, and hidden.
        """
        done: list[Erasure] = []
        for erasure in self.unfinished():
            try:
                done.append(self._finished(erasure))
            except LegalHoldError as held:
                log.warning("graph.erasure_held", extra={"erasure": erasure.id, "hold": held.hold})
        return tuple(done)

    def unfinished(self) -> tuple[Erasure, ...]:
        """Return the erasures that `run` has something to do for; the graph is not opened for it."""
        known = erasures_in(self._engine.stores.eraser(self._tenant).records())
        return tuple(erasure for erasure in known if erasure.state != "done")

    def verify(self, id_: str, target: Target | None = None) -> Verification:
        """Look for the target in every byte that is left.

        A certificate does not know whom it is about: ``target`` must be given when the erasure is no longer pending,
        and be the right one, or `InvalidErasureError` is raised.
        """
        erasure = self.erasure(id_)
        wanted = target or erasure.target
        if wanted is None:
            if not erasure.tenant:
                raise InvalidErasureError("subject", "must be given again: the certificate does not know it")
            wanted = _EVERYTHING
        require_target(erasure, wanted)
        found = self._verified(self._engine.stores.eraser(self._tenant), wanted, erasure)
        if erasure.state == "done":
            self._put(replace(erasure, verification=found))
        return found

    def _finished(self, erasure: Erasure) -> Erasure:
        eraser, target = self._engine.stores.eraser(self._tenant), erasure.target
        if erasure.state == "pending":
            erasure = self._rewritten(eraser, erasure)
        while new := set(eraser.garbage(erasure)) - set(erasure.files):
            erasure = replace(erasure, files=tuple(sorted({*erasure.files, *new}, key=lambda file: file.path)))
            self._put(erasure)
        eraser.delete(erasure.files)
        # A job that was stopped no longer knows whom to look for; whoever asked may have it verified at any time.
        known = target or (_EVERYTHING if erasure.tenant else None)
        found = None if known is None else self._verified(eraser, known, erasure)
        erasure = replace(erasure, state="done", done_at=self._world.clock(), verification=found)
        self._put(erasure)
        return erasure

    def _verified(self, eraser: Eraser, target: Target, erasure: Erasure) -> Verification:
        return eraser.verify(target, erasure.seq, at=self._world.clock())

    def _rewritten(self, eraser: Eraser, erasure: Erasure) -> Erasure:
        for turn in range(self._engine.limits.commit_attempts):
            if turn:
                self._world.step_aside()
            # The first attempt reads everything, and the others only what came since: those may hold the lease.
            leased = self._engine.leases.holding(self._tenant) if turn else nullcontext(None)
            try:
                with leased as epoch:
                    snapshot = self._attempt(eraser, erasure, epoch or 0)
            except CommitConflictError:
                continue
            if snapshot is not None:
                log.info("graph.rewritten", extra={"erasure": erasure.id, "snapshot": str(snapshot.id)})
                self._present.refresh(snapshot.last_seq)
            return self.erasure(erasure.id)
        raise CommitConflictError("rewrite", f"other writers won {self._engine.limits.commit_attempts} times")

    def _attempt(self, eraser: Eraser, erasure: Erasure, epoch: int) -> Snapshot | None:
        batches: list[Batch] = []

        def compose(head: Snapshot, reached: Reached) -> Batch | None:
            batch = self._batch(head, reached, erasure, epoch)
            if batch is not None:
                batches.append(batch)
            return batch

        try:
            return eraser.rewrite(erasure, compose)
        except CommitUncertainError as uncertain:
            found = eraser.settled(batches[-1])
            if found is None:
                raise uncertain.otherwise from uncertain
            return found

    def _batch(self, head: Snapshot, reached: Reached, erasure: Erasure, epoch: int) -> Batch | None:
        with self._present.view(head.last_seq) as view:
            if view.last_seq != head.last_seq:
                raise CommitConflictError("rewrite", "another writer was first")
            known = next(each for each in erasures_in(view.records(ERASURE)) if each.id == erasure.id)
            if known.state != "pending" or erasure.target is None:
                return None  # another process did it
            holds = holds_in(view.records(HOLD))
        require_no_hold(holds, subject=erasure.target.subject, tenant=erasure.tenant)
        require_not_held(holds, reached.subjects)
        stamp = Stamp.behind(head.last_seq, head.committed_at, now=self._world.clock())
        record = rewritten(known, reached.removed, stamp.committed_at).record()
        session = f"erasure-{erasure.id}-rewritten"
        return Batch(
            id=_new_id(),
            rows=_session_rows(_on_record(ERASURE, erasure.id, record), session=session, by=SYSTEM, stamp=stamp),
            sessions=(SessionId(session),),
            first_seq=stamp.seq,
            last_seq=stamp.seq,
            committed_at=stamp.committed_at,
            floor=stamp.seq,  # no state of before may be brought forward: every replica loads anew
            epoch=max(head.epoch, epoch),
        )

    def _put(self, erasure: Erasure) -> None:
        session = f"erasure-{erasure.id}-{_new_id()}"

        def build(_view: LensView, stamp: Stamp) -> Rows:
            changes = _on_record(ERASURE, erasure.id, erasure.record())
            return _session_rows(changes, session=session, by=SYSTEM, stamp=stamp)

        self._write(session, build)

    def _write(self, session: str, build: Callable[[LensView, Stamp], Rows | None]) -> None:
        with self._engine.observer.commit(self._tenant) as trace:
            try:
                self._present.write(SessionId(session), build, trace)
            except GraphError as failure:
                trace.error = failure.code
                raise


def _brought_to(seq: int, eraser: Eraser, base: tuple[Snapshot, Table] | None) -> Table:
    """Return what a state's rows are about, which others may have moved on since ``base`` was read."""
    if base is None:
        if seq:
            raise CommitConflictError("erase", "another writer was first")
        return pa.table(
            {name: pa.array([], pa.int64() if name == "seq" else pa.string()) for name in ("op", *STATE_COLUMNS)}
        )
    head, rows = base
    if head.last_seq == seq:
        return rows
    newer = eraser.state(after=head.last_seq)
    if newer is None or newer[0].last_seq != seq:
        raise CommitConflictError("erase", "another writer was first")
    return pa.concat_tables([untyped(rows), untyped(newer[1])])


def _on_record(record: str, id_: str, text: Json | None) -> Table:
    values = {"record": record, "op": "delete" if text is None else "upsert", "id": id_, "properties": text}
    return pa.table({name: pa.array([values.get(name)], pa.string()) for name in CHANGE_COLUMNS})


def _session_rows(changes: Table, *, session: str, by: str, stamp: Stamp) -> Rows:
    return change_rows(changes, session=SessionId(session), subject=by, stamp=stamp, digest=session)


def _new_id() -> str:
    return str(uuid.uuid4())


def _checked_id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as wrong:
        raise InvalidErasureError("id", "must be a UUID") from wrong
