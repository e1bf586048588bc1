"""What the graph answers to questions about more than one node's surroundings, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from aeterna.client.graph_values import Edge, Neighbor, Node
from aeterna.client.json_value import JsonValue

Value: TypeAlias = Node | Edge | JsonValue
"""A value of a match: a whole node or edge, or one of their attributes or properties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgraph:
    """Some nodes and every edge between them, unless a limit left some out."""

    snapshot_id: str
    nodes: tuple[Neighbor, ...]
    edges: tuple[Edge, ...]
    more_nodes: bool
    more_edges: bool

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the nodes, in the service's order."""
        return tuple(neighbor.node.id for neighbor in self.nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedNode:
    """A node like the one asked about: how like, how many neighbours both have, and the most telling of those."""

    node: Node
    score: float
    shared: int
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """The most alike first; ``hubs`` neighbours of very high degree were not looked at."""

    snapshot_id: str
    nodes: tuple[RelatedNode, ...]
    hubs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """A page of what fits a pattern: each row has one value for each column. Or only the ``count`` of rows."""

    snapshot_id: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    count: int | None
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Where words were found: the field, the text around them, and start and end of each place in that text."""

    field: str
    snippet: str
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A node that holds every word; its score compares with scores of the same answer only."""

    id: str
    kind: str
    score: float
    matched: tuple[Matched, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """The best first."""

    snapshot_id: str
    hits: tuple[Hit, ...]
