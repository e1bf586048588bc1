"""The order of many numbers, fast and the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from aeterna.knowledge.domain.communities import Ints

_BITS: Final = 63


def stable_order(keys: Ints, bound: int) -> Ints:
    """Return the order of keys below a bound; equal ones stay in theirs."""
    bits = max(1, len(keys) - 1).bit_length()
    if bound.bit_length() + bits > _BITS:
        return np.argsort(keys, kind="stable")
    # Sorting numbers is several times faster than sorting places by numbers, and distinct ones have one order only.
    packed = np.sort((keys << bits) | np.arange(len(keys)))
    return packed & ((1 << bits) - 1)
