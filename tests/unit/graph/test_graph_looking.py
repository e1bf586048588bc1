"""A flood of questions about what is not here yet is no flood of looks at the catalog."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.errors import NotYetVisibleError, StorageError
from aeterna.graph.testing import MemoryGraphStores
from aeterna.graph.usecases.engine import World
from aeterna.graph.usecases.looking import SharedLooks
from fixtures.fix_graph import ACME, GraphBench, ManualStopwatch, PatientExecutor

if TYPE_CHECKING:
    from collections.abc import Callable


class Looking:
    """Looks that can be held open, at a time that a test moves."""

    def __init__(self) -> None:
        self.stopwatch = ManualStopwatch()
        self.pauses: list[float] = []
        self.looks = 0
        self.open = threading.Event()
        self.open.set()
        self.begun = threading.Event()
        self.failure: StorageError | None = None
        world = World(
            clock=lambda: datetime.now(UTC), stopwatch=self.stopwatch, pause=self.pauses.append, chance=lambda: 0.0
        )
        self.shared = SharedLooks(self._look, world)

    def _look(self) -> None:
        self.looks += 1
        self.begun.set()
        assert self.open.wait(10)
        if self.failure is not None:
            raise self.failure


def _threads(count: int, call: Callable[[], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=call, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def _has_asked(thread: threading.Thread) -> bool:
    """Tell whether the thread has noted which looks had begun, so that the next one serves it."""
    frame = sys._current_frames().get(thread.ident or 0)  # pyright: ignore[reportPrivateUsage] - documented, despite its name
    return frame is not None and "known" in frame.f_locals


def test_all_who_ask_while_a_look_is_under_way_share_the_next_one() -> None:
    looking = Looking()
    looking.open.clear()
    (first,) = _threads(1, looking.shared.look)
    assert looking.begun.wait(10)
    crowd = _threads(20, looking.shared.look)
    while not all(_has_asked(thread) for thread in crowd):
        first.join(0.01)  # it cannot end before the look may
    looking.open.set()
    for thread in (first, *crowd):
        thread.join(10)

    # One that was under way, the one that they share, and perhaps one for who was late.
    assert looking.looks <= 3


def test_a_look_that_began_before_the_question_does_not_answer_it() -> None:
    looking = Looking()
    looking.shared.look()
    looking.shared.look()

    assert looking.looks == 2


def test_looks_begin_twenty_milliseconds_apart() -> None:
    looking = Looking()
    looking.shared.look()
    looking.stopwatch.seconds = 0.005
    looking.shared.look()
    looking.stopwatch.seconds = 1.0
    looking.shared.look()

    assert looking.pauses == [pytest.approx(0.015)]


def test_who_shares_a_look_shares_its_failure_and_the_next_look_is_another() -> None:
    looking = Looking()
    looking.failure = StorageError("read the catalog", "gone")
    with pytest.raises(StorageError):
        looking.shared.look()
    looking.failure = None
    looking.shared.look()

    assert looking.looks == 2


def test_a_token_of_the_future_is_refused_with_what_there_is() -> None:
    patient = PatientExecutor()
    graph = GraphBench(stores=MemoryGraphStores(), executor=patient).graphs().of(ACME)
    graph.submit(session_of("s", subject="ada", nodes=[node_of("a", "T")]))
    patient.run()

    with pytest.raises(NotYetVisibleError) as refused:
        graph.statistics(at_least=7)

    assert (refused.value.seq, refused.value.newest) == (7, 1)
    assert graph.statistics(at_least=1).nodes == 1
