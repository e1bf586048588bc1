"""Which of several rows about the same thing counts: the one with the highest seq."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from aeterna.graph.adapters.lens.adjacency import Ints

_BITS: Final = 63


def latest_nodes(numbers: Ints, seq: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the positions of the rows that count, one for each number, in the order of the numbers."""
    return _last_of_groups(np.lexsort((seq, numbers)), numbers)


def latest_edges(source: Ints, type_: Ints, target: Ints, seq: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """Return the positions of the rows that count, in the order of source, type and target; None: all as they are."""
    if len(source) == 0:
        return None
    target_bits, type_bits = int(target.max()).bit_length(), int(type_.max()).bit_length()
    if int(source.max()).bit_length() + type_bits + target_bits > _BITS:
        return _last_of_groups(np.lexsort((seq, target, type_, source)), source, type_, target)
    key = source.astype(np.int64) << (type_bits + target_bits)
    key |= type_.astype(np.int64) << target_bits
    key |= target
    if bool((key[1:] > key[:-1]).all()):
        return None
    return _last_of_groups(np.lexsort((seq, key)), key)


def _last_of_groups(order: npt.NDArray[np.int64], *keys: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    if len(order) == 0:
        return order
    changes = np.zeros(len(order) - 1, dtype=np.bool_)
    for key in keys:
        ordered = key[order]
        changes |= ordered[1:] != ordered[:-1]
    return order[np.append(changes, True)]
