"""Brings a graph back to an earlier moment as a new session: history stays, and goes on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aeterna.graph.domain.arrow import Table, pa, pc, untyped
from aeterna.graph.domain.diffs import Counts
from aeterna.graph.domain.erasure import credited
from aeterna.graph.domain.identifiers import MAX_SESSION_ID_CHARS, Json, SessionId, problem_of_id
from aeterna.graph.domain.rows import CHANGE_COLUMNS, Rows, change_rows
from aeterna.graph.domain.snapshots import Receipt, Snapshot
from aeterna.graph.domain.states import Delta, delta
from aeterna.graph.errors import GraphError, InvalidSessionError, SessionConflictError, SnapshotNotFoundError
from aeterna.graph.usecases.comparing import counts_of, states

if TYPE_CHECKING:
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.snapshots import AsOf, Stamp
    from aeterna.graph.ports import Committed, CommitTrace, GraphStore, LensView
    from aeterna.graph.usecases.engine import Engine
    from aeterna.graph.usecases.moments import Moments
    from aeterna.graph.usecases.present import Present


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What a restore changes: ``added`` comes back, ``removed`` goes, ``changed`` becomes what it was.

    ``receipt`` is None for a dry run. A repeated restore has the first one's receipt, and no counts by kind of change.
    """

    to: Snapshot | None
    nodes: Counts | None
    edges: Counts | None
    receipt: Receipt | None


class Restoring:
    """Restores one tenant's graph."""

    def __init__(self, tenant: TenantId, engine: Engine, present: Present, moments: Moments) -> None:
        self._tenant = tenant
        self._engine = engine
        self._present = present
        self._moments = moments

    def plan(self, to: AsOf) -> Restoration:
        """Say what a restore would change now, and change nothing."""
        store, target, old = self._read(to)
        with self._present.view() as view:
            found = self._difference(view, target, store, old)
        return Restoration(to=target, nodes=counts_of(found.nodes), edges=counts_of(found.edges), receipt=None)

    def restore(self, to: AsOf, *, session_id: str | None, subject: str) -> Restoration:
        """Write what differs between now and then as one session and one snapshot.

        Without a session id it is named by where it goes from and to. The same session id with the same ``to`` is done
        once, however often it is asked for. Erased things do not come back. Raise `SnapshotNotFoundError`,
        `TagNotFoundError`, `SessionConflictError`, or what a commit raises.
        """
        if session_id is None:
            session_id = f"restore-{self._moments.resolved(to).last_seq}-after-{self._moments.newest().last_seq}"
        if problem := problem_of_id(session_id, MAX_SESSION_ID_CHARS):
            raise InvalidSessionError("session_id", problem)
        attempt = _Attempt(session=SessionId(session_id), digest=_digest(to), subject=subject)
        with self._present.view() as view:
            if (known := attempt.known(view)) is not None:
                return self._repeated(attempt, known)
            erasures = dict(view.records("erasure"))
        # Before anybody has to wait for this: it is most of what is read, and it does not change.
        store, target, old = self._read(to)
        with self._engine.observer.commit(self._tenant) as trace:
            written = self._written(attempt, _Then(target=target, rows=old, erasures=erasures), store, trace)
        if written is None:
            with self._present.view() as view:
                known = attempt.known(view)
            if known is None:
                raise SnapshotNotFoundError(f"session {session_id}")
            return self._repeated(attempt, known)
        return written

    def _read(self, to: AsOf) -> tuple[GraphStore, Snapshot, Rows]:
        """Return a store, the moment, and its rows."""
        target = self._moments.resolved(to)
        store = self._opened()
        store.head()
        try:
            return store, target, store.rows(target.id, up_to=target.last_seq)
        except SnapshotNotFoundError:
            # Expired since the last look, which a moment does not depend on.
            target = self._moments.again(target)
            store.head()
            return store, target, store.rows(target.id, up_to=target.last_seq)

    def _written(self, attempt: _Attempt, then: _Then, store: GraphStore, trace: CommitTrace) -> Restoration | None:
        target = then.target
        made: list[tuple[Delta, Stamp]] = []

        def build(view: LensView, stamp: Stamp) -> Rows | None:
            if attempt.known(view) is not None:
                return None  # another process did it since
            store.head()
            # What was read before an erasure began may hold what it erased: then it is read again, if it is there.
            current = dict(view.records("erasure")) == then.erasures
            old = then.rows if current else store.rows(target.id, up_to=target.last_seq)
            found = self._difference(view, target, store, old)
            made.append((found, stamp))
            rows = change_rows(
                _changes(found),
                session=attempt.session,
                subject=attempt.subject,
                stamp=stamp,
                digest=attempt.digest,
            )
            # What comes back stays the work of whoever wrote it: an erasure of theirs must reach it.
            return credited(rows, old)

        try:
            snapshot = self._present.write(attempt.session, build, trace)
        except GraphError as failure:
            trace.error = failure.code
            raise
        if snapshot is None:
            return None
        found, stamp = made[-1]
        nodes, edges = counts_of(found.nodes), counts_of(found.edges)
        receipt = Receipt(
            session_id=attempt.session,
            snapshot_id=snapshot.id,
            seq=stamp.seq,
            committed_at=stamp.committed_at,
            nodes=nodes.total,
            edges=edges.total,
        )
        return Restoration(to=target, nodes=nodes, edges=edges, receipt=receipt)

    def _difference(self, view: LensView, target: Snapshot, store: GraphStore, old: Rows) -> Delta:
        """Return what leads from the view's state to the target's."""
        store.head()
        present = next((each for each in reversed(store.snapshots()) if each.id == view.snapshot_id), None)
        if present is None:
            raise SnapshotNotFoundError(str(view.snapshot_id))
        then, now = states(store, target, present, view.records("erasure"), check=lambda: None, old=old)
        return delta(now, then)

    def _repeated(self, attempt: _Attempt, known: Committed) -> Restoration:
        containing = next(each for each in self._present.snapshots() if each.last_seq >= known.seq)
        receipt = Receipt(
            session_id=attempt.session,
            snapshot_id=containing.id,
            seq=known.seq,
            committed_at=known.committed_at,
            nodes=known.nodes,
            edges=known.edges,
        )
        return Restoration(to=None, nodes=None, edges=None, receipt=replace(receipt, repeated=True))

    def _opened(self) -> GraphStore:
        return self._engine.stores.open(self._tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Then:
    """The rows of the moment to go back to, and the erasures that were on record when they were read."""

    target: Snapshot
    rows: Rows
    erasures: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """A restore as it is asked for."""

    session: SessionId
    digest: str
    subject: str

    def known(self, view: LensView) -> Committed | None:
        """Return what is remembered of the same restore; raise `SessionConflictError` for another one's id."""
        known = view.committed([self.session]).get(self.session)
        if known is not None and known.digest != self.digest:
            raise SessionConflictError(self.session, known.seq)
        return known


def _digest(to: AsOf) -> str:
    # Of what was asked, not of what it meant: a tag or a snapshot may be gone when the request is repeated.
    return hashlib.sha256(json.dumps(["restore", type(to).__name__, str(to)]).encode()).hexdigest()


def _changes(found: Delta) -> Table:
    """Write a difference as the changes that make it so."""
    return pa.concat_tables([_upserts_and_deletes("node", found.nodes), _upserts_and_deletes("edge", found.edges)])


def _upserts_and_deletes(record: str, differing: Table) -> Table:
    size = differing.num_rows
    gone = pc.equal(differing["change"], "removed")
    columns = {
        "record": pa.repeat(record, size),
        "op": pc.if_else(gone, "delete", "upsert"),
        "kind": differing["kind_after"] if record == "node" else pa.nulls(size, pa.string()),
        "properties": differing["properties_after"],
    }
    for name in ("id", "source", "type", "target"):
        columns[name] = differing[name] if name in untyped(differing).column_names else pa.nulls(size, pa.string())
    return pa.table(columns).select(list(CHANGE_COLUMNS))
