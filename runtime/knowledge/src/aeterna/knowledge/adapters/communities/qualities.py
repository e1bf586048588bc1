"""Division by the qualities that leidenalg knows beside modularity, one cluster after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import igraph
import leidenalg
import numpy as np

if TYPE_CHECKING:
    from aeterna.knowledge.adapters.communities.weighted import WeightedGraph
    from aeterna.knowledge.domain.communities import Ints, Parameters

# Any: neither library ships types; what leaves this module has them.
_igraph: Any = igraph
_leidenalg: Any = leidenalg

_PARTITIONS: Final[dict[str, Any]] = {
    "rber": _leidenalg.RBERVertexPartition,
    "surprise": _leidenalg.SurpriseVertexPartition,
    "significance": _leidenalg.SignificanceVertexPartition,
}
_ITERATIONS: Final = 10
_WITH_RESOLUTION: Final = frozenset({"rber"})
_WITH_WEIGHTS: Final = frozenset({"rber", "surprise"})


class LeidenalgDivision:
    """Divides each cluster as a graph of its own."""

    def __init__(self, parameters: Parameters) -> None:
        self._quality = parameters.quality
        self._resolution = parameters.resolution
        self._seed = parameters.seed

    def divided(self, graph: WeightedGraph, cluster: Ints, start: Ints | None, members: Ints) -> Ints:
        """Return a part for each node, distinct over clusters, as `Leiden.divided`; begins from nothing."""
        del start, members
        parts = np.empty(graph.size, dtype=np.int64)
        first = np.searchsorted(cluster, np.arange(int(cluster.max(initial=-1)) + 2))
        edge = np.searchsorted(graph.low, first)
        count = 0
        for node, node_end, begin, end in zip(first[:-1], first[1:], edge[:-1], edge[1:], strict=True):
            pairs = np.column_stack([graph.low[begin:end], graph.high[begin:end]]) - node
            piece = _igraph.Graph(n=int(node_end - node), edges=pairs.tolist())
            part = self._found(piece, graph.weights[begin:end].tolist())
            parts[node:node_end] = np.asarray(part, dtype=np.int64) + count
            count += max(part) + 1
        return parts

    def _found(self, piece: Any, weights: list[float]) -> list[int]:  # noqa: ANN401 - igraph's graph
        options: dict[str, object] = {}
        if self._quality in _WITH_RESOLUTION:
            options["resolution_parameter"] = self._resolution
        if self._quality in _WITH_WEIGHTS:
            options["weights"] = weights
        partition = _leidenalg.find_partition(
            piece, _PARTITIONS[self._quality], seed=self._seed, n_iterations=_ITERATIONS, **options
        )
        return list(partition.membership)
