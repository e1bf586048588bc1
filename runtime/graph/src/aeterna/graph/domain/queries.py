"""The questions a graph answers, checked when they are made, and the shape of the answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.changes import Edge, EdgeKey
from aeterna.graph.domain.identifiers import Json, Label, NodeId, SnapshotId
from aeterna.graph.domain.questions import checks
from aeterna.graph.domain.questions.checks import Direction
from aeterna.graph.domain.questions.filters import Condition, bounded

if TYPE_CHECKING:
    from collections.abc import Iterable


MAX_DEPTH: Final = 5  # unless a service allows more
MOST_DEPTH: Final = 10
MAX_HOPS: Final = 64
MAX_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a page ended: the depth and id of its last node."""

    depth: int
    node: NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighborsQuery:
    """Which nodes are at most ``depth`` steps away. Build it with `neighbors_query`.

    ``types`` limits the edges that are walked; ``kinds`` and ``where`` limit the nodes that are returned, not those
    walked through. Empty means any. Nodes come in order of depth, then of id; ``after`` continues behind a position.
    """

    node: NodeId
    depth: int
    direction: Direction
    types: frozenset[Label]
    kinds: frozenset[Label]
    where: tuple[Condition, ...]
    limit: int
    after: Position | None = None

    @property
    def digest(self) -> str:
        """What a cursor is bound to: everything but the page's size and position."""
        where = [each.key for each in self.where]
        text = json.dumps([self.node, self.depth, self.direction, sorted(self.types), sorted(self.kinds), where])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathQuery:
    """How one node leads to another in the fewest steps. Build it with `path_query`."""

    source: NodeId
    target: NodeId
    max_hops: int
    direction: Direction
    types: frozenset[Label]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFound:
    """A node as a snapshot has it."""

    snapshot_id: SnapshotId | None
    seq: int
    id: NodeId
    kind: Label
    properties: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighborFound:
    """A node, and the fewest steps that lead to it from the origin."""

    id: NodeId
    kind: Label
    properties: Json
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbors:
    """One page. ``edges`` are all walked edges by which a node of this page is first reached."""

    snapshot_id: SnapshotId | None
    seq: int
    nodes: tuple[NeighborFound, ...]
    edges: tuple[Edge, ...]
    next: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One of the shortest paths: n + 1 nodes and the n edges between them, each as it was stored."""

    snapshot_id: SnapshotId | None
    seq: int
    nodes: tuple[NodeId, ...]
    edges: tuple[EdgeKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How much a snapshot holds.

    A node's degree counts the edges that start or end at it; ``isolated`` nodes have none. ``hub`` is the node of the
    highest degree, the first of them by id.
    """

    snapshot_id: SnapshotId | None
    seq: int
    nodes: int
    edges: int
    node_kinds: Mapping[Label, int]
    edge_types: Mapping[Label, int]
    degree_mean: float
    degree_max: int
    hub: NodeId | None
    isolated: int


def node_query(node: str) -> NodeId:
    """Check the id of a node that is asked for; raise `InvalidQueryError`."""
    return checks.node(node, "node_id")


def neighbors_query(
    node: str,
    *,
    depth: int = 1,
    direction: str = "out",
    types: Iterable[str] = (),
    kinds: Iterable[str] = (),
    where: Iterable[Condition] = (),
    limit: int = 100,
    after: Position | None = None,
) -> NeighborsQuery:
    """Check and make the question; raise `InvalidQueryError` that names the parameter and what would do."""
    return NeighborsQuery(
        node=checks.node(node, "node"),
        depth=checks.within(depth, 1, MOST_DEPTH, "depth"),
        direction=checks.direction(direction),
        types=checks.labels(types, "type"),
        kinds=checks.labels(kinds, "kind"),
        where=bounded(list(where), parameter="where"),
        limit=checks.within(limit, 1, MAX_PAGE, "limit"),
        after=after,
    )


def path_query(
    source: str, target: str, *, max_hops: int = 16, direction: str = "out", types: Iterable[str] = ()
) -> PathQuery:
    """Check and make the question; raise `InvalidQueryError` that names the parameter and what would do."""
    return PathQuery(
        source=checks.node(source, "source"),
        target=checks.node(target, "target"),
        max_hops=checks.within(max_hops, 1, MAX_HOPS, "max_hops"),
        direction=checks.direction(direction),
        types=checks.labels(types, "type"),
    )
