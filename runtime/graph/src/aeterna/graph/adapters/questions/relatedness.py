"""Which nodes are like a node by the neighbours that both have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aeterna.graph.domain.questions.relatedness import MAX_SHARED, SCORE_DIGITS, Related, RelatedNode

if TYPE_CHECKING:
    import numpy.typing as npt

    from aeterna.graph.adapters.lens.adjacency import Bools, Ints
    from aeterna.graph.adapters.lens.asking import Asking
    from aeterna.graph.domain.questions.relatedness import RelatedQuery


def related(asking: Asking, query: RelatedQuery) -> Related:
    """Return the nodes that share the most telling neighbours with one."""
    state = asking.state
    origin, types = state.number(query.node), state.wanted_types(query.types)
    middles, hubs = _affordable(asking, _joined(asking, np.array([origin], dtype=np.int32), types)[1], query.steps)
    starts, ends = _joined(asking, middles, types)
    asking.check()
    # Each middle's degree, its place in the order of degrees, and how much it tells.
    places = _places(middles, starts, len(state.topology.kinds))
    degrees = np.bincount(places, minlength=len(middles))
    by_degree = _by_degree(asking, middles, degrees)
    with np.errstate(divide="ignore"):
        telling = 1.0 / np.log(degrees)
    others = ends != origin
    places, ends = places[others], ends[others]
    kinds = state.wanted_kinds(query.kinds)
    if kinds is not None:
        wanted = kinds[state.topology.kinds[ends]]
        places, ends = places[wanted], ends[wanted]
    found, which = np.unique(ends, return_inverse=True)
    summed = np.bincount(which, weights=telling[places], minlength=len(found)).astype(np.float64)
    scores = np.round(summed, SCORE_DIGITS)
    best = _best(asking, found, scores, query.limit)
    return Related(
        snapshot_id=state.snapshot.id if state.snapshot else None,
        seq=state.snapshot.last_seq if state.snapshot else 0,
        nodes=tuple(
            _explained(asking, int(found[place]), float(scores[place]), middles[shared[np.argsort(by_degree[shared])]])
            for place in best.tolist()
            for shared in [places[which == place]]
        ),
        hubs=hubs,
    )


def _joined(asking: Asking, nodes: Ints, types: Bools | None) -> tuple[Ints, Ints]:
    """Return each node with each other node that it is joined to, every such pair once."""
    starts, ends, _ = asking.state.topology.steps(nodes, "both", types)
    pairs = np.unique((starts.astype(np.int64) << 32) | ends)
    first, second = (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)
    different = first != second
    return first[different], second[different]


def _affordable(asking: Asking, middles: Ints, most: int) -> tuple[Ints, int]:
    """Return the neighbours of the lowest degrees that one question can look at, and how many others there are.

    Here a degree counts edges of every type, which is known without a look at them.
    """
    topology = asking.state.topology
    degrees = np.zeros(len(middles), dtype=np.int64)
    for index in (*topology.out, *topology.into):
        degrees += index.degrees(middles)
    order = np.lexsort((middles, degrees))
    fits = int(np.searchsorted(np.cumsum(degrees[order]), most, side="right"))
    return np.sort(middles[order[:fits]]), len(middles) - fits


def _places(middles: Ints, starts: Ints, nodes: int) -> npt.NDArray[np.int64]:
    place_of = np.zeros(nodes, dtype=np.int64)
    place_of[middles] = np.arange(len(middles))
    return place_of[starts]


def _by_degree(asking: Asking, middles: Ints, degrees: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the rank of each middle: by degree, then by id."""
    by_id = _places(asking.state.in_order(middles), middles, len(asking.state.topology.kinds))
    rank = np.empty(len(middles), dtype=np.int64)
    rank[np.lexsort((by_id, degrees))] = np.arange(len(middles))
    return rank


def _best(asking: Asking, found: Ints, scores: npt.NDArray[np.float64], limit: int) -> npt.NDArray[np.int64]:
    """Return the places of the highest scores, equals in order of their ids."""
    if len(found) > limit:
        least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        candidates = np.flatnonzero(scores >= least)
    else:
        candidates = np.arange(len(found))
    ordered = asking.state.in_order(found[candidates])
    by_id = np.searchsorted(found, ordered)  # `found` is sorted by number
    return by_id[np.argsort(-scores[by_id], kind="stable")][:limit]


def _explained(asking: Asking, number: int, score: float, shared: Ints) -> RelatedNode:
    state = asking.state
    return RelatedNode(
        id=state.id(number),
        kind=state.kind(number),
        properties=state.node_properties(np.array([number], dtype=np.int32))[0],
        score=score,
        shared=len(shared),
        because=tuple(state.ids(shared[:MAX_SHARED])),
    )
