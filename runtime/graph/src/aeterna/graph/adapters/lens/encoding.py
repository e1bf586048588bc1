"""Columns of texts as distinct texts and the place of each value among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aeterna.graph.domain.arrow import Arrow, pa, untyped

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy.typing as npt

    from aeterna.graph.domain.arrow import Column


def encoded(column: Column) -> Generator[tuple[Arrow, npt.NDArray[np.int32]]]:
    """Return distinct texts and places among them, for one part of the column after the other.

    The texts are an array, and the values hold no nulls. A file that is encoded so gives each of its batches the same
    dictionary: such batches come as one part, so that it is looked at once.
    """
    parts: list[npt.NDArray[np.int32]] = []
    distinct: Arrow = None
    for chunk in column.chunks:
        array = untyped(chunk)
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        if distinct is not None and not _same(distinct, array.dictionary):
            yield distinct, np.concatenate(parts)
            parts = []
        distinct = array.dictionary
        parts.append(array.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False))
    if distinct is not None:
        yield distinct, np.concatenate(parts)


def _same(one: Arrow, other: Arrow) -> bool:
    """Tell whether two arrays are the same memory."""
    if one is other:
        return True
    if len(one) != len(other) or one.offset != other.offset:
        return False
    addresses = [[buffer.address if buffer else 0 for buffer in array.buffers()] for array in (one, other)]
    return addresses[0] == addresses[1]
