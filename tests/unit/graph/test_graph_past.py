"""Earlier states are loaded once, kept while there is room, and a failure is nobody's for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.errors import StorageError
from aeterna.graph.testing import MemoryLens
from aeterna.graph.usecases.past import PastLenses
from fixtures.fix_graph import ACME

ONE, TWO, THREE = SnapshotId(1), SnapshotId(2), SnapshotId(3)


def test_a_state_is_loaded_once_however_many_ask_at_a_time() -> None:
    past, loads, together = PastLenses(2), list[MemoryLens](), Barrier(4)

    def load() -> MemoryLens:
        loads.append(MemoryLens())
        return loads[-1]

    def ask(_: int) -> object:
        together.wait()
        return past.get(ACME, ONE, load)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))

    assert len(loads) == 1
    assert found == loads * 4


def test_the_least_recently_asked_state_makes_room() -> None:
    past = PastLenses(2)
    first, second = past.get(ACME, ONE, MemoryLens), past.get(ACME, TWO, MemoryLens)
    past.get(ACME, ONE, MemoryLens)
    past.get(ACME, THREE, MemoryLens)

    assert past.get(ACME, ONE, MemoryLens) is first
    assert past.get(ACME, TWO, MemoryLens) is not second


def test_after_a_failure_the_next_one_who_asks_tries_again() -> None:
    past = PastLenses(2)

    def fail() -> MemoryLens:
        raise StorageError("read the graph", "gone")

    with pytest.raises(StorageError):
        past.get(ACME, ONE, fail)

    assert isinstance(past.get(ACME, ONE, MemoryLens), MemoryLens)
