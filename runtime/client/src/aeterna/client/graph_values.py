"""What the graph answers: nodes, edges, snapshots, neighbourhoods and paths, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from aeterna.client.json_value import JsonValue

Direction: TypeAlias = Literal["out", "in", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One entity of the tenant's graph."""

    id: str
    kind: str
    properties: Mapping[str, JsonValue] = field(default_factory=dict[str, "JsonValue"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One directed relation; source, type and target identify it."""

    source: str
    type: str
    target: str
    properties: Mapping[str, JsonValue] = field(default_factory=dict[str, "JsonValue"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A session that is durable: one snapshot that holds all of it."""

    session_id: str
    snapshot_id: str
    seq: int
    committed_at: datetime
    nodes: int
    edges: int
    repeated: bool
    """True when this session had been committed before and nothing new was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundNode:
    """One node as of a snapshot."""

    snapshot_id: str
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbor:
    """One node of a neighbourhood, and how many hops away it is."""

    node: Node
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighborhood:
    """One page of the nodes around a node, with the edges between what was found."""

    snapshot_id: str
    nodes: tuple[Neighbor, ...]
    edges: tuple[Edge, ...]
    next_cursor: str | None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of this page's nodes, in the service's order."""
        return tuple(neighbor.node.id for neighbor in self.nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A shortest path: node ids from the source to the target, and the edges between them as they are directed."""

    snapshot_id: str
    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]
    hops: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One state of the graph that can be read by ``as_of``."""

    snapshot_id: str
    committed_at: datetime
    facts: Mapping[str, JsonValue]
    """Whatever else the service tells of the snapshot, such as its sessions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How large the graph is, as of a snapshot."""

    snapshot_id: str
    nodes: int
    edges: int
    facts: Mapping[str, JsonValue]
    """Whatever else the service counts, such as nodes by kind."""
