"""The living graph as arrays: positions in the order of ids, and weights out of the edges' properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from aeterna.graph.adapters.questions.conditions import NUMERIC, number, pointer
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.topologies import UNWEIGHTED, WEIGHT, Topology

if TYPE_CHECKING:
    import numpy.typing as npt

    from aeterna.graph.adapters.lens.asking import Asking
    from aeterna.graph.domain.arrow import Table

_NOWHERE: Final = -1
# Edges without properties, which are most of them in many graphs, are told apart before any JSON is read.
_WEIGHTS: Final = f"""
    SELECT number, weight
    FROM (
        SELECT number, {number("json_extract_string(properties, $1)")} AS weight
        FROM edge
        WHERE properties <> '{{}}' AND json_type(properties, $1) IN {NUMERIC}
    )
    WHERE isfinite(weight) AND weight > 0
"""  # noqa: S608 - put together from our own constants; the pointer is a parameter


def topology(asking: Asking) -> Topology:
    """Return every living node and edge."""
    state = asking.state
    shape = state.topology
    nodes = state.in_order(np.flatnonzero(shape.kinds >= 0).astype(np.int32))
    places = np.full(len(shape.kinds), _NOWHERE, dtype=np.int64)
    places[nodes] = np.arange(len(nodes))
    edges = np.flatnonzero(shape.alive)
    asking.check()
    weights = _weights(asking)
    asking.check()
    return Topology(
        ids=tuple(state.ids(nodes)),
        sources=places[shape.source[edges]],
        targets=places[shape.target[edges]],
        weights=weights[edges],
    )


def _weights(asking: Asking) -> npt.NDArray[np.float64]:
    """Return the weight of each edge by its number."""
    weights = np.full(len(asking.state.topology.source), UNWEIGHTED)
    if not asking.state.edges.any():
        return weights
    found: Table = untyped(asking.sql().execute(_WEIGHTS, [pointer(WEIGHT)])).to_arrow_table()
    weights[found["number"].to_numpy()] = found["weight"].to_numpy()
    return weights
