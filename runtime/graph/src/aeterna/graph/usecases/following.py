"""Follows a graph session by session, from any position that is still kept, however many follow at a time.

A position is a seq. The sessions are read from the snapshots that brought them: what a compaction merged is the state,
not the way to it.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.arrow import pa, pc, untyped
from aeterna.graph.domain.erasure import hiding
from aeterna.graph.domain.identifiers import SessionId, SnapshotId
from aeterna.graph.domain.rows import Rows
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import ChangesExpiredError, InvalidQueryError, SnapshotNotFoundError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.graph.domain.identifiers import Json, TenantId
    from aeterna.graph.usecases.engine import Engine
    from aeterna.graph.usecases.present import Present

# As much as a client's session may hold: only what restores and erasures write comes in parts.
PART_ROWS: Final = 10_001
PART_BYTES: Final = 16 << 20
_KEPT_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPart:
    """What a session changed, or a part of it: its node and edge rows. Whoever has its ``last`` part has all of it."""

    seq: int
    session_id: SessionId
    committed_at: datetime
    number: int  # of the part, from 0
    last: bool
    rows: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Log:
    """The appends that were there under one head; from ``oldest`` on none is missing."""

    head: SnapshotId | None
    appends: tuple[Snapshot, ...] = ()
    oldest: int = 0


class Following:
    """The sessions of one tenant, one by one."""

    def __init__(self, tenant: TenantId, engine: Engine, present: Present) -> None:
        self._tenant = tenant
        self._reads = engine.reads
        self._present = present
        self._changes = engine.stores.changes(tenant)
        self._log: _Log | None = None
        self._turn = threading.Lock()

    def newest(self) -> int:
        """Look at the catalog and return the seq of the newest session; raise `StorageError`."""
        self._present.refresh()
        return self._present.shown_seq

    def check(self, after: int) -> None:
        """Raise what forbids to follow from this position.

        That is `ChangesExpiredError`, `StorageError`, or `InvalidQueryError` for a position that was never given out.
        """
        self._next(after)

    def after(self, after: int) -> Iterator[SessionPart]:
        """Read the sessions of the next snapshot behind the position; none while there is no news.

        Ask again behind the last of them. Raises what `check` raises.
        """
        for part in self._read(after):
            if part.seq > after:
                yield part

    def _read(self, after: int) -> Iterator[SessionPart]:
        snapshot = self._next(after)
        if snapshot is None:
            return
        begun = False
        try:
            for part in self._parts(snapshot):
                begun = True
                yield part
        except (SnapshotNotFoundError, StorageError):
            if begun:
                raise
            # Its files may have been collected since the last look at the catalog, which says so when it is fresh.
            self._look(None)
            snapshot = self._next(after)
            if snapshot is not None:
                yield from self._parts(snapshot)

    def _next(self, after: int) -> Snapshot | None:
        with self._present.view() as view:
            head, newest, erasures = view.snapshot_id, view.last_seq, view.records("erasure")
        if after > newest:
            self._present.refresh(after)
            with self._present.view() as view:
                head, newest = view.snapshot_id, view.last_seq
        if after > newest:
            raise InvalidQueryError("after", f"is ahead of the graph, which ends at seq {newest}")
        log = self._look(head)
        oldest = max(log.oldest, _hidden_up_to(erasures))
        if after < oldest:
            raise ChangesExpiredError(after, oldest)
        place = bisect_right(log.appends, after, key=lambda snapshot: snapshot.last_seq)
        return log.appends[place] if place < len(log.appends) else None

    def _look(self, head: SnapshotId | None) -> _Log:
        """Return what there is to follow, looking at the catalog only when the head is another one than last time."""
        with self._turn:
            if self._log is None or head is None or self._log.head != head:
                self._log = _continuous(head, self._changes.appends(), self._present.shown_seq)
            return self._log

    def _parts(self, snapshot: Snapshot) -> Iterator[SessionPart]:
        key = ("changes", self._tenant, snapshot.id)
        whole = self._reads.get(key, lambda: self._gathered(snapshot), _nbytes)
        if whole is None:
            yield from _numbered(piece for part in self._added(snapshot) for piece in _pieces(part))
            return
        for seq in range(snapshot.first_seq, snapshot.last_seq + 1):
            yield from _numbered(_pieces(whole.filter(pc.equal(whole["seq"], seq))))

    def _gathered(self, snapshot: Snapshot) -> Rows | None:
        """Read the whole snapshot, or None when it is one session that is too large to be kept."""
        parts: list[Rows] = []
        size = 0
        for part in self._added(snapshot):
            parts.append(part)
            size += int(untyped(part).nbytes)
            if size > _KEPT_BYTES and snapshot.sessions == 1:
                return None
        return pa.concat_tables(parts).combine_chunks()

    def _added(self, snapshot: Snapshot) -> Iterator[Rows]:
        with self._turn:
            return self._changes.added(snapshot.id)


def _continuous(head: SnapshotId | None, appends: tuple[Snapshot, ...], shown_seq: int) -> _Log:
    first = len(appends) - 1
    while first > 0 and appends[first - 1].last_seq + 1 == appends[first].first_seq:
        first -= 1
    oldest = appends[first].first_seq - 1 if appends else shown_seq
    return _Log(head=head, appends=appends[max(first, 0) :], oldest=oldest)


def _hidden_up_to(erasures: Mapping[str, Json]) -> int:
    """Return the seq behind which nothing is hidden.

    A part of the history does not show whose words were written over by whom, so while an erasure is under way nothing
    before it can be followed; afterwards nothing before it is kept.
    """
    return max((json.loads(erasures[id_])["seq"] - 1 for id_ in hiding(erasures)), default=0)


def _pieces(rows: Rows) -> Iterator[Rows]:
    """Cut rows into pieces that are small enough for one event."""
    size = rows.num_rows
    if size <= 1 or (size <= PART_ROWS and int(untyped(rows).nbytes) <= PART_BYTES):
        yield rows
        return
    for at, length in ((0, size // 2), (size // 2, size - size // 2)):
        yield from _pieces(untyped(rows).slice(at, length))


def _numbered(parts: Iterator[Rows]) -> Iterator[SessionPart]:
    """Give out the parts of one session; the last is known by nothing behind it."""
    held: SessionPart | None = None
    for number, rows in enumerate(parts):
        if held is not None:
            yield held
        held = SessionPart(
            seq=int(rows["seq"].to_numpy()[0]),
            session_id=SessionId(str(untyped(rows["session"])[0])),
            committed_at=untyped(rows["committed_at"])[0].as_py(),
            number=number,
            last=False,
            rows=rows.filter(pc.is_in(rows["record"], value_set=pa.array(["node", "edge"]))),
        )
    if held is not None:
        yield replace(held, last=True)


def _nbytes(rows: Rows | None) -> int:
    return 0 if rows is None else int(untyped(rows).nbytes)
