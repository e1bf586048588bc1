"""Answers by the definitions: neighbours, paths, subgraphs, relatives and counts."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from aeterna.graph.domain.changes import EdgeKey
from aeterna.graph.domain.queries import NeighborFound, Neighbors, Path, Position, Statistics
from aeterna.graph.domain.questions.relatedness import MAX_SHARED, SCORE_DIGITS, Related, RelatedNode
from aeterna.graph.domain.questions.subgraphs import Subgraph
from aeterna.graph.errors import NoPathError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aeterna.graph.domain.identifiers import Label, NodeId
    from aeterna.graph.domain.queries import NeighborsQuery, PathQuery
    from aeterna.graph.domain.questions.relatedness import RelatedQuery
    from aeterna.graph.domain.questions.subgraphs import SubgraphQuery
    from aeterna.graph.testing.state import State


def neighbors(state: State, query: NeighborsQuery) -> Neighbors:
    """Return one page of the nodes around a node."""
    depths = state.depths([query.node], query.depth, query.direction, query.types)
    ordered = sorted(
        (depth, node) for node, depth in depths.items() if depth and state.wanted(node, query.kinds, query.where)
    )
    if query.after is not None:
        ordered = [each for each in ordered if each > (query.after.depth, query.after.node)]
    page = ordered[: query.limit]
    edges = {
        edge
        for depth, node in page
        for start, arrival, edge in state.steps(query.direction, query.types)
        if arrival == node and depths.get(start) == depth - 1
    }
    nodes = tuple(_neighbor(state, node, depth) for depth, node in page)
    return Neighbors(
        snapshot_id=state.snapshot_id,
        seq=state.seq,
        nodes=nodes,
        edges=tuple(state.edges[key] for key in sorted(edges)),
        next=Position(depth=nodes[-1].depth, node=nodes[-1].id) if len(ordered) > len(page) else None,
    )


def shortest_path(state: State, query: PathQuery) -> Path:
    """Return one of the shortest paths."""
    state.node(query.target)
    depths = state.depths([query.source], query.max_hops, query.direction, query.types)
    if query.target not in depths:
        raise NoPathError(query.source, query.target, query.max_hops)
    nodes, edges = [query.target], list[EdgeKey]()
    while nodes[-1] != query.source:
        start, edge = next(
            (start, edge)
            for start, arrival, edge in state.steps(query.direction, query.types)
            if arrival == nodes[-1] and depths.get(start) == depths[arrival] - 1
        )
        nodes.append(start)
        edges.append(edge)
    return Path(
        snapshot_id=state.snapshot_id, seq=state.seq, nodes=tuple(reversed(nodes)), edges=tuple(reversed(edges))
    )


def subgraph(state: State, query: SubgraphQuery) -> Subgraph:
    """Return the nodes around the seeds and every edge between them."""
    depths = state.depths(query.seeds, query.depth, query.direction, query.types)
    ordered = sorted(
        (depth, node) for node, depth in depths.items() if not depth or state.wanted(node, query.kinds, query.where)
    )
    here = {node for _, node in ordered[: query.nodes]}
    between = sorted(
        key for key in state.edges if {key.source, key.target} <= here and (not query.types or key.type in query.types)
    )
    return Subgraph(
        snapshot_id=state.snapshot_id,
        seq=state.seq,
        nodes=tuple(_neighbor(state, node, depth) for depth, node in ordered[: query.nodes]),
        edges=tuple(state.edges[key] for key in between[: query.edges]),
        more_nodes=len(ordered) > query.nodes,
        more_edges=len(between) > query.edges,
    )


def related(state: State, query: RelatedQuery) -> Related:
    """Return the nodes that share the most telling neighbours with one."""
    state.node(query.node)
    around: dict[NodeId, set[NodeId]] = defaultdict(set)
    for start, arrival, _ in state.steps("both", query.types):
        if start != arrival:
            around[start].add(arrival)
    shared: dict[NodeId, list[NodeId]] = defaultdict(list)
    for middle in sorted(around[query.node], key=lambda node: (len(around[node]), node)):
        for node in around[middle] - {query.node}:
            shared[node].append(middle)
    scores = {
        node: round(math.fsum(1 / math.log(len(around[middle])) for middle in middles), SCORE_DIGITS)
        for node, middles in shared.items()
        if state.wanted(node, query.kinds, ())
    }
    best = sorted(scores, key=lambda node: (-scores[node], node))[: query.limit]
    nodes = tuple(
        RelatedNode(
            id=node,
            kind=state.nodes[node].kind,
            properties=state.nodes[node].properties,
            score=scores[node],
            shared=len(shared[node]),
            because=tuple(shared[node][:MAX_SHARED]),
        )
        for node in best
    )
    return Related(snapshot_id=state.snapshot_id, seq=state.seq, nodes=nodes, hubs=0)


def statistics(state: State) -> Statistics:
    """Count what there is."""
    degrees = Counter(end for key in state.edges for end in (key.source, key.target))
    highest = max(degrees.values(), default=0)
    return Statistics(
        snapshot_id=state.snapshot_id,
        seq=state.seq,
        nodes=len(state.nodes),
        edges=len(state.edges),
        node_kinds=_counted(node.kind for node in state.nodes.values()),
        edge_types=_counted(key.type for key in state.edges),
        degree_mean=2 * len(state.edges) / len(state.nodes) if state.nodes else 0.0,
        degree_max=highest,
        hub=min((node for node, degree in degrees.items() if degree == highest), default=None),
        isolated=len(state.nodes.keys() - degrees.keys()),
    )


def _neighbor(state: State, node: NodeId, depth: int) -> NeighborFound:
    known = state.nodes[node]
    return NeighborFound(id=node, kind=known.kind, properties=known.properties, depth=depth)


def _counted(labels: Iterable[Label]) -> dict[Label, int]:
    return dict(sorted(Counter(labels).items()))
