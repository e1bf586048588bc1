"""igraph's Leiden on many graphs at once: the clusters of a graph, each divided as if it were alone.

Traag, Waltman, van Eck: From Louvain to Leiden (2019). Modularity of each cluster by its own null model is what the
constant Potts model gives for the graph without the edges between clusters, when a node weighs its strength in its
cluster over the root of what all ends there weigh: the product of two such weights is k_i k_j / 2m of their cluster,
and nodes of different clusters never meet. So clusters share a run, a few thousand edges at a time: that much stays in
a processor's cache, and igraph is called a hundred times instead of ten thousand.
"""

from __future__ import annotations

import itertools
import random
import threading
from array import array
from typing import TYPE_CHECKING, Any, Final

import igraph
import numpy as np

from aeterna.knowledge.adapters.communities.weighted import ranked

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from aeterna.knowledge.adapters.communities.weighted import WeightedGraph
    from aeterna.knowledge.domain.communities import Floats, Ints

# Any: igraph ships no types; what leaves this module has them.
_igraph: Any = igraph
_igraph_turn: Final = threading.Lock()  # igraph has one generator of random numbers for the whole process

_RANDOMNESS: Final = 0.01  # of the paper
_BATCH: Final = 10_000  # edges
_CHUNK: Final = 20_000  # edges that are Python objects at a time
# How often Leiden goes over a graph with fewer edges than so many. Each time costs about as much as the first; the
# second adds up to a hundredth of modularity and the others next to nothing. Not until nothing gets better, as igraph
# offers it: rounding may let it believe for ever that something does.
_ITERATIONS: Final = ((50_000, 10), (500_000, 2))
_AT_LEAST: Final = 1


class Leiden:
    """Leiden with one seed. Calls follow each other: what a graph gives depends on those before it too."""

    def __init__(self, *, resolution: float, seed: int, potts: bool, edges: int) -> None:
        """``potts`` is for the constant Potts model, in which each node weighs 1; ``edges`` are those of the whole."""
        self._resolution = resolution
        self._potts = potts
        self._iterations = next((times for below, times in _ITERATIONS if edges < below), _AT_LEAST)
        self._chances = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def divided(self, graph: WeightedGraph, cluster: Ints, start: Ints | None, members: Ints) -> Ints:
        """Return a part for each node, from 0; no part reaches beyond its cluster.

        The graph has no edges between clusters, and clusters are numbered in the order of their nodes. ``start`` is
        parts to begin with, likewise; ``members`` is how many nodes each stands for.
        """
        weights = members.astype(np.float64) if self._potts else _own_null_model(graph, cluster)
        parts = np.empty(graph.size, dtype=np.int64)
        count = 0
        with _igraph_turn:
            _igraph.set_random_number_generator(self._chances)
            for nodes, edges in _batches(graph, cluster):
                begun = None if start is None else ranked(start[nodes])[0]
                part = self._run(graph, nodes, edges, weights[nodes], begun)
                parts[nodes] = part + count
                count += int(part.max()) + 1
        return parts

    def _run(self, graph: WeightedGraph, nodes: slice, edges: slice, weights: Floats, start: Ints | None) -> Ints:
        piece = _igraph.GraphBase(
            n=nodes.stop - nodes.start, edges=_pairs(graph.low[edges] - nodes.start, graph.high[edges] - nodes.start)
        )
        membership, _ = piece.community_leiden(
            edge_weights=_floats(graph.weights[edges]),
            node_weights=_floats(weights),
            resolution=self._resolution,
            normalize_resolution=False,
            beta=_RANDOMNESS,
            initial_membership=None if start is None else start.tolist(),
            n_iterations=self._iterations,
        )
        return np.asarray(membership, dtype=np.int64)


def components(size: int, one: Ints, other: Ints) -> Ints:
    """Return for each node its connected component, from 0."""
    graph = _igraph.GraphBase(n=size, edges=_pairs(one, other))
    return np.asarray(graph.connected_components(), dtype=np.int64)


def _own_null_model(graph: WeightedGraph, cluster: Ints) -> Floats:
    strengths = graph.strengths()
    totals = np.bincount(cluster, strengths)
    return strengths / np.sqrt(np.maximum(totals, np.finfo(np.float64).tiny))[cluster]


def _batches(graph: WeightedGraph, cluster: Ints) -> Generator[tuple[slice, slice]]:
    """Yield nodes and edges of whole clusters, so many that they have some thousand edges together."""
    first = np.searchsorted(cluster, np.arange(int(cluster.max(initial=-1)) + 2))
    edge = np.searchsorted(graph.low, first)
    begin = 0
    while begin < len(first) - 1:
        end = max(begin + 1, int(np.searchsorted(edge, edge[begin] + _BATCH, side="right")) - 1)
        yield slice(int(first[begin]), int(first[end])), slice(int(edge[begin]), int(edge[end]))
        begin = end


def _floats(values: Floats) -> array[float]:
    """Return numbers for igraph, which makes Python's floats of them one at a time; a list holds all of them."""
    return array("d", values.tobytes())


def _pairs(one: Ints, other: Ints) -> Iterator[tuple[int, int]]:
    """Return pairs for igraph, which takes an iterator five times faster than an array: that it makes lists of."""
    begins = range(0, len(one), _CHUNK)
    return itertools.chain.from_iterable(
        zip(one[begin : begin + _CHUNK].tolist(), other[begin : begin + _CHUNK].tolist(), strict=True)
        for begin in begins
    )
