"""What was read lately and is worth keeping for the next who asks: bounded by its bytes, over all tenants."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class RecentReads:
    """Values by key, the least recently used forgotten first; several who ask at a time share one reading.

    A value that would take more than a quarter of the room is
    not kept, and yet shared for as long as somebody holds it.
    """

    def __init__(self, most_bytes: int = 256 << 20) -> None:
        self._most = most_bytes
        self._bytes = 0
        # Any: each key stands for values of one type, which the caller of `get` knows.
        self._kept: OrderedDict[tuple[Hashable, ...], tuple[Any, int]] = OrderedDict()
        self._held: WeakValueDictionary[tuple[Hashable, ...], Any] = WeakValueDictionary()
        self._loading: dict[tuple[Hashable, ...], Future[Any]] = {}
        self._turn = threading.Lock()

    def get(self, key: tuple[Hashable, ...], load: Callable[[], T], size: Callable[[T], int]) -> T:
        """Return the value, loading it unless it is here; raise what loading raises."""
        with self._turn:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
            if (held := self._held.get(key)) is not None:
                return held
            future = self._loading.get(key)
            mine = future is None
            future = self._loading[key] = future or Future()
        if mine:
            self._fill(key, future, load, size)
        return future.result()

    def forget(self, *beginning: Hashable) -> None:
        """Forget every value whose key begins so."""
        with self._turn:
            for key in [key for key in self._kept if key[: len(beginning)] == beginning]:
                self._bytes -= self._kept.pop(key)[1]
            for key in [key for key in self._held if key[: len(beginning)] == beginning]:
                del self._held[key]

    def _fill(
        self, key: tuple[Hashable, ...], future: Future[T], load: Callable[[], T], size: Callable[[T], int]
    ) -> None:
        try:
            value = load()
        except BaseException as failure:
            # Those who wait learn why; the next one who asks tries again.
            with self._turn:
                del self._loading[key]
            future.set_exception(failure)
            raise
        with self._turn:
            del self._loading[key]
            self._keep(key, value, size(value))
        future.set_result(value)

    def _keep(self, key: tuple[Hashable, ...], value: object, size: int) -> None:
        if size > self._most // 4:
            self._held[key] = value
            return
        self._kept[key] = (value, size)
        self._bytes += size
        while self._bytes > self._most:
            _, (_, freed) = self._kept.popitem(last=False)
            self._bytes -= freed
