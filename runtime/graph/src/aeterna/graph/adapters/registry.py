"""The numbers behind the names: texts get a dense number once and keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aeterna.graph.domain.arrow import untyped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aeterna.graph.adapters.adjacency import Ints
    from aeterna.graph.domain.arrow import Column


class Registry:
    """Texts and their numbers, only ever added to: one thread adds while others look up."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def number(self, text: str) -> int | None:
        """Return the number of a text that has one."""
        return self._numbers.get(text)

    def numbers(self, texts: Iterable[str]) -> Ints:
        """Return the numbers of texts, -1 for those that have none."""
        find = self._numbers.get
        return np.fromiter((find(text, -1) for text in texts), dtype=np.int32)

    def numbered(self, column: Column) -> Ints:
        """Return a number for every text of a column without nulls, giving new texts the next ones."""
        # Each distinct text of a chunk is looked up once: an edge column repeats its nodes many times.
        encoded = [untyped(chunk).dictionary_encode() for chunk in column.chunks]
        parts = [
            self._added(chunk.dictionary.to_numpy(zero_copy_only=False).tolist())[chunk.indices.to_numpy()]
            for chunk in encoded
        ]
        return np.concatenate([np.empty(0, dtype=np.int32), *parts])

    def _added(self, texts: Sequence[str]) -> Ints:
        numbers = np.empty(len(texts), dtype=np.int32)
        find, known = self._numbers.get, self.texts
        for place, text in enumerate(texts):
            number = find(text)
            if number is None:
                number = len(known)
                # The text first: a reader that sees the number can always see the text.
                known.append(text)
                self._numbers[text] = number
            numbers[place] = number
        return numbers
