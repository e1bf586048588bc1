"""The topology of a graph by its definition."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np

from aeterna.graph.domain.topologies import UNWEIGHTED, WEIGHT, Topology

if TYPE_CHECKING:
    from aeterna.graph.domain.identifiers import Json
    from aeterna.graph.testing.state import State


def topology(state: State) -> Topology:
    """Return every node and edge."""
    ids = tuple(sorted(state.nodes))
    places = {node: place for place, node in enumerate(ids)}
    return Topology(
        ids=ids,
        sources=np.array([places[key.source] for key in state.edges], dtype=np.int64),
        targets=np.array([places[key.target] for key in state.edges], dtype=np.int64),
        weights=np.array([_weight(edge.properties) for edge in state.edges.values()], dtype=np.float64),
    )


def _weight(properties: Json) -> float:
    value = json.loads(properties).get(WEIGHT)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return UNWEIGHTED
    try:
        weight = float(value)
    except OverflowError:
        return UNWEIGHTED
    return weight if math.isfinite(weight) and weight > 0 else UNWEIGHTED
