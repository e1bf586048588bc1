"""The numbers behind the names: texts get a dense number once and keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from aeterna.graph.domain.arrow import Column, pa, pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aeterna.graph.adapters.adjacency import Ints


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
        if len(column) == 0:
            return np.empty(0, dtype=np.int32)
        # Any: a chunked or a plain array, of which only the plain one has a dictionary.
        encoded: Any = pc.dictionary_encode(column)
        array: Any = pa.concat_arrays(encoded.unify_dictionaries().chunks) if hasattr(encoded, "chunks") else encoded
        of_distinct = self._added(array.dictionary.to_pylist())
        return of_distinct[array.indices.to_numpy(zero_copy_only=False)]

    def _added(self, texts: Sequence[str]) -> Ints:
        for text in texts:
            if text not in self._numbers:
                # The text first: a reader that sees the number can always see the text.
                self.texts.append(text)
                self._numbers[text] = len(self.texts) - 1
        return self.numbers(texts)
