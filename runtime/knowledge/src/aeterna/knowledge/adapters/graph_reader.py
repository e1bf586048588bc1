"""Reads the graph of a tenant for a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.domain.queries import neighbors_query
from aeterna.graph.domain.questions.searches import search_query
from aeterna.graph.errors import NodeNotFoundError
from aeterna.knowledge.domain.surroundings import Finding, GraphNode, NodeHit, Touching

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aeterna.graph.domain.changes import JsonValue
    from aeterna.graph.domain.identifiers import Json, TenantId
    from aeterna.graph.domain.snapshots import AsOf
    from aeterna.graph.usecases.graphs import Graph, Graphs


class LensGraphReader:
    """A `GraphReader` on the graphs of this process."""

    def __init__(self, graphs: Graphs) -> None:
        self._graphs = graphs

    def at(self, tenant: TenantId, *, as_of: AsOf | None = None, at_least: int = 0) -> LensReading:
        """See `GraphReader.at`."""
        return LensReading(self._graphs.of(tenant), as_of, at_least)


class LensReading:
    """A `GraphReading` of one tenant's graph at a moment, or of the newest state."""

    def __init__(self, graph: Graph, as_of: AsOf | None, at_least: int) -> None:
        self._graph = graph
        self._as_of = as_of
        self._at_least = at_least

    def find(self, terms: Sequence[str], *, kinds: Iterable[str] = (), limit: int) -> Finding:
        """See `GraphReading.find`."""
        query = search_query(" ".join(terms), kinds=kinds, limit=limit, match="any", explained=False)
        found = self._graph.search(query, as_of=self._as_of, at_least=self._at_least)
        return Finding(
            seq=found.seq,
            hits=tuple(NodeHit(id=hit.id, kind=hit.kind, score=hit.score) for hit in found.hits),
            nodes=found.nodes,
            holders={
                f"{' '.join(term.phrases[0])}{'*' if term.prefix else ''}": holders
                for term, holders in zip(query.terms, found.holders, strict=True)
            },
        )

    def nodes(self, ids: Iterable[str]) -> Mapping[str, GraphNode]:
        """See `GraphReading.nodes`."""
        found: dict[str, GraphNode] = {}
        for id_ in dict.fromkeys(ids):
            try:
                node = self._graph.node(NodeId(id_), as_of=self._as_of, at_least=self._at_least)
            except NodeNotFoundError:
                continue
            found[id_] = GraphNode(id=id_, kind=node.kind, properties=_object(node.properties))
        return found

    def around(
        self, node: str, *, types: Iterable[str] = (), kinds: Iterable[str] = (), direction: str = "both", limit: int
    ) -> tuple[tuple[Touching, ...], bool]:
        """See `GraphReading.around`."""
        query = neighbors_query(node, types=types, kinds=kinds, direction=direction, limit=limit)
        try:
            page, more = self._graph.neighbors(query, as_of=self._as_of, at_least=self._at_least)
        except NodeNotFoundError:
            return (), False
        nodes = {
            each.id: GraphNode(id=each.id, kind=each.kind, properties=_object(each.properties)) for each in page.nodes
        }
        touching = [
            Touching(
                type=edge.key.type,
                weight=_weight(edge.properties),
                outward=edge.key.source == node,
                node=nodes[NodeId(edge.key.target if edge.key.source == node else edge.key.source)],
            )
            for edge in page.edges
        ]
        return tuple(sorted(touching, key=lambda each: (each.node.id, each.type, each.outward))), more is not None


def _object(properties: Json) -> Mapping[str, JsonValue]:
    said: dict[str, JsonValue] = orjson.loads(properties)
    return said


def _weight(properties: Json) -> float:
    weight = _object(properties).get("weight")
    return float(weight) if isinstance(weight, int | float) and not isinstance(weight, bool) and weight > 0 else 1.0
