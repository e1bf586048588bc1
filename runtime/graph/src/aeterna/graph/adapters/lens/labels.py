"""The numbers behind kinds and types: a label gets a dense number once and keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aeterna.graph.adapters.lens.encoding import encoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aeterna.graph.adapters.lens.adjacency import Bools, Ints
    from aeterna.graph.domain.arrow import Column


class Labels:
    """Labels and their numbers, only ever added to: one thread adds while others look up."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def numbers(self, labels: Iterable[str]) -> Ints:
        """Return the numbers of labels, -1 for those that have none."""
        find = self._numbers.get
        return np.fromiter((find(label, -1) for label in labels), dtype=np.int32)

    def numbered(self, column: Column) -> Ints:
        """Return a number for every label of a column without nulls, giving new ones the next, in their order."""
        parts = [(distinct.to_pylist(), places) for distinct, places in encoded(column)]
        self._add(sorted({label for labels, _ in parts for label in labels}))
        return np.concatenate(
            [np.empty(0, dtype=np.int32), *(self.numbers(labels)[places] for labels, places in parts)]
        )

    def wanted(self, labels: Iterable[str]) -> Bools | None:
        """Return which numbers are meant; None, which is what no labels mean, is all of them."""
        asked = list(labels)
        if not asked:
            return None
        numbers = self.numbers(asked)
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[numbers[numbers >= 0]] = True
        return chosen

    def _add(self, labels: list[str]) -> None:
        for label in labels:
            if label not in self._numbers:
                # The text first: a reader that sees the number can always see the text.
                self.texts.append(label)
                self._numbers[label] = len(self.texts) - 1
