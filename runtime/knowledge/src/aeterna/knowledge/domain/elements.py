"""What one document says of one node or edge, as it is kept: checked once, named and compared by hashes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final, NamedTuple, NewType, TypeAlias, cast

from aeterna.graph.domain.changes import Edge, EdgeKey, JsonValue, Node, edge_of, node_of
from aeterna.graph.errors import InvalidSessionError
from aeterna.knowledge.domain.contributions import EdgePart, NodePart, published_edge, published_node
from aeterna.knowledge.errors import DocumentRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.graph.domain.identifiers import Json, Label, NodeId
    from aeterna.knowledge.domain.contributions import Contribution
    from aeterna.knowledge.domain.documents import DocumentId

ElementId = NewType("ElementId", bytes)
"""16 bytes that stand for a node's id or an edge's key, which may be longer than an index takes."""

MAX_ELEMENTS: Final = 250_000
MAX_WEIGHT: Final = 1e12
"""So that no sum of weights is beyond what a float holds."""
_HASH_BYTES: Final = 16


class NodeRow(NamedTuple):
    """What a document says of a node; ``digest`` is equal where two documents say the same.

    A tuple, as is `EdgeRow`: a document has many, and they go from process to process.
    """

    element: ElementId
    digest: bytes
    id: NodeId
    kind: Label
    properties: Json


class EdgeRow(NamedTuple):
    """What a document says of an edge; ``properties`` have the weight, as the graph shows it of one document alone."""

    element: ElementId
    digest: bytes
    key: EdgeKey
    weight: float
    properties: Json


SaidOfNode: TypeAlias = "tuple[DocumentId, NodeRow]"
SaidOfEdge: TypeAlias = "tuple[DocumentId, EdgeRow]"


def node_element(node: str) -> ElementId:
    """Return what stands for a node's id."""
    return ElementId(_hash(node, person=b"node"))


def edge_element(key: EdgeKey) -> ElementId:
    """Return what stands for an edge's key; no id holds the character that separates its three parts."""
    return ElementId(_hash("\0".join(key), person=b"edge"))


def rows_of(contribution: Contribution) -> tuple[tuple[NodeRow, ...], tuple[EdgeRow, ...]]:
    """Check all that a document says and return it as it is kept; raise `DocumentRefusedError`.

    What passes can be shown by the graph, whatever other documents say.
    """
    if len(contribution.nodes) + len(contribution.edges) > MAX_ELEMENTS:
        raise DocumentRefusedError(contribution.document, f"gives more than {MAX_ELEMENTS} nodes and edges")
    try:
        nodes = tuple(_node_row(part) for part in contribution.nodes)
        edges = tuple(_edge_row(part) for part in contribution.edges)
    except InvalidSessionError as problem:
        raise DocumentRefusedError(contribution.document, f"gives what no graph takes: {problem}") from problem
    _require_closed(contribution)
    return nodes, edges


def shown_node(said: Sequence[SaidOfNode]) -> Node:
    """Return the node of what documents say of it, at least one; of more than a node can hold, the first one's."""
    if len(said) == 1:
        return _alone(said[0][1])
    parts = [(document, _node_part(row)) for document, row in said]
    try:
        return published_node(parts)
    except InvalidSessionError:
        return _alone(min(said, key=lambda one: one[0])[1])


def shown_edge(said: Sequence[SaidOfEdge]) -> Edge:
    """Return the edge of what documents say of it, at least one; of more than an edge can hold, the first one's."""
    if len(said) == 1:
        row = said[0][1]
        return Edge(key=row.key, properties=row.properties)
    parts = [(document, _edge_part(row)) for document, row in said]
    try:
        return published_edge(parts)
    except InvalidSessionError:
        first = min(parts, key=lambda part: part[0])
        bare = [(document, EdgePart(key=part.key, weight=part.weight)) for document, part in parts]
        return published_edge([first if part[0] == first[0] else part for part in bare])


def _alone(row: NodeRow) -> Node:
    return Node(id=row.id, kind=row.kind, properties=row.properties)


def _node_row(part: NodePart) -> NodeRow:
    node = node_of(part.id, part.kind, part.properties)
    return NodeRow(
        element=node_element(node.id),
        digest=_hash(f"{node.kind}\0{node.properties}"),
        id=node.id,
        kind=node.kind,
        properties=node.properties,
    )


def _edge_row(part: EdgePart) -> EdgeRow:
    if not 0 < part.weight <= MAX_WEIGHT:
        raise InvalidSessionError("edge.weight", f"is not above zero and at most {MAX_WEIGHT:g}")
    weight = float(part.weight)
    edge = edge_of(*part.key, {**part.properties, "weight": weight})
    return EdgeRow(
        element=edge_element(edge.key),
        digest=_hash(edge.properties),
        key=edge.key,
        weight=weight,
        properties=edge.properties,
    )


def _node_part(row: NodeRow) -> NodePart:
    return NodePart(id=row.id, kind=row.kind, properties=_object(row.properties))


def _edge_part(row: EdgeRow) -> EdgePart:
    return EdgePart(key=row.key, weight=row.weight, properties=_object(row.properties))


def _object(text: Json) -> dict[str, JsonValue]:
    # Written by `_node_row` and `_edge_row` alone, as the JSON of an object.
    return cast("dict[str, JsonValue]", json.loads(text))


def _require_closed(contribution: Contribution) -> None:
    """Refuse an edge that leads out of the contribution, and what is there twice.

    Both ends of an edge are contributed with it, so that no edge outlives its nodes, whatever is removed in between.
    """
    nodes = {part.id for part in contribution.nodes}
    edges = {part.key for part in contribution.edges}
    if len(nodes) < len(contribution.nodes) or len(edges) < len(contribution.edges):
        raise DocumentRefusedError(contribution.document, "gives a node or an edge twice")
    for key in edges:
        if key.source not in nodes or key.target not in nodes:
            raise DocumentRefusedError(contribution.document, f"gives the edge {' '.join(key)} without its two nodes")


def _hash(text: str, *, person: bytes = b"") -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_HASH_BYTES, person=person).digest()
