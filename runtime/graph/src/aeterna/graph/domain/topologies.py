"""A whole graph in arrays, for algorithms that look at all of it at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from aeterna.graph.domain.identifiers import NodeId

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

WEIGHT: Final = "weight"  # the property of an edge that says how much it counts
UNWEIGHTED: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Topology:
    """``ids`` of the nodes in order, and for each edge the positions of its ends among them, and its weight.

    A weight is the property ``weight`` where that is a finite number above zero, and 1 elsewhere. Edges come in no
    particular order; those of several types between the same nodes come one by one.
    """

    ids: tuple[NodeId, ...]
    sources: Ints
    targets: Ints
    weights: Floats
