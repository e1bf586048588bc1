"""Upkeep beside other writers: when they are first, when answers are lost, and when it must give up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.identifiers import SnapshotId, TenantId
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.domain.upkeep import (
    BackedUp,
    Collected,
    CollectionPolicy,
    CompactionPolicy,
    Expired,
    RetentionPolicy,
    Rewrite,
    Run,
    TaskReport,
    UpkeepPolicy,
)
from aeterna.graph.errors import (
    CommitConflictError,
    CommitUncertainError,
    CompactionOvertakenError,
    GraphError,
    StorageError,
    UpkeepBusyError,
)
from aeterna.graph.ports import CommitTrace, Upkeep
from aeterna.graph.testing import MemoryGraphStores, RecordingCommitObserver, RecordingUpkeepObserver
from aeterna.graph.usecases.compacting import compact
from aeterna.graph.usecases.engine import World
from aeterna.graph.usecases.schedule import Cadence, Due, Schedule
from aeterna.graph.usecases.upkeep import Maintenance, Order
from fixtures.fix_graph import ACME, START, ManualStopwatch

if TYPE_CHECKING:
    from aeterna.graph.domain.upkeep import Task
    from aeterna.graph.ports import Watch

RUN = Run(snapshot_id=SnapshotId(1), last_seq=1, files=1, rows=1, bytes=1, compacted=False)
SWAPPED = Snapshot(id=SnapshotId(9), first_seq=21, last_seq=20, committed_at=START)
OTHERWISE = StorageError("commit", "a test said so")


@dataclass
class ScriptedUpkeep:
    """A compactor, expirer and collector that do as a test says."""

    failures: list[GraphError] = field(default_factory=list[GraphError])
    found: Snapshot | None = None  # by whoever looks for a swap
    runs_there: int = 20
    calls: list[str] = field(default_factory=list[str])
    expired: threading.Event = field(default_factory=threading.Event)
    meanwhile: Callable[[], None] = lambda: None

    def runs(self) -> tuple[Run, ...]:
        return (RUN,) * self.runs_there

    def rewrite(self, first: int, *, forget_before: datetime, memory_bytes: int, watch: Watch) -> Rewrite:
        del forget_before, memory_bytes, watch
        self.calls.append("rewrite")
        self.meanwhile()
        figures = dict.fromkeys(("files_before", "rows_before", "bytes_before"), 20)
        return Rewrite(id="r", full=first == 0, files_after=1, rows_after=1, bytes_after=1, floor=0, **figures)

    def swap(self, rewrite: Rewrite) -> Snapshot:
        del rewrite
        self.calls.append("swap")
        if self.failures:
            raise self.failures.pop(0)
        return SWAPPED

    def settled(self, rewrite: Rewrite) -> Snapshot | None:
        del rewrite
        return self.found

    def abandon(self, rewrite: Rewrite) -> None:
        del rewrite
        self.calls.append("abandon")

    def expire(self, policy: RetentionPolicy, *, now: datetime, dry_run: bool) -> Expired:
        del policy, dry_run
        self.calls.append("expire")
        self.expired.set()
        if self.failures:
            raise self.failures.pop(0)
        return Expired(expired=1, kept=1, cutoff=now)

    def collect(self, policy: CollectionPolicy, *, now: datetime, dry_run: bool, watch: Watch) -> Collected:
        del policy, now, dry_run, watch
        self.calls.append("collect")
        return Collected(files=0, bytes=0, reachable=1, waiting=0, waiting_bytes=0)


class ScriptedStores(MemoryGraphStores):
    """Stores whose tables are kept by a script."""

    def __init__(self, script: ScriptedUpkeep) -> None:
        super().__init__()
        self.script = script
        self.kept: list[TenantId] = []

    def upkeep(self, tenant: TenantId) -> Upkeep:
        self.kept.append(tenant)
        return Upkeep(compactor=self.script, expirer=self.script, collector=self.script)


@dataclass
class Bench:
    """Maintenance on a script."""

    script: ScriptedUpkeep = field(default_factory=ScriptedUpkeep)
    stopwatch: ManualStopwatch = field(default_factory=ManualStopwatch)
    pauses: list[float] = field(default_factory=list[float])
    commits: RecordingCommitObserver = field(default_factory=RecordingCommitObserver)
    reports: RecordingUpkeepObserver = field(default_factory=RecordingUpkeepObserver)
    backups: list[bool] = field(default_factory=list[bool])

    def __post_init__(self) -> None:
        self.world = World(clock=lambda: START, stopwatch=self.stopwatch, pause=self.pauses.append, chance=lambda: 0.5)
        self.stores = ScriptedStores(self.script)
        self.maintenance = Maintenance(
            self.stores,
            commits=self.commits,
            observer=self.reports,
            world=self.world,
            policy=UpkeepPolicy(),
            back_up=self._back_up,
        )

    def _back_up(self, tenant: TenantId, *, dry_run: bool) -> BackedUp:
        del tenant
        self.backups.append(dry_run)
        return BackedUp(made=(), dropped=())

    def compact(self, attempts: int = 20) -> object:
        """Compact, and return what the compaction says."""
        policy = CompactionPolicy(attempts=attempts)
        return compact(self.script, policy, self.world, trace=CommitTrace(), watch=lambda _: None).snapshot_id

    def run(self, *tasks: Task, dry_run: bool = False) -> tuple[TaskReport, ...]:
        """Do some tasks."""
        return self.maintenance.run(ACME, Order(tasks=tasks, dry_run=dry_run))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_files_are_written_once_however_often_other_writers_are_first(bench: Bench) -> None:
    bench.script.failures = [CommitConflictError("commit", "another")] * 3

    assert bench.compact() == SWAPPED.id
    assert bench.script.calls == ["rewrite", *["swap"] * 4]
    assert len(bench.pauses) == 3


def test_a_compaction_that_never_wins_gives_its_files_up(bench: Bench) -> None:
    bench.script.failures = [CommitConflictError("commit", "another")] * 3

    with pytest.raises(CommitConflictError):
        bench.compact(attempts=3)
    assert bench.script.calls[-1] == "abandon"


@pytest.mark.parametrize("failure", [CompactionOvertakenError(), OTHERWISE], ids=["overtaken", "storage"])
def test_files_that_can_never_be_named_are_deleted_at_once(bench: Bench, failure: GraphError) -> None:
    bench.script.failures = [failure]

    with pytest.raises(type(failure)):
        bench.compact()
    assert bench.script.calls == ["rewrite", "swap", "abandon"]


@pytest.mark.parametrize(
    "failure",
    [CommitUncertainError("commit", "lost", OTHERWISE), CommitConflictError("commit", "refused by its own")],
    ids=["a lost answer", "refused by its own first attempt"],
)
def test_a_swap_that_happened_is_found(bench: Bench, failure: GraphError) -> None:
    bench.script.failures, bench.script.found = [failure], SWAPPED

    assert bench.compact() == SWAPPED.id
    assert bench.script.calls == ["rewrite", "swap"]


def test_files_of_a_lost_swap_stay_because_it_may_still_arrive(bench: Bench) -> None:
    """Deleting them would break the table when the catalog gets to it after all; collection waits a day."""
    bench.script.failures = [CommitUncertainError("commit", "lost", OTHERWISE)]

    with pytest.raises(StorageError):
        bench.compact()
    assert "abandon" not in bench.script.calls


def test_expiry_looks_again_when_a_commit_came_between(bench: Bench) -> None:
    bench.script.failures = [CommitConflictError("commit", "another")] * 2

    (report,) = bench.run("expire")

    assert (report.error, bench.script.calls) == (None, ["expire"] * 3)


def test_a_task_that_fails_does_not_stop_the_next(bench: Bench) -> None:
    bench.script.failures = [OTHERWISE]

    reports = bench.run("backup", "compact", "expire", "collect")

    assert [report.error for report in reports] == [None, "graph.storage_unavailable", None, None]
    assert bench.reports.reports == [(ACME, report) for report in reports]


def test_a_compaction_is_watched_like_any_commit(bench: Bench) -> None:
    bench.script.failures = [CommitConflictError("commit", "another")]

    bench.run("compact")

    ((tenant, trace),) = bench.commits.traces
    assert (tenant, trace.retries, trace.rows, trace.snapshot_id) == (ACME, 1, 1, SWAPPED.id)


def test_a_dry_run_writes_nothing(bench: Bench) -> None:
    bench.run("backup", "compact", dry_run=True)

    assert (bench.script.calls, bench.backups) == ([], [True])


def test_one_round_of_a_tenant_at_a_time(bench: Bench) -> None:
    refused: list[str] = []

    def again() -> None:
        with pytest.raises(UpkeepBusyError):
            bench.run("expire")
        refused.append("expire")

    bench.script.meanwhile = again
    bench.run("compact")
    bench.run("expire")

    assert (refused, bench.script.calls) == (["expire"], ["rewrite", "swap", "expire"])


def _schedule(bench: Bench, due: Due, *tenants: str, every: timedelta = timedelta(minutes=10)) -> Schedule:
    return Schedule(
        bench.maintenance,
        bench.world,
        due=due,
        tenants=lambda: [TenantId(tenant) for tenant in tenants],
        cadence=Cadence(every=every),
    )


def test_a_tenant_with_enough_commits_is_compacted_at_once(bench: Bench) -> None:
    due = Due()
    schedule = _schedule(bench, due, "acme")
    due.add(ACME)
    due.add(ACME)

    assert schedule.step() == 0
    assert bench.script.calls == ["rewrite", "swap", "expire"]
    assert schedule.step() == 300  # half of the interval: chance is a half


def test_every_open_tenant_gets_a_whole_round_in_each_interval(bench: Bench) -> None:
    schedule = _schedule(bench, Due(), "acme", "umbrella")
    schedule.step()
    bench.stopwatch.seconds = 300

    while schedule.step() == 0:
        pass

    assert bench.stores.kept == ["acme", "umbrella"]
    assert bench.script.calls == ["rewrite", "swap", "expire", "collect"] * 2
    assert schedule.step() == 600


def test_a_tenant_that_is_open_only_for_a_while_gets_its_round_and_no_more(bench: Bench) -> None:
    """More tenants than may be open at a time take turns: each would be closed before its time comes."""
    open_ = [ACME]
    schedule = Schedule(bench.maintenance, bench.world, due=Due(), tenants=lambda: open_, cadence=Cadence())
    schedule.step()
    open_.clear()
    bench.stopwatch.seconds = 1_800

    while schedule.step() == 0:
        pass

    bench.stopwatch.seconds = 10_000
    schedule.step()
    assert bench.script.calls == ["rewrite", "swap", "expire", "collect"]


def test_tenants_that_never_rest_do_not_keep_others_from_their_rounds(bench: Bench) -> None:
    due = Due()
    schedule = _schedule(bench, due, "umbrella")
    schedule.step()
    bench.stopwatch.seconds = 300
    due.add(ACME)

    schedule.step()

    assert bench.stores.kept == ["umbrella"]
    assert bench.script.calls == ["rewrite", "swap", "expire", "collect"]


def test_a_round_ends_at_its_next_step_when_the_process_does(bench: Bench) -> None:
    due = Due()
    schedule = _schedule(bench, due)
    due.add(ACME)
    bench.script.meanwhile = schedule.stop

    schedule.step()

    assert bench.script.calls == ["rewrite", "swap"]


def test_the_schedule_works_until_it_is_stopped(bench: Bench) -> None:
    due = Due()
    schedule = _schedule(bench, due)
    schedule.start()
    due.add(ACME)

    assert bench.script.expired.wait(10)
    schedule.stop()

    assert bench.script.calls == ["rewrite", "swap", "expire"]
