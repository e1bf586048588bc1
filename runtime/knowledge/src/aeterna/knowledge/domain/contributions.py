"""What a document puts into the graph, and what the graph shows of a thing that several documents speak of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aeterna.graph.domain.changes import Edge, EdgeKey, JsonValue, Node, edge_of, node_of
from aeterna.knowledge.domain.documents import DocumentId

UNKNOWN_KIND: Final = "Thing"
"""The kind of a node that a document speaks of without saying what it is, such as the end of a table's edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePart:
    """What one document says of a node."""

    id: str
    kind: str
    properties: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePart:
    """What one document says of an edge; ``weight`` counts how often or how strongly, and is above zero."""

    key: EdgeKey
    weight: float = 1.0
    properties: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """All that one document says, each node and each edge once. ``digest`` is of the content that it was made of."""

    document: DocumentId
    digest: str
    nodes: tuple[NodePart, ...]
    edges: tuple[EdgePart, ...]


def published_node(parts: Iterable[tuple[DocumentId, NodePart]]) -> Node:
    """Return the node of what documents say of it: the first document in order of ids wins what they contradict in.

    `UNKNOWN_KIND` yields to any other. It does not depend on who came first, so a graph that changed often is the one
    of a fresh ingest.
    """
    said = [part for _, part in sorted(parts, key=lambda part: part[0], reverse=True)]
    properties: dict[str, JsonValue] = {}
    for part in said:
        properties |= part.properties
    kind = next((part.kind for part in reversed(said) if part.kind != UNKNOWN_KIND), UNKNOWN_KIND)
    return node_of(said[-1].id, kind, properties)


def published_edge(parts: Iterable[tuple[DocumentId, EdgePart]]) -> Edge:
    """Return the edge of what documents say of it: as `published_node`, and its ``weight`` is the sum."""
    said = [part for _, part in sorted(parts, key=lambda part: part[0], reverse=True)]
    properties: dict[str, JsonValue] = {}
    for part in said:
        properties |= part.properties
    # In the order of the documents: a sum of floats depends on it.
    weight = sum(part.weight for part in reversed(said))
    return edge_of(*said[-1].key, {**properties, "weight": weight})
