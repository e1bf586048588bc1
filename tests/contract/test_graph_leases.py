"""What every lease on writing a tenant does, whatever keeps it."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text

from aeterna.graph.adapters.leases.optimistic import OptimisticWriterLeases
from aeterna.graph.adapters.leases.sql import SqlWriterLeases
from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.errors import StorageError, WriterFencedError
from aeterna.graph.testing.leases import MemoryWriterLeases, SharedLeases
from aeterna.graph.usecases.engine import World
from fixtures.fix_graph import ACME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aeterna.graph.ports import WriterLeases

UMBRELLA = TenantId("umbrella")
SHORT, LONG = timedelta(seconds=0.5), timedelta(minutes=5)


def _world() -> World:
    return World(clock=lambda: datetime.now(UTC), stopwatch=time.monotonic, pause=time.sleep, chance=lambda: 0.0)


@dataclass
class Processes:
    """Processes that share a database, each with leases of its own."""

    engine: Engine | None
    shared: SharedLeases
    stack: ExitStack
    started: int = 0

    def start(self) -> WriterLeases:
        """Return the leases of a new process."""
        self.started += 1
        leases: WriterLeases
        if self.engine is None:
            leases = MemoryWriterLeases(self.shared)
        else:
            leases = SqlWriterLeases(self.engine, holder=f"process-{self.started}", world=_world(), lease=LONG)
        self.stack.callback(leases.close)
        return leases


def _engine(kind: str, folder: Path, request: pytest.FixtureRequest) -> Engine | None:
    if kind == "memory":
        return None
    if kind == "sqlite":
        return create_engine(f"sqlite:///{folder}/catalog.db")
    dsn = request.getfixturevalue("empty_database")
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def processes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Processes]:
    engine = _engine(request.param, tmp_path, request)
    with ExitStack() as stack:
        if engine is not None:
            stack.callback(engine.dispose)
        yield Processes(engine, SharedLeases(), stack)


def _in_thread(call: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def test_a_lease_is_kept_from_one_commit_to_the_next(processes: Processes) -> None:
    leases = processes.start()
    with leases.holding(ACME) as first:
        pass
    with leases.holding(ACME) as second:
        pass

    assert first == second == 1


def test_each_holder_has_a_higher_epoch_than_the_one_before(processes: Processes) -> None:
    left, right = processes.start(), processes.start()
    epochs: list[int | None] = []
    for leases in (left, right, left, right):
        with leases.holding(ACME) as epoch:
            epochs.append(epoch)

    assert epochs == [1, 2, 3, 4]


def test_tenants_have_leases_of_their_own(processes: Processes) -> None:
    left, right = processes.start(), processes.start()

    with left.holding(ACME) as ours, right.holding(UMBRELLA) as theirs:
        assert (ours, theirs) == (1, 1)


def test_only_one_process_holds_a_lease_at_a_time(processes: Processes) -> None:
    inside: list[int] = []
    most: list[int] = []
    pause = threading.Event()  # never set: others get time to come in

    def work(leases: WriterLeases) -> None:
        for _ in range(5):
            with leases.holding(ACME):
                inside.append(1)
                most.append(len(inside))
                pause.wait(0.002)
                inside.pop()

    threads = [_in_thread(partial(work, processes.start())) for _ in range(3)]
    for thread in threads:
        thread.join(30)

    assert len(most) == 15
    assert max(most) == 1


def test_threads_of_one_process_take_turns_too(processes: Processes) -> None:
    leases = processes.start()
    entered, leave, second = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with leases.holding(ACME):
            entered.set()
            leave.wait(10)

    def later() -> None:
        with leases.holding(ACME):
            second.set()

    one = _in_thread(first)
    assert entered.wait(10)
    two = _in_thread(later)
    assert not second.is_set()
    leave.set()
    assert second.wait(10)
    one.join(10)
    two.join(10)


def test_a_holder_in_mid_commit_keeps_its_lease(processes: Processes) -> None:
    """Who waits cuts it down to a second; it is renewed as long as the holder lives, however long the commit takes."""
    left, right = processes.start(), processes.start()
    order: list[str] = []

    def wait() -> None:
        with right.holding(ACME):
            order.append("right")

    with left.holding(ACME):
        thread = _in_thread(wait)
        thread.join(1.2)
        order.append("left")
    thread.join(10)

    assert order == ["left", "right"]


def test_closing_gives_the_lease_up_at_once(processes: Processes) -> None:
    left, right = processes.start(), processes.start()
    with left.holding(ACME):
        pass
    left.close()

    with right.holding(ACME) as epoch:
        assert epoch == 2


def test_an_epoch_is_never_below_that_of_the_history(processes: Processes) -> None:
    """The table of leases may be lost or restored; the history's epochs count."""
    leases = processes.start()
    with leases.holding(ACME):
        pass

    with leases.holding(ACME, not_below=7) as epoch:
        assert epoch == 8
    with leases.holding(ACME, not_below=8) as epoch:
        assert epoch == 8


def test_a_fenced_holder_comes_back_under_a_new_epoch(processes: Processes) -> None:
    leases = processes.start()
    with pytest.raises(WriterFencedError), leases.holding(ACME) as epoch:
        raise WriterFencedError(epoch or 0, 4)

    with leases.holding(ACME, not_below=4) as epoch:
        assert epoch == 5


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path}/catalog.db")
    yield engine
    engine.dispose()


def _killed(database: Engine, lease: timedelta) -> None:
    """Leave the lease as a process leaves it that was killed."""
    leases = SqlWriterLeases(database, holder="dead", world=_world(), lease=lease)
    with leases.holding(ACME), database.begin() as connection:
        row = connection.execute(text("SELECT * FROM aeterna_writer_leases")).one()
    leases.close()
    with database.begin() as connection:
        statement = "UPDATE aeterna_writer_leases SET holder = :holder, expires = :expires"
        connection.execute(text(statement), {"holder": row.holder, "expires": row.expires})


@pytest.mark.parametrize("lease", [SHORT, LONG], ids=["that ended", "that would last for minutes"])
def test_a_killed_holder_is_replaced(database: Engine, lease: timedelta) -> None:
    _killed(database, lease)
    leases = SqlWriterLeases(database, holder="alive", world=_world(), lease=timedelta(seconds=5))

    with leases.holding(ACME) as epoch:
        assert epoch == 2
    leases.close()


def test_who_has_waited_too_long_goes_on_without_a_lease(database: Engine) -> None:
    """Colliding with a holder that never lets go is better than waiting for ever."""
    stuck = SqlWriterLeases(database, holder="stuck", world=_world(), lease=timedelta(hours=1))
    seconds = iter(range(10_000))
    impatient = World(
        clock=lambda: datetime.now(UTC), stopwatch=lambda: next(seconds), pause=list[float]().append, chance=lambda: 0.0
    )
    waiting = SqlWriterLeases(database, holder="waiting", world=impatient, lease=timedelta(seconds=5))

    with stuck.holding(ACME), waiting.holding(ACME) as epoch:
        assert epoch is None
    waiting.close()
    stuck.close()


def test_a_database_that_fails_is_bad_storage(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/no-such-folder/catalog.db")
    leases = SqlWriterLeases(engine, holder="me", world=_world())

    with pytest.raises(StorageError), leases.holding(ACME):
        pytest.fail("nobody can tell who holds it")


def test_without_a_database_nobody_waits_and_no_epoch_is_given() -> None:
    left, right = OptimisticWriterLeases(), OptimisticWriterLeases()

    with left.holding(ACME) as ours, right.holding(ACME) as theirs:
        assert (ours, theirs) == (None, None)
