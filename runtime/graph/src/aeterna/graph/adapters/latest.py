"""Which of several rows about the same thing counts: the one with the highest seq."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from aeterna.graph.adapters.adjacency import Ints


def latest_nodes(numbers: Ints, seq: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the positions of the rows that count, one for each number."""
    return _last_of_groups(np.lexsort((seq, numbers)), numbers)


def latest_edges(source: Ints, type_: Ints, target: Ints, seq: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the positions of the rows that count, one for each source, type and target."""
    from_and_to = (source.astype(np.int64) << 32) | target
    return _last_of_groups(np.lexsort((seq, type_, from_and_to)), from_and_to, type_)


def _last_of_groups(order: npt.NDArray[np.int64], *keys: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    if len(order) == 0:
        return order
    changes = np.zeros(len(order) - 1, dtype=np.bool_)
    for key in keys:
        ordered = key[order]
        changes |= ordered[1:] != ordered[:-1]
    # Back in the order of the rows: new things get their numbers in the order they were written.
    return np.sort(order[np.append(changes, True)])
