"""Several processes write one tenant: they take turns, and who comes back from the dead writes nothing of the past."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.limits import Limits
from aeterna.graph.errors import CommitUncertainError, StorageError
from aeterna.graph.testing import MemoryGraphStore, MemoryGraphStores
from aeterna.graph.testing.leases import MemoryWriterLeases, SharedLeases
from fixtures.fix_graph import ACME, GraphBench, PatientExecutor

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.snapshots import Receipt, Snapshot


def _session(id_: str) -> Session:
    return session_of(id_, subject="ada", nodes=[node_of(f"n:{id_}", "T")])


@pytest.fixture
def patient() -> PatientExecutor:
    return PatientExecutor()


@pytest.fixture
def bench(patient: PatientExecutor) -> GraphBench:
    shared = SharedLeases()
    return GraphBench(
        stores=MemoryGraphStores(), executor=patient, new_leases=lambda: MemoryWriterLeases(shared), limits=Limits()
    )


def _epochs(bench: GraphBench) -> list[int]:
    return [snapshot.epoch for snapshot in bench.stores.open(ACME).snapshots()]


def test_processes_that_take_turns_lose_no_commit(bench: GraphBench, patient: PatientExecutor) -> None:
    left, right = bench.graphs().of(ACME), bench.graphs().of(ACME)
    futures: list[Future[Receipt]] = []
    for turn in range(3):
        for name, graph in (("left", left), ("right", right)):
            futures.append(graph.submit(_session(f"{name}{turn}")))
            patient.run()

    assert [future.result().seq for future in futures] == [1, 2, 3, 4, 5, 6]
    assert [trace.retries for _, trace in bench.observer.traces] == [0] * 6
    assert _epochs(bench) == [1, 2, 3, 4, 5, 6]


def test_a_process_alone_stays_in_its_epoch(bench: GraphBench, patient: PatientExecutor) -> None:
    graph = bench.graphs().of(ACME)
    for number in range(3):
        graph.submit(_session(f"s{number}"))
        patient.run()

    assert _epochs(bench) == [1, 1, 1]
    assert [trace.epoch for _, trace in bench.observer.traces] == [1, 1, 1]


class _StealingLeases(MemoryWriterLeases):
    """Loses the lease while a commit is under way, and lets the successor commit before going on."""

    def __init__(self, shared: SharedLeases) -> None:
        super().__init__(shared)
        self.successor = lambda: None

    @contextlib.contextmanager
    def holding(self, tenant: TenantId, *, not_below: int = 0) -> Generator[int | None]:
        with super().holding(tenant, not_below=not_below) as epoch:
            successor, self.successor = self.successor, lambda: None
            self.steal(tenant)
            successor()
            yield epoch


def test_a_holder_that_was_thought_dead_writes_nothing_once_its_successor_has(bench: GraphBench) -> None:
    """Its commit is refused by the parent; its next attempt, on the new head, by its own old epoch."""
    shared = SharedLeases()
    leases = _StealingLeases(shared)
    patient, others = PatientExecutor(), PatientExecutor()
    bench.new_leases, bench.executor = lambda: leases, patient
    zombie = bench.graphs().of(ACME)
    zombie.submit(_session("first"))
    patient.run()
    bench.new_leases, bench.executor = lambda: MemoryWriterLeases(shared), others
    heir = bench.graphs().of(ACME)

    def inherit() -> None:
        heir.submit(_session("heir"))
        others.run()

    leases.successor = inherit
    late = zombie.submit(_session("late"))
    patient.run()

    assert late.result().seq == 3
    epochs = _epochs(bench)
    assert epochs == sorted(epochs)
    assert bench.observer.traces[1][1].retries >= 1


def test_a_history_that_is_ahead_of_the_leases_is_written_on(bench: GraphBench, patient: PatientExecutor) -> None:
    """The table of leases may be lost or restored from an older backup than the tables."""
    for _ in range(3):
        bench.graphs().of(ACME).submit(_session(f"s{len(_epochs(bench))}"))
        patient.run()
    bench.new_leases = lambda: MemoryWriterLeases(SharedLeases())
    future = bench.graphs().of(ACME).submit(_session("after"))
    patient.run()

    assert future.result().seq == 4
    assert _epochs(bench) == [1, 2, 3, 4]


def test_readers_go_on_while_a_writer_waits_for_its_turn() -> None:
    shared = SharedLeases()
    bench = GraphBench(stores=MemoryGraphStores(), new_leases=lambda: MemoryWriterLeases(shared))
    writer, other = bench.graphs(), MemoryWriterLeases(shared)
    bench.stopwatch.seconds += 1
    with other.holding(ACME):
        waiting = writer.of(ACME).submit(_session("s"))
        read = threading.Thread(target=lambda: writer.of(ACME).statistics(), daemon=True)
        read.start()
        read.join(10)

        assert not read.is_alive()
        assert not waiting.done()
    assert waiting.result(10).seq == 1
    writer.close()


class _Forgetful(MemoryGraphStore):
    """Cannot say what became of a commit."""

    def settled(self, batch_id: str) -> Snapshot | None:
        raise StorageError("read the catalog", f"nobody answers for {batch_id}")


def test_when_nobody_can_tell_the_answer_says_so_and_the_same_session_is_written_once(
    bench: GraphBench, patient: PatientExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = bench.stores
    assert isinstance(stores, MemoryGraphStores)
    graph = bench.graphs().of(ACME)
    with monkeypatch.context() as lost:
        lost.setattr(MemoryGraphStore, "settled", _Forgetful.settled)
        stores.lose_answers()
        uncertain = graph.submit(_session("s"))
        patient.run()
    again = graph.submit(_session("s"))
    patient.run()

    assert isinstance(uncertain.exception(), CommitUncertainError)
    assert (again.result().seq, again.result().repeated) == (1, True)
