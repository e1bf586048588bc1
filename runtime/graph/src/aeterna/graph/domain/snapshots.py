"""The history of a graph: what a commit gives back, and how a moment of the past is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self, TypeAlias

from aeterna.graph.domain.identifiers import SessionId, SnapshotId, TagName

_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class AtSeq:
    """The moment after a session was committed."""

    seq: int


# A snapshot, the last session that was committed by a time, the session of a seq, or what a tag names.
AsOf: TypeAlias = SnapshotId | datetime | TagName | AtSeq


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One atomic commit: the sessions ``first_seq`` to ``last_seq``, and everything before them.

    Maintenance makes snapshots too, which hold no session of their own: their ``first_seq`` is ``last_seq`` + 1.
    Every state at a seq from ``floor`` to ``last_seq`` can be rebuilt from its rows up to that seq. What was replaced
    or removed before may be forgotten: a state older than the floor is loaded anew, never brought forward. ``epoch``
    is that of the lease under which it was written.
    """

    id: SnapshotId
    first_seq: int
    last_seq: int
    committed_at: datetime
    floor: int = 0
    epoch: int = 0

    @property
    def sessions(self) -> int:
        """How many sessions were committed together."""
        return self.last_seq - self.first_seq + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The place in history that a commit is about to take."""

    seq: int
    committed_at: datetime

    @classmethod
    def behind(cls, seq: int, committed_at: datetime | None, *, now: datetime) -> Self:
        """Return the place behind the newest one, of which a graph without sessions has no time.

        It is later than every one before, whatever the clocks of the writers say: a time names exactly one state.
        """
        at = now if committed_at is None else max(now, committed_at + _TICK)
        return cls(seq=seq + 1, committed_at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The proof that a session is durable.

    ``nodes`` and ``edges`` count what was written or removed, the edges that went with a removed node included.
    ``repeated`` says that the session had been committed before and nothing was written now.
    """

    session_id: SessionId
    snapshot_id: SnapshotId
    seq: int
    committed_at: datetime
    nodes: int
    edges: int
    repeated: bool = False
