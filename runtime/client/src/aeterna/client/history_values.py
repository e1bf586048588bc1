"""What the graph answers about its history: tags, differences, restores and changes, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from aeterna.client.graph_values import Edge, Node

Change: TypeAlias = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A name that keeps a snapshot readable; after ``expires_at`` the next maintenance removes it."""

    name: str
    snapshot_id: str
    seq: int
    committed_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many differ in each way."""

    added: int
    changed: int
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeChange:
    """A node that differs; what a moment does not have is None."""

    change: Change
    before: Node | None
    after: Node | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeChange:
    """An edge that differs; what a moment does not have is None."""

    change: Change
    before: Edge | None
    after: Edge | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One page of what differs between two snapshots; the counts are of all pages."""

    from_snapshot_id: str
    snapshot_id: str
    node_counts: Counts
    edge_counts: Counts
    nodes: tuple[NodeChange, ...]
    edges: tuple[EdgeChange, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore changed, or, as a dry run without a session, would change.

    ``added`` came back, ``removed`` went, ``changed`` became what it was. The counts are None when it had been done
    before and nothing was written now.
    """

    session_id: str | None
    snapshot_id: str | None
    seq: int | None
    to_snapshot_id: str | None
    nodes: Counts | None
    edges: Counts | None
    repeated: bool
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeKey:
    """What identifies an edge."""

    source: str
    type: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChanges:
    """What one session changed. Go on from ``seq`` once it is ``last``.

    Only what a restore or an erasure writes comes in several parts. When a connection breaks between them, the session
    comes again from part 0.
    """

    seq: int
    session_id: str
    committed_at: datetime
    part: int
    last: bool
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    removed_nodes: tuple[str, ...]
    removed_edges: tuple[EdgeKey, ...]
