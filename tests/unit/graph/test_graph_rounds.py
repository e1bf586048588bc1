"""A round over all tenants: nobody is left out, nobody stands in another's way, and it ends in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.domain.upkeep import TASKS, BackedUp, UpkeepPolicy
from aeterna.graph.errors import CompactionOvertakenError, StorageError, UpkeepBusyError
from aeterna.graph.testing import MemoryGraphStores, RecordingCommitObserver, RecordingUpkeepObserver
from aeterna.graph.usecases.engine import World
from aeterna.graph.usecases.rounds import BROKEN, Rounds
from aeterna.graph.usecases.upkeep import Maintenance
from fixtures.fix_graph import START, ManualStopwatch, batch_of

if TYPE_CHECKING:
    from aeterna.graph.usecases.rounds import Round

TENANTS: Final = tuple(TenantId(name) for name in ("acme", "globex", "umbrella"))
AWAY: Final = StorageError("make the backup", "a test said so")


@dataclass
class Bench:
    """Rounds over three tenants in memory, whose backups do as a test says."""

    stopwatch: ManualStopwatch = field(default_factory=ManualStopwatch)
    reports: RecordingUpkeepObserver = field(default_factory=RecordingUpkeepObserver)
    failures: dict[TenantId, Exception] = field(default_factory=dict[TenantId, Exception])
    backed_up: list[TenantId] = field(default_factory=list[TenantId])
    meanwhile: Callable[[], None] = lambda: None
    chance: float = 0.0

    def __post_init__(self) -> None:
        stores = MemoryGraphStores()
        for tenant in TENANTS:
            node = session_of("s", subject="ada", nodes=[node_of("n", "Thing")])
            stores.open(tenant).append(batch_of(node), parent=None)
        world = World(clock=self._now, stopwatch=self.stopwatch, pause=lambda _: None, chance=lambda: self.chance)
        maintenance = Maintenance(
            stores,
            commits=RecordingCommitObserver(),
            observer=self.reports,
            world=world,
            policy=UpkeepPolicy(),
            back_up=self._back_up,
        )
        self.rounds = Rounds(maintenance, world, within=timedelta(minutes=1))

    def back_up(self) -> Round:
        """Do a round of backups."""
        return self.rounds.run(("backup",))

    def _now(self) -> datetime:
        return START

    def _back_up(self, tenant: TenantId, *, dry_run: bool) -> BackedUp:
        assert not dry_run
        self.meanwhile()
        if failure := self.failures.get(tenant):
            raise failure
        self.backed_up.append(tenant)
        return BackedUp(made=("backup-20261101T000000Z",), dropped=())


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_every_tenant_of_the_catalog_is_kept_though_nobody_opened_one(bench: Bench) -> None:
    done = bench.rounds.run(TASKS)

    assert [(tenant, report.task) for tenant, report in bench.reports.reports] == [
        (tenant, task) for tenant in TENANTS for task in TASKS
    ]
    assert (done.whole, done.tenants, done.unreached, done.figures["backups_made"]) == (True, 3, 0, 3)


@pytest.mark.parametrize(
    ("failure", "problem"),
    [(AWAY, {"backup": "graph.storage_unavailable"}), (ZeroDivisionError(), {"round": BROKEN})],
    ids=["storage", "a defect"],
)
def test_a_tenant_that_fails_is_named_and_stops_nobody(
    bench: Bench, failure: Exception, problem: dict[str, str]
) -> None:
    bench.failures[TENANTS[1]] = failure

    done = bench.back_up()

    assert bench.backed_up == [TENANTS[0], TENANTS[2]]
    assert (done.whole, done.problems, done.unreached) == (False, {TENANTS[1]: problem}, 0)


@pytest.mark.parametrize("failure", [UpkeepBusyError(), CompactionOvertakenError()])
def test_what_somebody_else_does_just_now_is_no_problem(bench: Bench, failure: Exception) -> None:
    bench.failures[TENANTS[0]] = failure

    assert bench.back_up().whole


def test_a_round_that_takes_too_long_says_how_many_it_did_not_reach(bench: Bench) -> None:
    def minute_passes() -> None:
        bench.stopwatch.seconds += 60

    bench.meanwhile = minute_passes

    done = bench.back_up()

    assert bench.backed_up == [TENANTS[0]]
    assert (done.whole, done.unreached, done.seconds) == (False, 2, 60)


def test_a_tenant_whose_tasks_were_cut_short_was_not_reached(bench: Bench) -> None:
    bench.meanwhile = bench.rounds.stop

    done = bench.rounds.run(TASKS)

    assert [report.task for _, report in bench.reports.reports] == ["backup"]
    assert (done.whole, done.unreached, done.problems) == (False, 3, {})


def test_rounds_begin_with_different_tenants(bench: Bench) -> None:
    """Else the last ones would never be kept where the time is never enough."""
    bench.chance = 0.5

    bench.back_up()

    assert bench.backed_up == [TENANTS[1], TENANTS[2], TENANTS[0]]
