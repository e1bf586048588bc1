"""Communities of a graph: what is clustered, how, and the hierarchy that comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType, TypeAlias

import numpy as np
import numpy.typing as npt

CommunityId = NewType("CommunityId", str)
Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A graph without direction: ``ids`` of its nodes in order, and for each edge its ends' positions and weight > 0.

    An edge that is there twice counts with both of its weights; one from a node to itself counts for nothing.
    """

    ids: tuple[str, ...]
    sources: Ints
    targets: Ints
    weights: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """How communities are found: the same ``seed`` and graph give the same hierarchy.

    No community of the finest level has more than ``max_size`` nodes, unless it cannot be divided.
    """

    max_size: int = 10
    resolution: float = 1.0
    seed: int = 1
    max_levels: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level. ``community`` has for each node the number of its community, from 0 without gaps.

    ``parent`` has for each community its number at the level above; empty at the coarsest.
    """

    community: Ints
    parent: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """Levels, the coarsest first; ``quality`` is the coarsest one's modularity, by weight."""

    levels: tuple[Level, ...]
    quality: float
