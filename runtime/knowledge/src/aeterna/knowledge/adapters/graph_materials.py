"""The materials of reports out of a tenant's graph as this process holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.changes import Node
from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.domain.questions.subgraphs import MAX_SEEDS, subgraph_query
from aeterna.graph.errors import AnswerTooLargeError, NodeNotFoundError
from aeterna.knowledge.domain.materials import GraphMaterials
from aeterna.knowledge.domain.reports import Relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aeterna.graph.domain.topologies import Topology
    from aeterna.graph.usecases.graphs import Graph
    from aeterna.knowledge.domain.documents import Unit
    from aeterna.knowledge.domain.materials import Levels

RELATED: Final = "related_to"
"""The whole graph is told without the types of its edges."""


def graph_materials(
    graph: Graph, levels: Levels, units: Iterable[Unit], *, at_least: int = 0
) -> tuple[int, GraphMaterials]:
    """Return the materials of the graph's communities, and the seq that they are of.

    ``units`` are those of the ledger (`usecases.gathering`). Nodes that are in no community are left out; one that is
    removed or changed while this reads is as it is then, and the next round reads it again.
    """
    seq, topology = graph.topology(at_least=at_least)
    return seq, GraphMaterials(
        _nodes(graph, tuple(levels[-1]) if levels else (), seq), _relations(topology), levels, units
    )


def _nodes(graph: Graph, ids: Sequence[str], seq: int) -> Iterator[Node]:
    for first in range(0, len(ids), MAX_SEEDS):
        some = ids[first : first + MAX_SEEDS]
        try:
            # Many nodes for one question: each costs some hundred microseconds, whatever it asks for.
            found = graph.subgraph(subgraph_query(some, depth=0, nodes=MAX_SEEDS, edges=0), at_least=seq).nodes
            yield from (Node(id=one.id, kind=one.kind, properties=one.properties) for one in found)
        except (NodeNotFoundError, AnswerTooLargeError):
            yield from _one_by_one(graph, some, seq)


def _one_by_one(graph: Graph, ids: Sequence[str], seq: int) -> Iterator[Node]:
    for id_ in ids:
        try:
            found = graph.node(NodeId(id_), at_least=seq)
        except NodeNotFoundError:
            continue
        yield Node(id=found.id, kind=found.kind, properties=found.properties)


def _relations(topology: Topology) -> Iterator[Relation]:
    sources: list[int] = topology.sources.tolist()
    targets: list[int] = topology.targets.tolist()
    weights: list[float] = topology.weights.tolist()
    for source, target, weight in zip(sources, targets, weights, strict=True):
        yield Relation(source=topology.ids[source], type=RELATED, target=topology.ids[target], weight=weight)
