"""Following other processes: who is brought forward, when, and how far behind a graph is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.errors import StorageError
from aeterna.graph.testing import MemoryGraphStores
from aeterna.graph.testing.notices import MemoryNotices, NoticeBoard
from aeterna.graph.usecases.replica import Replica
from fixtures.fix_graph import ACME, GraphBench, ManualStopwatch, PatientExecutor

OTHER = TenantId("other")
NEVER = timedelta(days=1)


@dataclass
class Following:
    """A graph of which a test decides what the catalog says and whether it can be read."""

    shown_seq: int = 1
    known_seq: int = 1
    head: int = 1
    broken: bool = False
    looks: int = 0

    def refresh(self, seq: int | None = None) -> None:
        """Look, and follow unless that is broken."""
        del seq
        self.looks += 1
        self.known_seq = self.head
        if self.broken:
            raise StorageError("read the graph", "gone")
        self.shown_seq = self.head


@dataclass
class Bench:
    """A replica of open graphs on fakes, whose threads run when a test says so."""

    graphs: dict[TenantId, Following] = field(default_factory=lambda: {ACME: Following()})
    board: NoticeBoard = field(default_factory=NoticeBoard)
    stopwatch: ManualStopwatch = field(default_factory=ManualStopwatch)
    executor: PatientExecutor = field(default_factory=PatientExecutor)

    def replica(self) -> Replica:
        """Return a replica that follows."""
        replica = Replica(opened=lambda: self.graphs, notices=MemoryNotices(self.board), stopwatch=self.stopwatch)
        replica.start(NEVER, self.executor)
        return replica

    def notice(self, seq: int, tenant: TenantId = ACME) -> None:
        """Tell everybody of a seq."""
        MemoryNotices(self.board).publish(tenant, seq)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_commit_elsewhere_is_shown_without_being_asked_for() -> None:
    stores, board, executor = MemoryGraphStores(), NoticeBoard(), PatientExecutor()
    here, there = (GraphBench(stores=stores, new_notices=lambda: MemoryNotices(board)).graphs() for _ in range(2))
    assert here.of(ACME).statistics().seq == 0
    here.replica.start(NEVER, executor)

    there.of(ACME).commit(session_of("s", subject="ada", nodes=[node_of("n", "Thing", {})]))
    executor.run()

    shown = here.of(ACME).shown_seq
    here.replica.close()
    assert shown == 1


def test_a_notice_about_a_graph_that_is_not_open_costs_nothing(bench: Bench) -> None:
    replica = bench.replica()

    bench.notice(7, OTHER)
    bench.executor.run()

    replica.close()
    assert bench.graphs[ACME].looks == 0


def test_a_notice_about_what_is_shown_already_costs_nothing(bench: Bench) -> None:
    replica = bench.replica()

    bench.notice(1)
    bench.executor.run()

    replica.close()
    assert bench.graphs[ACME].looks == 0


def test_notices_that_come_while_a_look_waits_share_it(bench: Bench) -> None:
    replica = bench.replica()
    bench.graphs[ACME].head = 4

    for seq in (2, 3, 4):
        bench.notice(seq)
    bench.executor.run()

    replica.close()
    assert (bench.graphs[ACME].looks, bench.graphs[ACME].shown_seq) == (1, 4)


def test_a_graph_is_behind_from_the_notice_until_its_readers_see_it(bench: Bench) -> None:
    replica = bench.replica()
    bench.graphs[ACME].head = 3
    bench.notice(3)
    bench.stopwatch.seconds = 4

    behind = replica.lag()
    bench.executor.run()
    after = replica.lag()

    replica.close()
    assert behind is not None
    assert (behind.tenant, behind.behind_for, behind.missing) == (ACME, timedelta(seconds=4), 2)
    assert after is None


def test_a_graph_that_cannot_follow_says_since_when_and_why(bench: Bench) -> None:
    replica = bench.replica()
    bench.graphs[ACME].head, bench.graphs[ACME].broken = 2, True
    replica.look()
    bench.executor.run()
    bench.stopwatch.seconds = 9
    replica.look()
    bench.executor.run()

    behind = replica.lag()

    replica.close()
    assert behind is not None
    assert (behind.behind_for, behind.reason) == (timedelta(seconds=9), "graph.storage_unavailable")


def test_the_graph_that_is_behind_for_the_longest_counts(bench: Bench) -> None:
    bench.graphs[OTHER] = Following()
    replica = bench.replica()
    bench.notice(2, OTHER)
    bench.stopwatch.seconds = 5
    bench.notice(2, ACME)
    bench.stopwatch.seconds = 6

    behind = replica.lag()

    replica.close()
    assert behind is not None
    assert behind.tenant == OTHER


def test_a_notice_that_the_catalog_does_not_confirm_is_no_lag(bench: Bench) -> None:
    """Whoever may connect to the database may notify; nobody shall make a replica unready by that."""
    replica = bench.replica()

    bench.notice(10**9)
    bench.executor.run()

    lag = replica.lag()
    replica.close()
    assert lag is None
    assert bench.graphs[ACME].looks == 1


def test_a_graph_that_was_closed_is_behind_no_longer(bench: Bench) -> None:
    replica = bench.replica()
    bench.notice(2)
    del bench.graphs[ACME]

    bench.executor.run()

    lag = replica.lag()
    replica.close()
    assert lag is None


def test_nothing_is_followed_after_the_end(bench: Bench) -> None:
    replica = bench.replica()
    replica.close()

    bench.notice(2)
    replica.look()
    bench.executor.run()

    assert bench.graphs[ACME].looks == 0
