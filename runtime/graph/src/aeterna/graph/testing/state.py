"""The state of a graph as dictionaries, and the walks that follow from the definition of a neighbour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aeterna.graph.domain.changes import Edge, EdgeKey, Node
from aeterna.graph.domain.identifiers import Json, NodeId, SessionId
from aeterna.graph.domain.queries import NodeFound
from aeterna.graph.domain.questions.filters import Condition, satisfied
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import NodeNotFoundError
from aeterna.graph.ports import Committed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from aeterna.graph.domain.identifiers import Label, SnapshotId
    from aeterna.graph.domain.questions.checks import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that a snapshot holds."""

    snapshot: Snapshot | None = None
    nodes: dict[NodeId, Node] = field(default_factory=dict[NodeId, Node])
    edges: dict[EdgeKey, Edge] = field(default_factory=dict[EdgeKey, Edge])
    sessions: dict[SessionId, Committed] = field(default_factory=dict[SessionId, Committed])
    records: dict[tuple[str, str], Json] = field(default_factory=dict[tuple[str, str], Json])

    @property
    def snapshot_id(self) -> SnapshotId | None:
        """The snapshot that the state is of."""
        return self.snapshot.id if self.snapshot else None

    @property
    def seq(self) -> int:
        """The seq of the newest session, 0 before the first."""
        return self.snapshot.last_seq if self.snapshot else 0

    def node(self, node: NodeId) -> Node:
        """Return a node, or raise `NodeNotFoundError`."""
        if node not in self.nodes:
            raise NodeNotFoundError(node)
        return self.nodes[node]

    def found(self, node: NodeId) -> NodeFound:
        """Return a node as an answer."""
        known = self.node(node)
        return NodeFound(
            snapshot_id=self.snapshot_id, seq=self.seq, id=node, kind=known.kind, properties=known.properties
        )

    def wanted(self, node: NodeId, kinds: Iterable[Label], where: Iterable[Condition]) -> bool:
        """Tell whether a node is of one of the kinds, any when there are none, and meets the conditions."""
        known = self.nodes[node]
        return (not kinds or known.kind in kinds) and satisfied(where, known.properties)

    def steps(self, direction: Direction, types: frozenset[Label]) -> Generator[tuple[NodeId, NodeId, EdgeKey]]:
        """Yield every step: where it starts, where it arrives, and its edge."""
        for key in self.edges:
            if types and key.type not in types:
                continue
            if direction != "in":
                yield key.source, key.target, key
            if direction != "out":
                yield key.target, key.source, key

    def depths(
        self, origins: Iterable[NodeId], depth: int, direction: Direction, types: frozenset[Label]
    ) -> dict[NodeId, int]:
        """Return the fewest steps that lead from any origin to each node within reach."""
        depths = {self.node(origin).id: 0 for origin in origins}
        for step in range(1, depth + 1):
            arrivals = {arrival for start, arrival, _ in self.steps(direction, types) if depths.get(start) == step - 1}
            for arrival in arrivals - depths.keys():
                depths[arrival] = step
        return depths
