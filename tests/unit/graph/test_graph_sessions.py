"""What becomes of sessions: written in order, whole or not at all, once."""

from __future__ import annotations

from concurrent.futures import CancelledError
from datetime import datetime, timedelta

import pytest

from aeterna.graph.domain.changes import edge_key_of, edge_of, node_of, removed_node_of, session_of
from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.domain.limits import Limits
from aeterna.graph.domain.queries import neighbors_query
from aeterna.graph.errors import (
    CommitConflictError,
    GraphBusyError,
    GraphClosedError,
    InvalidQueryError,
    NodeNotFoundError,
    SessionConflictError,
    SnapshotNotFoundError,
    StorageFullError,
    UnknownNodeError,
)
from aeterna.graph.testing import MemoryGraphStores
from fixtures.fix_graph import ACME, START, GraphBench, PatientExecutor

A, B, C = node_of("a", "T"), node_of("b", "T"), node_of("c", "T")
AB, BC = edge_of("a", "t", "b"), edge_of("b", "t", "c")
CREATE = session_of("create", subject="ada", nodes=[A, B, C], edges=[AB, BC])


@pytest.fixture
def patient() -> PatientExecutor:
    return PatientExecutor()


@pytest.fixture
def stores() -> MemoryGraphStores:
    return MemoryGraphStores()


@pytest.fixture
def bench(stores: MemoryGraphStores, patient: PatientExecutor) -> GraphBench:
    return GraphBench(stores=stores, executor=patient)


def test_sessions_that_wait_together_become_one_snapshot(bench: GraphBench, patient: PatientExecutor) -> None:
    graph = bench.graphs().of(ACME)
    futures = [
        graph.submit(session_of(f"s{number}", subject="ada", nodes=[node_of(f"n{number}", "T")])) for number in range(5)
    ]
    patient.run()

    receipts = [future.result() for future in futures]
    assert [receipt.seq for receipt in receipts] == [1, 2, 3, 4, 5]
    assert len({receipt.snapshot_id for receipt in receipts}) == 1
    assert [trace.sessions for _, trace in bench.observer.traces] == [5]


def test_a_group_has_a_limit_and_the_rest_is_the_next_group(bench: GraphBench, patient: PatientExecutor) -> None:
    bench.limits = Limits(group_sessions=2)
    graph = bench.graphs().of(ACME)
    for number in range(5):
        graph.submit(session_of(f"s{number}", subject="ada", nodes=[node_of(f"n{number}", "T")]))
    patient.run()

    assert [trace.sessions for _, trace in bench.observer.traces] == [2, 2, 1]


def test_receipt_times_rise_even_when_the_clock_does_not(bench: GraphBench, patient: PatientExecutor) -> None:
    """As-of a receipt's time has to mean exactly the history up to it."""
    bench.clock = lambda: START
    graph = bench.graphs().of(ACME)
    futures = [
        graph.submit(session_of(f"s{number}", subject="ada", nodes=[node_of(f"n{number}", "T")])) for number in range(3)
    ]
    patient.run()

    times = [future.result().committed_at for future in futures]
    assert times == sorted(set(times))


def test_an_edge_to_an_unknown_node_refuses_its_whole_session_and_no_other(
    bench: GraphBench, patient: PatientExecutor
) -> None:
    graph = bench.graphs().of(ACME)
    good = graph.submit(session_of("good", subject="ada", nodes=[A]))
    bad = graph.submit(session_of("bad", subject="ada", nodes=[B], edges=[AB, BC]))
    also_good = graph.submit(session_of("also", subject="ada", nodes=[C]))
    patient.run()

    assert (good.result().seq, also_good.result().seq) == (1, 2)
    refusal = bad.exception()
    assert isinstance(refusal, UnknownNodeError)
    assert refusal.nodes == ("c",)
    with pytest.raises(NodeNotFoundError):
        graph.node(NodeId("b"))


def test_a_session_builds_on_those_before_it_in_the_same_group(bench: GraphBench, patient: PatientExecutor) -> None:
    graph = bench.graphs().of(ACME)
    graph.submit(session_of("1", subject="ada", nodes=[A, B]))
    edge = graph.submit(session_of("2", subject="ada", edges=[AB]))
    removal = graph.submit(session_of("3", subject="ada", removed_nodes=[removed_node_of("b")]))
    too_late = graph.submit(session_of("4", subject="ada", edges=[AB]))
    patient.run()

    assert edge.result().edges == 1
    assert (removal.result().nodes, removal.result().edges) == (1, 1)
    assert isinstance(too_late.exception(), UnknownNodeError)


def test_removing_a_node_removes_its_edges(bench: GraphBench, patient: PatientExecutor) -> None:
    graph = bench.graphs().of(ACME)
    graph.submit(CREATE)
    patient.run()
    removal = graph.submit(session_of("remove", subject="ada", removed_nodes=[removed_node_of("b")]))
    patient.run()

    assert (removal.result().nodes, removal.result().edges) == (1, 2)
    assert (graph.statistics().nodes, graph.statistics().edges) == (2, 0)


def test_removing_what_is_not_there_writes_only_that_the_session_was(
    bench: GraphBench, patient: PatientExecutor
) -> None:
    graph = bench.graphs().of(ACME)
    removal = session_of(
        "remove", subject="ada", removed_nodes=[removed_node_of("x")], removed_edges=[edge_key_of("x", "t", "y")]
    )
    future = graph.submit(removal)
    patient.run()

    assert (future.result().nodes, future.result().edges) == (0, 0)


def test_the_same_session_again_is_the_same_snapshot(bench: GraphBench, patient: PatientExecutor) -> None:
    graph = bench.graphs().of(ACME)
    first = graph.submit(CREATE)
    twin = graph.submit(CREATE)
    patient.run()
    later = bench.graphs().of(ACME).submit(CREATE)
    patient.run()

    assert not first.result().repeated
    for again in (twin.result(), later.result()):
        assert again.repeated
        assert (again.snapshot_id, again.seq, again.committed_at) == (
            first.result().snapshot_id,
            first.result().seq,
            first.result().committed_at,
        )
    assert graph.statistics().seq == 1


def test_the_same_id_with_other_content_is_a_conflict(bench: GraphBench, patient: PatientExecutor) -> None:
    graph = bench.graphs().of(ACME)
    other = session_of("create", subject="ada", nodes=[A])
    graph.submit(CREATE)
    at_once = graph.submit(other)
    patient.run()
    later = graph.submit(other)
    patient.run()

    assert isinstance(at_once.exception(), SessionConflictError)
    assert isinstance(later.exception(), SessionConflictError)


def test_a_lost_answer_is_settled_and_the_session_written_once(
    bench: GraphBench, stores: MemoryGraphStores, patient: PatientExecutor
) -> None:
    graph = bench.graphs().of(ACME)
    stores.lose_answers()
    future = graph.submit(CREATE)
    patient.run()

    assert future.result().seq == 1
    assert [snapshot.id for snapshot in graph.snapshots(10)] == [future.result().snapshot_id]
    assert graph.statistics().nodes == 3


def test_full_storage_refuses_the_session_and_later_ones_are_written(
    bench: GraphBench, stores: MemoryGraphStores, patient: PatientExecutor
) -> None:
    graph = bench.graphs().of(ACME)
    stores.refuse(StorageFullError("write the session", "no space"))
    refused = graph.submit(CREATE)
    patient.run()
    again = graph.submit(CREATE)
    patient.run()

    assert isinstance(refused.exception(), StorageFullError)
    assert (again.result().seq, again.result().repeated) == (1, False)
    assert [trace.error for _, trace in bench.observer.traces] == ["graph.storage_full", None]


def test_a_writer_that_lost_tries_again_on_the_new_head(bench: GraphBench, patient: PatientExecutor) -> None:
    mine, theirs = bench.graphs().of(ACME), bench.graphs().of(ACME)
    mine.submit(session_of("1", subject="ada", nodes=[A]))
    patient.run()
    theirs.submit(session_of("2", subject="ada", nodes=[B]))
    patient.run()
    future = mine.submit(session_of("3", subject="ada", edges=[AB]))
    patient.run()

    assert future.result().seq == 3
    assert bench.observer.traces[-1][1].retries == 1
    assert len(bench.pauses) == 1


def test_a_writer_that_always_loses_says_so(
    bench: GraphBench, stores: MemoryGraphStores, patient: PatientExecutor
) -> None:
    bench.limits = Limits(commit_attempts=3)
    for _ in range(3):
        stores.refuse(CommitConflictError("commit", "another was first"))
    future = bench.graphs().of(ACME).submit(CREATE)
    patient.run()

    assert isinstance(future.exception(), CommitConflictError)


def test_too_many_waiting_sessions_are_turned_away_and_told_when_to_come_back(
    bench: GraphBench, patient: PatientExecutor
) -> None:
    bench.limits = Limits(waiting_sessions=2)
    graph = bench.graphs().of(ACME)
    waiting = [graph.submit(session_of(f"s{number}", subject="ada", nodes=[A])) for number in range(2)]

    with pytest.raises(GraphBusyError) as busy:
        graph.submit(CREATE)

    assert busy.value.retry_after >= timedelta(seconds=1)
    patient.run()
    assert all(future.result() for future in waiting)
    graph.submit(CREATE)


def test_large_waiting_sessions_are_counted_by_their_size(bench: GraphBench) -> None:
    bench.limits = Limits(waiting_chars=2_000)
    graph = bench.graphs().of(ACME)
    graph.submit(session_of("1", subject="ada", nodes=[node_of("a", "T", {"x": "y" * 1_500})]))

    with pytest.raises(GraphBusyError):
        graph.submit(session_of("2", subject="ada", nodes=[node_of("b", "T", {"x": "y" * 1_500})]))


def test_a_session_that_nobody_waits_for_any_more_is_not_written(bench: GraphBench, patient: PatientExecutor) -> None:
    graph = bench.graphs().of(ACME)
    given_up = graph.submit(CREATE)
    given_up.cancel()
    patient.run()

    with pytest.raises(CancelledError):
        given_up.result()
    assert graph.statistics().nodes == 0


def test_closing_commits_what_waits_and_takes_nothing_more(memory_bench: GraphBench) -> None:
    graphs = memory_bench.graphs()
    graph = graphs.of(ACME)
    futures = [graph.submit(session_of(f"s{number}", subject="ada", nodes=[A])) for number in range(50)]

    graphs.close()

    assert sorted(future.result(timeout=0).seq for future in futures) == list(range(1, 51))
    with pytest.raises(GraphClosedError):
        graph.submit(CREATE)
    with pytest.raises(GraphClosedError):
        graphs.of(ACME)


def test_another_process_is_seen_when_the_last_look_is_old(bench: GraphBench, patient: PatientExecutor) -> None:
    reader, writer = bench.graphs().of(ACME), bench.graphs().of(ACME)
    assert reader.statistics().nodes == 0
    writer.submit(CREATE)
    patient.run()

    assert reader.statistics().nodes == 0
    bench.stopwatch.seconds += 2
    assert reader.statistics().nodes == 3


def test_a_reader_that_names_a_snapshot_sees_it_at_once_from_any_process(
    bench: GraphBench, patient: PatientExecutor
) -> None:
    reader, writer = bench.graphs().of(ACME), bench.graphs().of(ACME)
    reader.statistics()
    future = writer.submit(CREATE)
    patient.run()

    assert reader.statistics(at_least=future.result().seq).nodes == 3


def test_earlier_states_are_read_by_snapshot_and_by_time(bench: GraphBench, patient: PatientExecutor) -> None:
    graph = bench.graphs().of(ACME)
    first = graph.submit(CREATE)
    patient.run()
    second = graph.submit(session_of("2", subject="ada", removed_nodes=[removed_node_of("b")]))
    patient.run()
    before, after = first.result(), second.result()

    for as_of in (before.snapshot_id, before.committed_at, after.committed_at - timedelta(microseconds=1)):
        assert graph.statistics(as_of=as_of).nodes == 3
    for as_of in (after.snapshot_id, after.committed_at, after.committed_at + timedelta(days=9)):
        assert graph.statistics(as_of=as_of).nodes == 2
    with pytest.raises(SnapshotNotFoundError):
        graph.statistics(as_of=before.committed_at - timedelta(microseconds=1))
    with pytest.raises(SnapshotNotFoundError):
        graph.statistics(as_of=type(before.snapshot_id)(999))


def test_pages_stay_in_the_snapshot_of_the_first(bench: GraphBench, patient: PatientExecutor) -> None:
    graph = bench.graphs().of(ACME)
    star = [edge_of("a", "t", f"n{number}") for number in range(4)]
    graph.submit(
        session_of("1", subject="ada", nodes=[A, *(node_of(edge.key.target, "T") for edge in star)], edges=star)
    )
    patient.run()
    query = neighbors_query("a", limit=2)
    first, cursor = graph.neighbors(query)
    graph.submit(session_of("2", subject="ada", removed_nodes=[removed_node_of("n2")]))
    patient.run()
    second, end = graph.neighbors(query, cursor=cursor)

    assert [node.id for node in (*first.nodes, *second.nodes)] == ["n0", "n1", "n2", "n3"]
    assert second.seq == first.seq
    assert end is None
    with pytest.raises(InvalidQueryError, match="leave as_of away"):
        graph.neighbors(query, cursor=cursor, as_of=START)


def test_tenants_that_were_not_used_for_long_are_forgotten_and_come_back(
    bench: GraphBench, patient: PatientExecutor
) -> None:
    bench.limits = Limits(open_tenants=2)
    graphs = bench.graphs()
    tenants = [type(ACME)(f"tenant-{number}") for number in range(4)]
    first = graphs.of(tenants[0])
    for tenant in tenants:
        graphs.of(tenant).submit(session_of("s", subject="ada", nodes=[A]))
        patient.run()

    assert graphs.of(tenants[0]) is not first
    assert graphs.of(tenants[0]).statistics().nodes == 1


def test_a_failure_that_nobody_foresaw_reaches_everyone_who_waits() -> None:
    """A waiter that is never told would hold its request for ever."""

    def broken_clock() -> datetime:
        raise ZeroDivisionError

    future = GraphBench(stores=MemoryGraphStores(), clock=broken_clock).graphs().of(ACME).submit(CREATE)

    assert isinstance(future.exception(timeout=10), ZeroDivisionError)
