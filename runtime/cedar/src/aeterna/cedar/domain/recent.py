"""A memory of bounded size: what was not used for longest goes first."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class RecentlyUsed(Generic[K, V]):
    """Remembers values up to a total weight; whatever weighs more than all of it is not remembered."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._weight = 0
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the value and count it as used, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Remember a value under a key that has none yet, in the place of those not used for longest."""
        if weight > self._capacity or key in self._entries:
            return
        self._entries[key] = (value, weight)
        self._weight += weight
        while self._weight > self._capacity:
            self.forget_one()

    def forget_one(self) -> bool:
        """Forget what was not used for longest, and say whether there was anything."""
        if not self._entries:
            return False
        _, (_, freed) = self._entries.popitem(last=False)
        self._weight -= freed
        return True
