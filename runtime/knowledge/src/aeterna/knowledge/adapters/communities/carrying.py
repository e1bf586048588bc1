"""A division that begins with an earlier one: what did not change stays whole, and only the rest is looked at again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aeterna.knowledge.adapters.communities.weighted import ranked
from aeterna.knowledge.domain.communities import Ints

if TYPE_CHECKING:
    from aeterna.knowledge.domain.communities import Bools, Earlier


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Start:
    """What a division begins with, by node: its atom, whose nodes stay together, and the part that it is in."""

    atoms: Ints
    parts: Ints


def start_of(earlier: Earlier, depth: int, nodes: Ints, cluster: Ints) -> Start:
    """Return how the division of clusters begins.

    A node of which an edge within its cluster changed is an atom of its own, and may go where it likes. The others stay
    with those that they were with, and their communities can only become one: a search that may take communities apart
    finds others that are hardly better, and nobody would know them again.
    """
    parts = earlier.levels[depth][nodes]
    loose = (parts < 0) | _changed(earlier, nodes, cluster)
    own = np.arange(len(nodes))
    span = int(parts.max(initial=0)) + 1 + len(nodes)
    atoms, _ = ranked(cluster * span + np.where(loose, span - len(nodes) + own, parts))
    begun, _ = ranked(cluster * span + np.where(parts < 0, span - len(nodes) + own, parts))
    return Start(atoms=atoms, parts=begun)


def unchanged(earlier: Earlier, depth: int, nodes: Ints, cluster: Ints) -> Bools:
    """Tell of each node whether its cluster is a community of the earlier level above, and nothing in it changed."""
    count = int(cluster.max(initial=-1)) + 1
    if depth == 0 or depth >= len(earlier.levels):
        return np.zeros(len(nodes), dtype=np.bool_)
    above = earlier.levels[depth - 1][nodes]
    one_of = np.full(count, -1, dtype=np.int64)
    one_of[cluster] = above
    other = (above != one_of[cluster]) | (above < 0) | _changed(earlier, nodes, cluster)
    same = np.bincount(cluster, other, count) == 0
    same &= np.bincount(cluster, minlength=count) == earlier.sizes[depth - 1][np.maximum(one_of, 0)]
    return same[cluster]


def _changed(earlier: Earlier, nodes: Ints, cluster: Ints) -> Bools:
    """Tell of each node whether an edge of it changed within its cluster."""
    of_node = np.full(len(earlier.levels[0]), -1, dtype=np.int64)
    of_node[nodes] = cluster
    one, other = earlier.changed
    inside = (of_node[one] == of_node[other]) & (of_node[one] >= 0)
    changed = np.zeros(len(of_node), dtype=np.bool_)
    changed[one[inside]] = True
    changed[other[inside]] = True
    return changed[nodes]
