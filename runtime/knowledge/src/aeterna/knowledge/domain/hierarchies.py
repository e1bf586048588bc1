"""What an earlier hierarchy still says of a graph that changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from aeterna.knowledge.domain.communities import Earlier
from aeterna.knowledge.domain.ordering import stable_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.knowledge.domain.communities import Floats, Ints, Topology

_ROUNDING: Final = 1e-12


def earlier_of(before: Topology, levels: Sequence[Ints], now: Topology) -> Earlier:
    """Return the communities of ``before`` as told of the nodes of ``now``, with every edge that differs.

    ``levels`` has for each level, the coarsest first, the number of each node's community.
    """
    return Earlier(
        levels=tuple(carried(before.ids, community, now.ids) for community in levels),
        sizes=tuple(np.bincount(community) for community in levels),
        changed=differing(before, now),
    )


def carried(before: Sequence[str], community: Ints, now: Sequence[str]) -> Ints:
    """Return the community that each node of now was in, -1 for a new one."""
    places = _places(before, now)
    return np.where(places < 0, -1, community[places])


def differing(before: Topology, now: Topology) -> tuple[Ints, Ints]:
    """Return the pairs of nodes of now between which edges differ, and twice the same node beside one that is gone."""
    places = _places(now.ids, before.ids)  # of the nodes before, among those of now
    one, other = places[before.sources], places[before.targets]
    gone = (one < 0) | (other < 0)
    beside = np.maximum(one, other)[gone]
    beside = beside[beside >= 0]
    low, high = _unequal(
        (now.sources, now.targets, now.weights), (one[~gone], other[~gone], before.weights[~gone]), len(now.ids)
    )
    return np.concatenate([low, beside]), np.concatenate([high, beside])


def _unequal(now: tuple[Ints, Ints, Floats], before: tuple[Ints, Ints, Floats], size: int) -> tuple[Ints, Ints]:
    """Return the pairs whose edges do not weigh the same, loops left out."""
    keys = np.concatenate([_keys(now[0], now[1], size), _keys(before[0], before[1], size)])
    # One side counts against the other; what several edges weigh together may round otherwise in another order.
    weights = np.concatenate([now[2], -before[2]])
    order = stable_order(keys, size * size)
    keys, weights = keys[order], weights[order]
    begins = np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), np.bool_), keys[1:] != keys[:-1]]))
    if len(begins) == 0:
        return keys, keys
    unlike = np.abs(np.add.reduceat(weights, begins)) > _ROUNDING * np.add.reduceat(np.abs(weights), begins)
    pairs = keys[begins][unlike]
    low, high = pairs // size, pairs % size
    return low[low != high], high[low != high]


def _keys(one: Ints, other: Ints, size: int) -> Ints:
    return np.minimum(one, other) * size + np.maximum(one, other)


def _places(among: Sequence[str], ids: Sequence[str]) -> Ints:
    """Return where each id is among others, -1 for those that are not."""
    if among == ids:
        return np.arange(len(ids))
    places = {id_: place for place, id_ in enumerate(among)}
    return np.fromiter((places.get(id_, -1) for id_ in ids), dtype=np.int64, count=len(ids))
