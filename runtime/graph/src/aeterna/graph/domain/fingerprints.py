"""What two replicas compare to know that they show the same graph."""

from __future__ import annotations

from dataclasses import dataclass

from aeterna.graph.domain.identifiers import SnapshotId


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A state by its content: equal digests are equal graphs, whatever maintenance did to the snapshots."""

    digest: str  # SHA-256 in hexadecimal, of the text that `domain.digests` defines
    seq: int
    snapshot_id: SnapshotId | None
    nodes: int
    edges: int
