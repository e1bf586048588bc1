"""The properties of nodes or edges by their numbers: texts in Arrow, as they were read, and which of them is whose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from aeterna.graph.adapters.lens.adjacency import Ints
from aeterna.graph.adapters.lens.encoding import encoded
from aeterna.graph.domain.arrow import Arrow, pa, pc, untyped
from aeterna.graph.domain.arrow import Column as ArrowColumn
from aeterna.graph.domain.changes import NO_PROPERTIES

if TYPE_CHECKING:
    from aeterna.graph.adapters.lens.adjacency import Bools
    from aeterna.graph.adapters.lens.columns import Column
    from aeterna.graph.domain.identifiers import Json

_NONE: Final = -1  # the row of what has no properties: most edges
_GROWTH: Final = 4
_SLACK: Final = 100_000  # texts; sweeping fewer is not worth its time


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """``rows`` says by number which text counts, over all ``texts`` in a row, or that there are no properties.

    A text that was replaced stays until there are more such texts than others.
    """

    texts: tuple[Arrow, ...] = ()  # arrays
    rows: Ints

    @classmethod
    def none(cls) -> Properties:
        """Return those of nothing."""
        return cls(rows=np.empty(0, dtype=np.int32))

    @classmethod
    def read(cls, column: ArrowColumn) -> Properties:
        """Take the properties of everything from a column, without copying the texts."""
        texts: list[Arrow] = []
        rows = [np.empty(0, dtype=np.int32)]
        size = 0
        for chunk in column.chunks:
            bare = _bare(chunk)
            kept = untyped(chunk) if not bare.any() else untyped(chunk).filter(pa.array(~bare))
            kept = kept.cast(pa.large_string())
            rows.append(np.where(bare, np.int32(_NONE), (np.cumsum(~bare) + (size - 1)).astype(np.int32)))
            size += len(kept)
            texts.append(kept)
        return cls(texts=tuple(texts), rows=np.concatenate(rows))

    def any(self) -> bool:
        """Tell whether anything has properties, or had until lately."""
        return any(len(each) for each in self.texts)

    def at(self, numbers: Ints) -> list[Json]:
        """Return the properties of each number."""
        rows = self.rows[numbers]
        begins = self._begins()
        places = np.searchsorted(begins, rows, side="right") - 1
        return [
            NO_PROPERTIES if row < 0 else self.texts[place][row - int(begins[place])].as_py()
            for row, place in zip(rows.tolist(), places.tolist(), strict=True)
        ]

    def column(self, numbers: Ints) -> Arrow:
        """Return the properties of each number as an Arrow array; a dictionary where most have none."""
        rows = self.rows[numbers]
        texts = pa.chunked_array([pa.array([NO_PROPERTIES], pa.large_string()), *self.texts])
        if int((rows < 0).sum()) * 2 > len(rows):
            kept = np.flatnonzero(rows >= 0)
            places = np.zeros(len(rows), dtype=np.int32)
            places[kept] = np.arange(1, len(kept) + 1, dtype=np.int32)
            wanted = np.append(np.int32(_NONE), rows[kept]) + 1
            return pa.DictionaryArray.from_arrays(places, texts.take(pa.array(wanted)).combine_chunks())
        found = texts.take(pa.array(rows + 1)).combine_chunks()
        return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)

    def replaced(self, numbers: Ints, values: ArrowColumn, size: int, memory: Column[np.int32]) -> Properties:
        """Return the properties of ``size`` things after some were written; ``values`` are those of the numbers."""
        if len(numbers) == 0:
            return Properties(texts=self.texts, rows=memory.changed(self.rows, size, numbers, numbers))
        new = Properties.read(values)
        count = int(sum(len(each) for each in self.texts))
        rows = np.where(new.rows < 0, new.rows, new.rows + np.int32(count))
        grown = memory.changed(self.rows, size, numbers, rows)
        added = Properties(texts=_merged([*self.texts, *(each for each in new.texts if len(each))]), rows=grown)
        return added if count + len(numbers) < _SLACK + 2 * size else added._swept()

    def _swept(self) -> Properties:
        """Return the same properties without the texts that are nobody's."""
        kept = np.flatnonzero(self.rows >= 0)
        rows = np.full(len(self.rows), _NONE, dtype=np.int32)
        rows[kept] = np.arange(len(kept), dtype=np.int32)
        texts = pa.chunked_array(list(self.texts)).take(pa.array(self.rows[kept]))
        return Properties(texts=tuple(texts.chunks), rows=rows)

    def _begins(self) -> Ints:
        return np.cumsum([0, *(len(each) for each in self.texts)]).astype(np.int32)


def _bare(chunk: object) -> Bools:
    if not pa.types.is_dictionary(untyped(chunk).type):
        return pc.equal(pc.fill_null(chunk, NO_PROPERTIES), NO_PROPERTIES).to_numpy(zero_copy_only=False)
    parts = encoded(pc.fill_null(pa.chunked_array([chunk]), NO_PROPERTIES))
    return np.concatenate(
        [
            np.empty(0, dtype=np.bool_),
            *(pc.equal(texts, NO_PROPERTIES).to_numpy(zero_copy_only=False)[places] for texts, places in parts),
        ]
    )


def _merged(texts: list[Arrow]) -> tuple[Arrow, ...]:
    """Join neighbours of about the same size: rows keep their numbers, and there are few arrays to look in."""
    while len(texts) > 1 and len(texts[-2]) < _GROWTH * len(texts[-1]):
        last = texts.pop()
        texts[-1] = pa.concat_arrays([texts[-1], last])
    return tuple(texts)
