"""Communities made connected: Leiden promises it of an iteration that goes on to its end, and we of every result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aeterna.knowledge.adapters.communities.leiden import components

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.knowledge.adapters.communities.weighted import WeightedGraph
    from aeterna.knowledge.domain.communities import Ints


def connected(graph: WeightedGraph, levels: Sequence[Ints]) -> list[Ints]:
    """Return nested levels, the coarsest first, with every community divided into its connected parts.

    From the finest level up an edge is looked at once, at the level where it comes to be within a community.
    """
    atoms = np.arange(graph.size)
    seen = np.zeros(len(graph.low), dtype=np.bool_)
    found: list[Ints] = []
    for community in reversed(levels):
        new = (community[graph.low] == community[graph.high]) & ~seen
        seen |= new
        parts = components(int(atoms.max(initial=-1)) + 1, atoms[graph.low[new]], atoms[graph.high[new]])
        atoms = parts[atoms]
        found.append(atoms)
    return found[::-1]
