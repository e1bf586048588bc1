"""The numbers behind the ids of nodes: most in one sorted column of Arrow, the recent ones in a dictionary."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from aeterna.graph.adapters.lens.encoding import encoded
from aeterna.graph.adapters.lens.sorted_texts import SortedTexts
from aeterna.graph.domain.arrow import Arrow, pa, pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aeterna.graph.adapters.lens.adjacency import Ints
    from aeterna.graph.domain.arrow import Column

_FOLD_AT_LEAST: Final = 100_000
_FOLD_FRACTION: Final = 4
_MANY: Final = 10_000


class Identifiers:
    """Ids and their numbers, only ever added to: one thread adds while others look up.

    A number of the sorted part is the place in it, unless ``order`` says whose number each place is. A number is
    the id's for as long as this object lives, and in what `folded` makes of it.
    """

    def __init__(self, base: SortedTexts | None = None, order: Ints | None = None) -> None:
        self._base = base or SortedTexts(pa.array([], pa.large_string()))
        self._order = order
        self._place: Ints | None = None
        if order is not None:
            self._place = np.empty(len(order), dtype=np.int32)
            self._place[order] = np.arange(len(order), dtype=np.int32)
        self._recent: list[str] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._base) + len(self._recent)

    def __getitem__(self, number: int) -> str:
        size = len(self._base)
        if number >= size:
            return self._recent[number - size]
        return self._base[number if self._place is None else int(self._place[number])]

    def number(self, text: str) -> int:
        """Return the number of an id, or -1."""
        number = self._numbers.get(text)
        if number is not None:
            return number
        place = self._base.find(text)
        return place if place < 0 or self._order is None else int(self._order[place])

    def numbers(self, texts: Iterable[str]) -> Ints:
        """Return the numbers of ids, -1 for those that have none."""
        asked = list(texts)
        find = self._numbers.get
        numbers = np.fromiter((find(text, -1) for text in asked), dtype=np.int32, count=len(asked))
        rest = np.flatnonzero(numbers < 0)
        numbers[rest] = self._numbers_of_places(self._base.find_all([asked[place] for place in rest.tolist()]))
        return numbers

    def numbered(self, *columns: Column) -> list[Ints]:
        """Return for each column, none of which has nulls, a number for every id, giving new ids the next ones."""
        # Each distinct id of a part is looked up once: an edge column repeats its nodes many times.
        parts = [list(encoded(column)) for column in columns]
        distinct = [[texts.cast(pa.large_string()) for texts, _ in each] for each in parts]
        if sum(len(texts) for each in distinct for texts in each) < _MANY:
            numbers = [[self._added(texts.to_pylist()) for texts in each] for each in distinct]
        else:
            with ThreadPoolExecutor(len(columns)) as pool:  # Arrow needs no lock of Python's
                places = list(pool.map(self._base.index, distinct))
            numbers = [list(map(self._filled, *each)) for each in zip(distinct, places, strict=True)]
        none = np.empty(0, dtype=np.int32)
        return [
            np.concatenate([none, *(of_text[place] for of_text, (_, place) in zip(known, each, strict=True))])
            for known, each in zip(numbers, parts, strict=True)
        ]

    def texts(self, numbers: Ints) -> Arrow:
        """Return the ids of the numbers as an Arrow array."""
        size = len(self._base)
        if len(numbers) == 0 or int(numbers.max()) < size:
            return self._base.array.take(pa.array(numbers if self._place is None else self._place[numbers]))
        old = numbers < size
        places = numbers if self._place is None else self._place[np.where(old, numbers, 0)]
        asked: list[int] = numbers.tolist()
        recent = [None if number < size else self._recent[number - size] for number in asked]
        kept = self._base.array.take(pa.array(places, mask=~old))
        return pc.coalesce(kept, pa.array(recent, pa.large_string()))

    def in_order(self, numbers: Ints) -> Ints:
        """Return the numbers in the order of their ids."""
        if len(numbers) == 0 or int(numbers.max()) < len(self._base):
            if self._order is None or self._place is None:
                return np.sort(numbers)
            return self._order[np.sort(self._place[numbers])]
        return numbers[pc.sort_indices(self.texts(numbers)).to_numpy()]

    def folded(self, size: int) -> Identifiers:
        """Return the same ids below ``size`` with all of them in the sorted part, where that pays, or itself."""
        recent = size - len(self._base)
        if recent < max(_FOLD_AT_LEAST, len(self._base) // _FOLD_FRACTION):
            return self
        texts = pa.concat_arrays([self.texts(np.arange(len(self._base), dtype=np.int32)), self._tail(recent)])
        order = pc.sort_indices(texts).to_numpy().astype(np.int32)
        return Identifiers(SortedTexts(texts.take(pa.array(order))), order)

    def _tail(self, count: int) -> Arrow:
        return pa.array(self._recent[:count], pa.large_string())

    def _numbers_of_places(self, places: Ints) -> Ints:
        if self._order is None:
            return places
        return np.where(places < 0, -1, self._order[places])

    def _filled(self, texts: Arrow, places: Ints) -> Ints:
        """Return the numbers of texts whose places in the sorted part are known; the others get new ones."""
        numbers = self._numbers_of_places(places)
        missing = np.flatnonzero(numbers < 0)
        numbers[missing] = self._added(texts.take(pa.array(missing)).to_pylist())
        return numbers

    def _added(self, texts: Sequence[str]) -> Ints:
        numbers = self.numbers(texts)
        for place in np.flatnonzero(numbers < 0).tolist():
            text = texts[place]
            number = self._numbers.get(text)
            if number is None:
                number = len(self)
                # The text first: a reader that sees the number can always see the text.
                self._recent.append(text)
                self._numbers[text] = number
            numbers[place] = number
        return numbers
