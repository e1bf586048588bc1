"""Hierarchies of communities, from the whole graph down to communities that are small enough to be read.

The shape is GraphRAG's (Edge et al. 2024): a community that is too large is a graph of its own, divided again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aeterna.knowledge.adapters.communities.carrying import start_of, unchanged
from aeterna.knowledge.adapters.communities.connecting import connected
from aeterna.knowledge.adapters.communities.leiden import Leiden
from aeterna.knowledge.adapters.communities.qualities import LeidenalgDivision
from aeterna.knowledge.adapters.communities.weighted import numbered, weighted
from aeterna.knowledge.domain.communities import Hierarchy, Level
from aeterna.knowledge.domain.ordering import stable_order

if TYPE_CHECKING:
    from aeterna.knowledge.adapters.communities.weighted import WeightedGraph
    from aeterna.knowledge.domain.communities import Earlier, Ints, Parameters, Topology


class IgraphCommunityDetector:
    """A `CommunityDetector` on igraph, and on leidenalg for the qualities that igraph does not know.

    Threads may share it; they take turns, because igraph has one generator of random numbers.
    """

    def detect(self, topology: Topology, parameters: Parameters, *, earlier: Earlier | None = None) -> Hierarchy:
        """Return the hierarchy of a graph, sooner with an earlier one that is much like it."""
        graph = weighted(topology)
        levels = connected(graph, _levels(graph, parameters, earlier)) if graph.size else []
        none = np.empty(0, dtype=np.int64)
        return Hierarchy(
            levels=tuple(
                Level(community=community, parent=_parents(community, above))
                for community, above in zip(levels, [none, *levels][: len(levels)], strict=True)
            ),
            quality=graph.modularity(levels[0]) if levels else 0.0,
        )


def _levels(graph: WeightedGraph, parameters: Parameters, earlier: Earlier | None) -> list[Ints]:
    division = _Division(parameters, earlier, edges=len(graph.weights))
    community = np.zeros(graph.size, dtype=np.int64)
    count = 1
    opened = np.ones(1, dtype=np.bool_)
    levels: list[Ints] = []
    while len(levels) < parameters.max_levels and opened.any():
        nodes = np.flatnonzero(opened[community])
        nodes = nodes[stable_order(community[nodes], count)]
        parts = division.parts(graph.piece(nodes), nodes, ranks(community[nodes]), len(levels))
        labels = community.copy()
        labels[nodes] = parts + count
        divided, divided_count = numbered(labels)
        if levels and divided_count == count:
            break
        levels.append(divided)
        parent = _parents(divided, community)
        opened = np.bincount(divided) > parameters.max_size
        # What could not be divided never will be: it is the same graph again.
        opened &= (np.bincount(parent, minlength=count) > 1)[parent]
        community, count = divided, divided_count
        graph = graph.within(community)
    return levels


class _Division:
    """Divides clusters, by way of what is known of them from earlier where something is."""

    def __init__(self, parameters: Parameters, earlier: Earlier | None, *, edges: int) -> None:
        quality = parameters.quality
        self._earlier = earlier if quality == "modularity" else None
        self._leiden: Leiden | LeidenalgDivision
        if quality in {"modularity", "cpm"}:
            self._leiden = Leiden(
                resolution=parameters.resolution, seed=parameters.seed, potts=quality == "cpm", edges=edges
            )
        else:
            self._leiden = LeidenalgDivision(parameters)

    def parts(self, piece: WeightedGraph, nodes: Ints, cluster: Ints, depth: int) -> Ints:
        """Return the part of each node, distinct over clusters."""
        earlier = self._earlier
        if earlier is None or depth >= len(earlier.levels):
            return self._leiden.divided(piece, cluster, None, np.ones(piece.size, dtype=np.int64))
        kept = unchanged(earlier, depth, nodes, cluster)
        parts = earlier.levels[depth][nodes].copy()
        rest = np.flatnonzero(~kept)
        if len(rest) == 0:
            return parts
        if kept.any():
            piece = piece.piece(rest)
        cluster = ranks(cluster[rest])
        start = start_of(earlier, depth, nodes[rest], cluster)
        count = int(start.atoms.max()) + 1
        of_atom = np.empty((2, count), dtype=np.int64)
        of_atom[:, start.atoms] = cluster, start.parts
        found = self._leiden.divided(
            piece.contracted(start.atoms, count), of_atom[0], of_atom[1], np.bincount(start.atoms)
        )
        parts[rest] = found[start.atoms] + int(parts.max(initial=-1)) + 1
        return parts


def ranks(ordered: Ints) -> Ints:
    """Return labels that come in order as numbers from 0 without gaps."""
    return np.concatenate([np.zeros(min(1, len(ordered)), np.int64), np.cumsum(ordered[1:] != ordered[:-1])])


def _parents(community: Ints, above: Ints) -> Ints:
    if len(above) == 0:
        return above
    parents = np.empty(int(community.max()) + 1, dtype=np.int64)
    parents[community] = above
    return parents
