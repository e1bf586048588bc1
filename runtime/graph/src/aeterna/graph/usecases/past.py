"""Earlier states, loaded when somebody asks and kept while there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeAlias

from aeterna.graph.ports import Lens

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.graph.domain.identifiers import TenantId


_Key: TypeAlias = "tuple[TenantId, int, frozenset[str]]"


class PastLenses:
    """The most recently asked earlier states of all tenants; a state is loaded once, however many ask at a time.

    What falls out is forgotten, not closed: somebody may still be reading it.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lenses: OrderedDict[_Key, Future[Lens]] = OrderedDict()
        self._turn = threading.Lock()

    def get(
        self,
        tenant: TenantId,
        seq: int,
        load: Callable[[], Lens],
        *,
        without: frozenset[str] = frozenset(),
    ) -> Lens:
        """Return the state after a seq, loading it unless it is here.

        ``without`` are the erasures that hide something of it: what was loaded before one of them is no longer given.
        """
        key = (tenant, seq, without)
        with self._turn:
            known = self._lenses.get(key)
            mine = known is None
            future = known or Future[Lens]()
            self._lenses[key] = future
            self._lenses.move_to_end(key)
            while len(self._lenses) > self._size:
                self._lenses.popitem(last=False)
        if mine:
            self._fill(key, future, load)
        return future.result()

    def _fill(self, key: _Key, future: Future[Lens], load: Callable[[], Lens]) -> None:
        try:
            future.set_result(load())
        except BaseException as failure:
            # Those who wait learn why; the next one who asks tries again.
            with self._turn:
                if self._lenses.get(key) is future:
                    del self._lenses[key]
            future.set_exception(failure)
            raise
