"""Communities of a graph: how they are found, and the hierarchy that comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NewType, TypeAlias

import numpy as np
import numpy.typing as npt

from aeterna.graph.domain.topologies import Floats, Ints, Topology

__all__ = [
    "Bools",
    "CommunityId",
    "Earlier",
    "Floats",
    "Hierarchy",
    "Ints",
    "Level",
    "Parameters",
    "Quality",
    "Topology",
]

Bools: TypeAlias = npt.NDArray[np.bool_]
CommunityId = NewType("CommunityId", str)

# In order: Newman 2004; Traag, Van Dooren and Nesterov 2011; Reichardt and Bornholdt 2006; Traag, Aldecoa and Delvenne
# 2015; Traag, Krings and Van Dooren 2013.
Quality: TypeAlias = Literal["modularity", "cpm", "rber", "surprise", "significance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """How communities are found: the same ``seed`` and graph give the same hierarchy.

    Directions of edges and edges from a node to itself do not count; edges between the same two nodes count together.
    A community with more than ``max_size`` nodes is divided at the next level as a graph of its own, again and again,
    until it is small enough or ``quality`` finds no division that is better than none. ``resolution`` has a meaning for
    modularity, cpm and rber: the higher, the smaller the communities.
    """

    max_size: int = 10
    resolution: float = 1.0
    seed: int = 1
    max_levels: int = 10
    quality: Quality = "modularity"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Level:
    """One level. ``community`` has for each node the number of its community, from 0 without gaps.

    ``parent`` has for each community its number at the level above; empty at the coarsest.
    """

    community: Ints
    parent: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hierarchy:
    """Levels, the coarsest first, each with every node; ``quality`` is the coarsest one's modularity, by weight.

    A community that is not divided is at the next level too, with the same nodes.
    """

    levels: tuple[Level, ...]
    quality: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Earlier:
    """An earlier hierarchy, told of the nodes of now, and what changed since.

    ``levels`` has for each level and node the number that its community had, -1 for a node that is new, and ``sizes``
    the number of nodes that each community had. ``changed`` is pairs of nodes: the ends of each edge that was added,
    removed or weighted anew, and twice the same node for one that lost a neighbour which is gone.
    """

    levels: tuple[Ints, ...]
    sizes: tuple[Ints, ...]
    changed: tuple[Ints, Ints]
