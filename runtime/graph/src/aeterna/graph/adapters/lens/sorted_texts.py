"""Looking texts up in a sorted column of Arrow without making Python objects of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from aeterna.graph.domain.arrow import Arrow, pa, pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_ONE_BY_ONE: Final = 64  # hashing the whole column costs as much as looking up every 64th of its texts


class SortedTexts:
    """Distinct texts in the order of their UTF-8 bytes, which is the order of Python's texts too."""

    def __init__(self, column: Arrow) -> None:
        """Take over an array of `large_string` without nulls, sorted and distinct."""
        self.array = column
        _, offsets, values = column.buffers()
        begin = column.offset
        self._offsets = memoryview(offsets).cast("q")[begin : begin + len(column) + 1] if offsets else memoryview(b"")
        # Unsigned, or no byte of a text that is not ASCII would be equal to itself.
        self._values = memoryview(values).cast("B") if values else memoryview(b"")

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, place: int) -> str:
        offsets = self._offsets
        return str(self._values[offsets[place] : offsets[place + 1]], "utf-8")

    def find(self, text: str) -> int:
        """Return the place of the text, or -1."""
        wanted = text.encode()
        values, offsets = self._values, self._offsets
        low = self._first_from(wanted)
        if low < len(self.array) and bytes(values[offsets[low] : offsets[low + 1]]) == wanted:
            return low
        return -1

    def find_all(self, texts: Sequence[str]) -> npt.NDArray[np.int32]:
        """Return the place of each text, -1 for those that are not there."""
        if len(texts) * _ONE_BY_ONE < len(self.array):
            return np.fromiter((self.find(text) for text in texts), dtype=np.int32, count=len(texts))
        return self.index([pa.array(texts, pa.large_string())])[0]

    def index(self, columns: Sequence[Arrow]) -> list[npt.NDArray[np.int32]]:
        """Return for each array the place of each of its values, -1 for those that are not there."""
        found: dict[int, npt.NDArray[np.int32]] = {}
        rest: list[int] = []
        for number, column in enumerate(columns):
            # What comes in order, as the sources of sorted edges do, can only be in one stretch of the texts.
            if len(column) and is_sorted(column):
                low = self._first_from(column[0].as_py().encode())
                high = self._first_from(column[-1].as_py().encode()) + 1
                places = _places(column, self.array.slice(low, high - low))
                found[number] = np.where(places < 0, np.int32(-1), places + np.int32(low))
            else:
                rest.append(number)
        if rest:
            # Together, because each look-up begins with a hash table of all texts.
            places = _places(pa.concat_arrays([columns[number] for number in rest]), self.array)
            ends = np.cumsum([len(columns[number]) for number in rest])
            found |= dict(zip(rest, np.split(places, ends[:-1]), strict=True))
        return [found[number] for number in range(len(columns))]

    def _first_from(self, wanted: bytes) -> int:
        """Return the place of the first text that is not less."""
        values, offsets = self._values, self._offsets
        low, high = 0, len(self.array)
        while low < high:
            middle = (low + high) // 2
            if bytes(values[offsets[middle] : offsets[middle + 1]]) < wanted:
                low = middle + 1
            else:
                high = middle
        return low


def _places(column: Arrow, texts: Arrow) -> npt.NDArray[np.int32]:
    places = pc.fill_null(pc.index_in(column, value_set=texts), -1)
    return places.to_numpy(zero_copy_only=False).astype(np.int32)


def is_sorted(column: Arrow) -> bool:
    """Tell whether each text of the array is behind the one before it."""
    return len(column) < 2 or bool(pc.all(pc.less(column[:-1], column[1:])).as_py())  # noqa: PLR2004 - a pair
