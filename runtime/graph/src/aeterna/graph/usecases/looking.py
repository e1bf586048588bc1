"""Looks at a catalog that many ask for at once: shared by all who wait, and only so many in a second."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from aeterna.graph.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.graph.usecases.engine import World

_LEAST_SECONDS: Final = 0.02  # between the beginnings of two looks


class SharedLooks:
    """Lets any number of threads wait for a look that began after they asked.

    A token that this replica does not know yet costs a look at the catalog; a flood of them costs no more than one
    look in 20 ms, because everybody who waits while one is under way shares the next.
    """

    def __init__(self, look: Callable[[], None], world: World) -> None:
        self._look = look
        self._world = world
        self._turn = threading.Lock()
        self._begun = 0  # how many looks have begun
        self._begun_at: float | None = None
        self._failure: GraphError | None = None  # of the last one

    def look(self) -> None:
        """Return when a look has ended that began after this call; raise what it raised."""
        known = self._begun
        with self._turn:
            if self._begun == known:
                self._take_one()
            if self._failure is not None:
                raise self._failure

    def _take_one(self) -> None:
        now = self._world.stopwatch()
        if self._begun_at is not None and (early := self._begun_at + _LEAST_SECONDS - now) > 0:
            self._world.pause(early)
        # Counted when it begins: whoever asks from here on may miss what it sees, so is not served by it.
        self._begun, self._begun_at, self._failure = self._begun + 1, self._world.stopwatch(), None
        try:
            self._look()
        except GraphError as failure:
            self._failure = failure
