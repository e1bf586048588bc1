"""What questions read, kept in memory: a small graph, reports that change, and an index of vectors that is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aeterna.graph.domain.questions.searches import places, search_query, texts_of
from aeterna.graph.domain.questions.words import parts, words
from aeterna.knowledge.domain.surroundings import Finding, GraphNode, NodeHit, Touching

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aeterna.graph.domain.changes import Edge, Node
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.questions.searches import Term
    from aeterna.graph.domain.snapshots import AsOf
    from aeterna.knowledge.domain.documents import UnitId
    from aeterna.knowledge.domain.reports import Report


class InMemoryGraphReader:
    """A `GraphReader` and `GraphReading` of one graph, whatever the tenant and the moment."""

    def __init__(self, nodes: Iterable[Node], edges: Iterable[Edge]) -> None:
        self._nodes = {str(node.id): node for node in nodes}
        self._edges = tuple(edges)

    def at(self, tenant: TenantId, *, as_of: AsOf | None = None, at_least: int = 0) -> InMemoryGraphReader:
        """See `GraphReader.at`."""
        del tenant, as_of, at_least
        return self

    def find(self, terms: Sequence[str], *, kinds: Iterable[str] = (), limit: int) -> Finding:
        """See `GraphReading.find`; what holds more of the terms is better."""
        query = search_query(" ".join(terms), match="any")
        wanted = frozenset(kinds)
        holding = {id_: [_holds(node, term) for term in query.terms] for id_, node in self._nodes.items()}
        scores = {
            id_: float(sum(held))
            for id_, held in holding.items()
            if any(held) and (not wanted or self._nodes[id_].kind in wanted)
        }
        best = sorted(scores, key=lambda id_: (-scores[id_], id_))[:limit]
        return Finding(
            seq=1,
            hits=tuple(NodeHit(id=id_, kind=self._nodes[id_].kind, score=scores[id_]) for id_ in best),
            nodes=len(self._nodes),
            holders={
                f"{' '.join(term.phrases[0])}{'*' if term.prefix else ''}": sum(held[at] for held in holding.values())
                for at, term in enumerate(query.terms)
            },
        )

    def nodes(self, ids: Iterable[str]) -> Mapping[str, GraphNode]:
        """See `GraphReading.nodes`."""
        return {id_: _read(self._nodes[id_]) for id_ in dict.fromkeys(ids) if id_ in self._nodes}

    def around(
        self, node: str, *, types: Iterable[str] = (), kinds: Iterable[str] = (), direction: str = "both", limit: int
    ) -> tuple[tuple[Touching, ...], bool]:
        """See `GraphReading.around`."""
        walked, wanted = frozenset(types), frozenset(kinds)
        found: list[Touching] = []
        for edge in self._edges:
            for here, there, outward in (
                (edge.key.source, edge.key.target, True),
                (edge.key.target, edge.key.source, False),
            ):
                if here != node or (direction != "both" and (direction == "out") != outward):
                    continue
                if (walked and edge.key.type not in walked) or (wanted and self._nodes[there].kind not in wanted):
                    continue
                weight = json.loads(edge.properties).get("weight", 1.0)
                found.append(
                    Touching(type=edge.key.type, weight=weight, outward=outward, node=_read(self._nodes[there]))
                )
        ids = sorted({each.node.id for each in found})
        kept = frozenset(ids[:limit])
        ordered = sorted(found, key=lambda each: (each.node.id, each.type, each.outward))
        return tuple(each for each in ordered if each.node.id in kept), len(ids) > limit


class InMemoryReportsReader:
    """A `ReportsReader` of the reports that it is given; ``readings`` counts how often all were read."""

    def __init__(self, reports: Sequence[Report] = ()) -> None:
        self._reports = tuple(reports)
        self._version = 0
        self.readings = 0

    def replace(self, reports: Sequence[Report]) -> None:
        """Have other reports from now on."""
        self._reports = tuple(reports)
        self._version += 1

    async def version(self, tenant: TenantId) -> str:
        """See `ReportsReader.version`."""
        del tenant
        return str(self._version)

    async def all(self, tenant: TenantId) -> tuple[Report, ...]:
        """See `ReportsReader.all`."""
        del tenant
        self.readings += 1
        return self._reports


class FixedVectorIndex:
    """A `VectorIndex` that finds the same units for everything."""

    def __init__(self, units: Sequence[UnitId]) -> None:
        self._units = units

    async def nearest(self, tenant: TenantId, text: str, *, limit: int) -> Sequence[UnitId]:
        """See `VectorIndex.nearest`."""
        del tenant, text
        return self._units[:limit]


def _holds(node: Node, term: Term) -> bool:
    texts = [str(node.id), *(text for _, text in texts_of(node.properties))]
    return any(any(places(term, list(split(text)))) for text in texts for split in (words, parts))


def _read(node: Node) -> GraphNode:
    return GraphNode(id=node.id, kind=node.kind, properties=json.loads(node.properties))
