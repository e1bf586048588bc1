"""What was read lately and is worth keeping for the next who asks: bounded by its bytes, over all tenants."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class RecentReads:
    """Values by key, the least recently used forgotten first; several who ask at a time share one reading.

    A value that would take more than a quarter of the room is handed out and not kept.
    """

    def __init__(self, most_bytes: int = 256 << 20) -> None:
        self._most = most_bytes
        self._bytes = 0
        # Any: each key stands for values of one type, which the caller of `get` knows.
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._loading: dict[Hashable, Future[Any]] = {}
        self._turn = threading.Lock()

    def get(self, key: Hashable, load: Callable[[], T], size: Callable[[T], int]) -> T:
        """Return the value, loading it unless it is here; raise what loading raises."""
        with self._turn:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
            future = self._loading.get(key)
            mine = future is None
            future = self._loading[key] = future or Future()
        if not mine:
            return future.result()
        try:
            value = load()
        except BaseException as failure:
            with self._turn:
                del self._loading[key]
            future.set_exception(failure)
            raise
        with self._turn:
            del self._loading[key]
            self._keep(key, value, size(value))
        future.set_result(value)
        return value

    def _keep(self, key: Hashable, value: object, size: int) -> None:
        if size > self._most // 4:
            return
        self._kept[key] = (value, size)
        self._bytes += size
        while self._bytes > self._most:
            _, (_, freed) = self._kept.popitem(last=False)
            self._bytes -= freed
