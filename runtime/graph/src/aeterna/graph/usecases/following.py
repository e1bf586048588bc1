"""Follows a graph session by session, from any position that is still kept, however many follow at a time.

A position is a seq. The rows of every session behind the floor of the newest snapshot are kept, whatever was merged
since; before it only states are.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.arrow import pa, pc, untyped
from aeterna.graph.domain.erasure import hiding
from aeterna.graph.domain.identifiers import SessionId, SnapshotId
from aeterna.graph.domain.rows import Rows
from aeterna.graph.errors import ChangesExpiredError, InvalidQueryError, SnapshotNotFoundError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.graph.domain.identifiers import Json, TenantId
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.usecases.engine import Engine
    from aeterna.graph.usecases.present import Present

# As much as a client's session may hold, its own row included: only what restores and erasures write comes in parts.
PART_ROWS: Final = 10_001
PART_BYTES: Final = 16 << 20
# Sessions are read in blocks of a power of two, so that all who catch up ask for the same ones.
_LEAST_BLOCK: Final = 64
_MOST_BLOCK: Final = 8_192
_SMALL_BYTES: Final = 4 << 20
_LARGE_BYTES: Final = 32 << 20


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
class _Kept:
    """What can be followed: the sessions behind ``oldest`` and up to ``newest``, in the snapshot ``head``."""

    head: SnapshotId
    oldest: int
    newest: int


class Following:
    """The sessions of one tenant, one by one."""

    def __init__(self, tenant: TenantId, engine: Engine, present: Present) -> None:
        self._tenant = tenant
        self._reads = engine.reads
        self._present = present
        self._store = engine.stores.open(tenant)
        self._head: Snapshot | None = None
        self._block = _LEAST_BLOCK
        self._turn = threading.Lock()

    def newest(self) -> int:
        """Look at the catalog and return the seq of the newest session; raise `StorageError`."""
        self._present.refresh()
        return self._present.shown_seq

    def check(self, after: int) -> None:
        """Raise what forbids to follow from this position.

        That is `ChangesExpiredError`, `StorageError`, or `InvalidQueryError` for a position that was never given out.
        """
        self._kept(after)

    def after(self, after: int) -> Iterator[SessionPart]:
        """Read the next sessions behind the position; none while there is no news.

        Ask again behind the last of them. Raises what `check` raises.
        """
        kept = self._kept(after)
        if kept is None or after == kept.newest:
            return
        try:
            rows = self._rows(kept, after)
        except (SnapshotNotFoundError, StorageError):
            # Its files may have been collected since the last look at the catalog, which says so when it is fresh.
            with self._turn:
                self._head = None
            kept = self._kept(after)
            if kept is None:
                return
            rows = self._rows(kept, after)
        yield from _sessions(rows, after)

    def _kept(self, after: int) -> _Kept | None:
        """Return what can be followed from the position; None while the graph is empty."""
        with self._present.view() as view:
            shown, newest, erasures = view.snapshot_id, view.last_seq, view.records("erasure")
        if after > newest:
            self._present.refresh(after)
            with self._present.view() as view:
                shown, newest, erasures = view.snapshot_id, view.last_seq, view.records("erasure")
        if after > newest:
            raise InvalidQueryError("after", f"is ahead of the graph, which ends at seq {newest}")
        head = self._looked(shown)
        if head is None:
            return None
        oldest = max(head.floor, _hidden_up_to(erasures))
        if after < oldest:
            raise ChangesExpiredError(after, oldest)
        # Not more than reads see: what an erasure hides is known up to there.
        return _Kept(head=head.id, oldest=oldest, newest=min(newest, head.last_seq))

    def _looked(self, shown: SnapshotId | None) -> Snapshot | None:
        """Return the head, looking at the catalog only when reads see another one than last time."""
        with self._turn:
            if self._head is None or self._head.id != shown:
                known, self._head = self._head, self._store.head()
                if known is not None and self._head is not None and known.floor != self._head.floor:
                    # What is no longer kept is not kept here either.
                    self._reads.forget("changes", self._tenant)
                    self._reads.forget("diff", self._tenant)
            return self._head

    def _rows(self, kept: _Kept, after: int) -> Rows:
        """Read the block of sessions that the position is in, as far as there are any."""
        first, last = after, kept.newest
        if last - after > self._block:
            first = after // self._block * self._block
            last = first + self._block
            first = max(first, kept.oldest)
        key = ("changes", self._tenant, first, last)

        def load() -> Rows:
            with self._turn:
                return untyped(self._store.rows(kept.head, after=first, up_to=last)).combine_chunks()

        rows = self._reads.get(key, load, _nbytes)
        self._adapt(_nbytes(rows), full=last - first == self._block)
        return rows

    def _adapt(self, size: int, *, full: bool) -> None:
        # Small sessions are read many at a time: a merged file is read whole for each block.
        if full and size < _SMALL_BYTES:
            self._block = min(_MOST_BLOCK, self._block * 2)
        elif size > _LARGE_BYTES:
            self._block = max(_LEAST_BLOCK, self._block // 2)


def _hidden_up_to(erasures: Mapping[str, Json]) -> int:
    """Return the seq behind which nothing is hidden.

    A part of the history does not show whose words were written over by whom, so while an erasure is under way nothing
    before it can be followed; afterwards nothing before it is kept.
    """
    return max((json.loads(erasures[id_])["seq"] - 1 for id_ in hiding(erasures)), default=0)


def _sessions(rows: Rows, after: int) -> Iterator[SessionPart]:
    """Give out the sessions behind the position, in their order and each in parts that are small enough."""
    wanted = rows.filter(pc.greater(rows["seq"], after))
    ordered = untyped(wanted).sort_by("seq")
    sizes: list[int] = untyped(pc.value_counts(ordered["seq"])).field("counts").to_pylist()
    at = 0
    for size in sizes:
        yield from _numbered(_pieces(ordered.slice(at, size)))
        at += size


def _pieces(rows: Rows) -> Iterator[Rows]:
    """Cut rows into pieces that are small enough for one event."""
    size = rows.num_rows
    if size <= 1 or (size <= PART_ROWS and _nbytes(rows) <= PART_BYTES):
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


def _nbytes(rows: Rows) -> int:
    return int(untyped(rows).nbytes)
