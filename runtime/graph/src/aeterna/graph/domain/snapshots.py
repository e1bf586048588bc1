"""The history of a graph: what a commit gives back, and how a moment of the past is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from aeterna.graph.domain.identifiers import SessionId, SnapshotId

AsOf: TypeAlias = SnapshotId | datetime  # a snapshot, or the newest one that was committed by that time


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One atomic commit: the sessions ``first_seq`` to ``last_seq``, and everything before them."""

    id: SnapshotId
    first_seq: int
    last_seq: int
    committed_at: datetime

    @property
    def sessions(self) -> int:
        """How many sessions were committed together."""
        return self.last_seq - self.first_seq + 1


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
