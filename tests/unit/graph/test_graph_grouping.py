"""Clients that commit one session after another stay one crowd, and upkeep is called when there is something to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.limits import Limits
from aeterna.graph.testing import MemoryGraphStores
from fixtures.fix_graph import ACME, START, GraphBench, ManualStopwatch, PatientExecutor

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.snapshots import Receipt


class _Watched(ManualStopwatch):
    """A stopwatch that lets something happen when it is next looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], object] | None = None

    def __call__(self) -> float:
        then, self.then = self.then, None
        if then is not None:
            then()
        return super().__call__()


def _session(number: int) -> Session:
    return session_of(f"s{number}", subject="ada", nodes=[node_of(f"n{number}", "T")])


def _crowd_of_two() -> tuple[GraphBench, PatientExecutor, _Watched]:
    """Return a bench on which commits take a second."""
    patient, stopwatch = PatientExecutor(), _Watched()

    def clock() -> datetime:
        stopwatch.seconds += 1
        return START

    return (
        GraphBench(stores=MemoryGraphStores(), executor=patient, stopwatch=stopwatch, clock=clock),
        patient,
        stopwatch,
    )


def test_who_was_answered_together_and_comes_back_is_committed_together() -> None:
    """Else each half of a crowd waits for the other half's commit before its own."""
    bench, patient, stopwatch = _crowd_of_two()
    graph = bench.graphs().of(ACME)
    for number in (1, 2):
        graph.submit(_session(number))
    patient.run()
    graph.submit(_session(3))
    stopwatch.then = lambda: graph.submit(_session(4))
    patient.run()

    assert [trace.sessions for _, trace in bench.observer.traces] == [2, 2]


def test_who_comes_back_alone_does_not_wait_for_the_others_for_long() -> None:
    bench, patient, _ = _crowd_of_two()
    graph = bench.graphs().of(ACME)
    for number in (1, 2):
        graph.submit(_session(number))
    patient.run()
    alone = graph.submit(_session(3))
    patient.run()

    assert alone.result(timeout=0).seq == 3


def test_upkeep_is_called_after_so_many_snapshots_when_all_receipts_are_out() -> None:
    called: list[tuple[TenantId, bool]] = []
    patient = PatientExecutor()
    bench = GraphBench(stores=MemoryGraphStores(), executor=patient, limits=Limits(upkeep_every=3))
    futures: list[Future[Receipt]] = []
    bench.upkeep = lambda tenant: called.append((tenant, futures[-1].done()))
    graph = bench.graphs().of(ACME)
    for number in (1, 2, 2, 3, 4, 5, 6):  # the repeated one makes no snapshot
        futures.append(graph.submit(_session(number)))
        patient.run()

    assert called == [(ACME, True), (ACME, True)]
    assert [future.result().seq for future in futures] == [1, 2, 2, 3, 4, 5, 6]
