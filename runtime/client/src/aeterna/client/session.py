"""A session: the changes that become one snapshot, gathered in memory until they are sent together."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aeterna.client.errors import InvalidArgumentError
from aeterna.client.graph_values import Edge, Node

if TYPE_CHECKING:
    from aeterna.client.graph_values import Commit
    from aeterna.client.json_value import JsonObject, JsonValue

EdgeKey: TypeAlias = tuple[str, str, str]


class Session:
    """Changes to nodes and edges, all of which take effect in one snapshot or not at all.

    The last word on a node or an edge counts: writing it again replaces it, and removing it takes back an earlier
    write of the same session. ``committed`` tells the snapshot once the session has been sent; an empty session is
    never sent and leaves it None.
    """

    def __init__(self, session_id: str) -> None:
        if not session_id or session_id != session_id.strip():
            raise InvalidArgumentError("session_id", f"{session_id!r} is empty or has space around it")
        self.session_id = session_id
        self.committed: Commit | None = None
        self._nodes: dict[str, Node | None] = {}
        self._edges: dict[EdgeKey, Edge | None] = {}

    def node(self, node_id: str, /, *, kind: str, **properties: JsonValue) -> Node:
        """Write a node; its properties replace those it had."""
        return self.write(Node(id=node_id, kind=kind, properties=properties))

    def edge(self, source: str, type_: str, target: str, /, **properties: JsonValue) -> Edge:
        """Write an edge; both ends must exist in the graph or in this session."""
        return self.link(Edge(source=source, type=type_, target=target, properties=properties))

    def write(self, node: Node) -> Node:
        """Write a node that was made elsewhere, whatever the names of its properties."""
        for name, value in (("id", node.id), ("kind", node.kind)):
            if not value:
                raise InvalidArgumentError(f"node {name}", "is empty")
        self._nodes[node.id] = node
        return node

    def link(self, edge: Edge) -> Edge:
        """Write an edge that was made elsewhere, whatever the names of its properties."""
        for name, value in (("source", edge.source), ("type", edge.type), ("target", edge.target)):
            if not value:
                raise InvalidArgumentError(f"edge {name}", "is empty")
        self._edges[edge.source, edge.type, edge.target] = edge
        return edge

    def remove_node(self, node_id: str) -> None:
        """Remove a node, and with it what the graph keeps of its edges."""
        self._nodes[node_id] = None

    def remove_edge(self, source: str, type_: str, target: str) -> None:
        """Remove an edge."""
        self._edges[source, type_, target] = None

    def __len__(self) -> int:
        """Return how many changes there are."""
        return len(self._nodes) + len(self._edges)

    def document(self) -> JsonObject:
        """Return the session as the API takes it."""
        return {
            "session_id": self.session_id,
            "nodes": [node_document(node) for node in self._nodes.values() if node],
            "edges": [edge_document(edge) for edge in self._edges.values() if edge],
            "remove": {
                "nodes": [node_id for node_id, node in self._nodes.items() if node is None],
                "edges": [
                    {"source": source, "type": type_, "target": target}
                    for (source, type_, target), edge in self._edges.items()
                    if edge is None
                ],
            },
        }


def node_document(node: Node) -> JsonObject:
    """Return a node as the API takes it."""
    return {"id": node.id, "kind": node.kind, "properties": node.properties}


def edge_document(edge: Edge) -> JsonObject:
    """Return an edge as the API takes it."""
    return {"source": edge.source, "type": edge.type, "target": edge.target, "properties": edge.properties}
