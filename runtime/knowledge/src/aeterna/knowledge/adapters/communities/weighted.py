"""A graph without direction in arrays: each pair of nodes once, in order, and what nodes and pairs weigh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from aeterna.knowledge.domain.communities import Floats, Ints
from aeterna.knowledge.domain.ordering import stable_order

if TYPE_CHECKING:
    from aeterna.knowledge.domain.communities import Topology

_NOWHERE: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightedGraph:
    """``size`` nodes from 0; pairs of ``low`` < ``high``, sorted and distinct, with their ``weights``.

    ``loops`` is what the ends of the edges within each node weigh: a node may stand for many.
    """

    size: int
    low: Ints
    high: Ints
    weights: Floats
    loops: Floats

    def strengths(self) -> Floats:
        """Return what all ends at each node weigh."""
        ends = np.bincount(self.low, self.weights, self.size) + np.bincount(self.high, self.weights, self.size)
        return ends + self.loops

    def modularity(self, community: Ints) -> float:
        """Return the modularity of a partition, 0 for a graph without edges."""
        strengths = self.strengths()
        total = float(strengths.sum())
        if total <= 0:
            return 0.0
        outside = float(self.weights[community[self.low] != community[self.high]].sum())
        shares = np.bincount(community, strengths) / total
        return float(1 - 2 * outside / total - shares @ shares)

    def piece(self, nodes: Ints) -> WeightedGraph:
        """Return the graph of some nodes, in their order, and the pairs between them."""
        if len(nodes) == self.size and bool((nodes[1:] > nodes[:-1]).all()):
            return self  # all of them, and not twice in memory
        place = np.full(self.size, _NOWHERE, dtype=np.int64)
        place[nodes] = np.arange(len(nodes))
        one, other = place[self.low], place[self.high]
        inside = (one >= 0) & (other >= 0)
        low, high, weights = merged(one[inside], other[inside], self.weights[inside], len(nodes))
        return WeightedGraph(size=len(nodes), low=low, high=high, weights=weights, loops=self.loops[nodes])

    def within(self, community: Ints) -> WeightedGraph:
        """Return the graph without the pairs between communities."""
        inside = community[self.low] == community[self.high]
        return WeightedGraph(
            size=self.size,
            low=self.low[inside],
            high=self.high[inside],
            weights=self.weights[inside],
            loops=self.loops,
        )

    def contracted(self, atoms: Ints, count: int) -> WeightedGraph:
        """Return the graph whose nodes are the atoms; what is within one is its loops."""
        low, high = atoms[self.low], atoms[self.high]
        apart = low != high
        loops: Floats = np.bincount(atoms, self.loops, count).astype(np.float64)
        loops += 2 * np.bincount(low[~apart], self.weights[~apart], count)
        low, high, weights = merged(low[apart], high[apart], self.weights[apart], count)
        return WeightedGraph(size=count, low=low, high=high, weights=weights, loops=loops)


def weighted(topology: Topology) -> WeightedGraph:
    """Return the graph of a topology, scaled so that pairs weigh 1 on average, however huge or tiny they were."""
    size = len(topology.ids)
    apart = topology.sources != topology.targets
    one, other, weights = topology.sources, topology.targets, topology.weights
    if not apart.all():
        one, other, weights = one[apart], other[apart], weights[apart]
    if len(weights):
        weights = weights / weights.max()
    low, high, sums = merged(one, other, weights, size)
    if len(sums) < len(weights):
        # Sums of floats depend on the order, which is not that of the edges but of what they weigh.
        by_weight = np.argsort(weights)
        low, high, sums = merged(one[by_weight], other[by_weight], weights[by_weight], size)
    if len(sums):
        sums /= sums.mean()
    return WeightedGraph(size=size, low=low, high=high, weights=sums, loops=np.zeros(size))


def merged(one: Ints, other: Ints, weights: Floats, size: int) -> tuple[Ints, Ints, Floats]:
    """Return each pair of nodes once, in order, with the sum of its weights, added up in the order they come in."""
    keys = np.minimum(one, other) * size + np.maximum(one, other)
    order = stable_order(keys, size * size)
    keys = keys[order]
    begins = np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), np.bool_), keys[1:] != keys[:-1]]))
    sums = np.add.reduceat(weights[order], begins) if len(begins) else weights
    keys = keys[begins]
    return keys // max(1, size), keys % max(1, size), sums


def numbered(labels: Ints) -> tuple[Ints, int]:
    """Return labels, which are not negative, as numbers from 0 without gaps in the same order, and how many."""
    used = np.zeros(int(labels.max(initial=-1)) + 1, dtype=np.bool_)
    used[labels] = True
    return (np.cumsum(used) - 1)[labels], int(used.sum())


def ranked(labels: Ints) -> tuple[Ints, int]:
    """Return any labels as numbers from 0 without gaps in the same order, and how many."""
    if len(labels) == 0:
        return labels, 0
    labels = labels - labels.min()
    order = stable_order(labels, int(labels.max()) + 1)
    ordered = labels[order]
    numbers = np.empty(len(labels), dtype=np.int64)
    numbers[order] = np.concatenate([np.zeros(1, np.int64), np.cumsum(ordered[1:] != ordered[:-1])])
    return numbers, int(numbers.max()) + 1
