"""What all notices between processes do, the fake and the real one alike."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

import psycopg
import pytest
from sqlalchemy import create_engine

from aeterna.graph.adapters.notices.postgres import PostgresNotices, connections_of
from aeterna.graph.adapters.notices.silent import SilentNotices
from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.testing.notices import MemoryNotices, NoticeBoard
from aeterna.graph.usecases.engine import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aeterna.graph.ports import Notices

ACME, OTHER = TenantId("acme"), TenantId("other-1")
PATIENCE = 30.0
WORLD = World(clock=lambda: datetime.now(UTC), stopwatch=time.monotonic, pause=time.sleep, chance=random.random)

Processes: TypeAlias = "Callable[[], Notices]"


class Inbox:
    """What a process hears."""

    def __init__(self, notices: Notices) -> None:
        self._heard: SimpleQueue[tuple[TenantId, int]] = SimpleQueue()
        notices.subscribe(lambda tenant, seq: self._heard.put((tenant, seq)))

    def next(self) -> tuple[TenantId, int]:
        return self._heard.get(timeout=PATIENCE)

    def soon(self) -> tuple[TenantId, int]:
        """Return the next notice, or raise `queue.Empty`."""
        return self._heard.get(timeout=0.1)

    def until(self, wanted: tuple[TenantId, int]) -> list[tuple[TenantId, int]]:
        """Return everything that came up to the wanted one."""
        heard = [self.next()]
        while heard[-1] != wanted:
            heard.append(self.next())
        return heard

    @property
    def empty(self) -> bool:
        return self._heard.empty()


def listening(dsn: str, name: str = "notices") -> PostgresNotices:
    """Return notices of a process of its own, when they arrive."""
    database = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn, application_name=name))
    notices = PostgresNotices(connections_of(database), WORLD)
    assert notices.wait_until_listening(PATIENCE)
    return notices


@pytest.fixture(params=["memory", "postgresql"])
def process(request: pytest.FixtureRequest) -> Iterator[Processes]:
    """Return what starts another process, of each kind in turn."""
    board = NoticeBoard()
    dsn: str | None = request.getfixturevalue("empty_database") if request.param == "postgresql" else None
    with ExitStack() as stack:

        def start() -> Notices:
            notices: Notices = MemoryNotices(board) if dsn is None else listening(dsn)
            stack.callback(notices.close)
            return notices

        yield start


def test_what_one_process_publishes_every_other_hears(process: Processes) -> None:
    one, other, third = process(), process(), process()
    inboxes = [Inbox(other), Inbox(third)]

    one.publish(ACME, 7)

    assert [inbox.next() for inbox in inboxes] == [(ACME, 7), (ACME, 7)]


def test_of_many_notices_the_newest_arrives_and_they_arrive_in_order(process: Processes) -> None:
    one, other = process(), process()
    inbox = Inbox(other)

    for seq in range(1, 101):
        one.publish(ACME, seq)

    heard = inbox.until((ACME, 100))
    assert heard == sorted(heard)


def test_tenants_are_told_apart(process: Processes) -> None:
    one, other = process(), process()
    inbox = Inbox(other)

    one.publish(ACME, 1)
    one.publish(OTHER, 2)

    assert {inbox.next(), inbox.next()} == {(ACME, 1), (OTHER, 2)}


def test_a_process_that_closed_hears_no_more(process: Processes) -> None:
    one, other, third = process(), process(), process()
    closed, open_ = Inbox(other), Inbox(third)
    other.close()

    one.publish(ACME, 3)

    assert open_.next() == (ACME, 3)
    assert closed.empty


def test_closing_twice_is_closing_once(process: Processes) -> None:
    notices = process()
    notices.close()

    notices.close()


def test_publishing_after_the_end_is_no_error(process: Processes) -> None:
    """A commit may end just after the process began to stop."""
    notices = process()
    notices.close()

    notices.publish(ACME, 1)


def test_silent_notices_tell_nothing() -> None:
    notices = SilentNotices()
    inbox = Inbox(notices)

    notices.publish(ACME, 1)

    assert inbox.empty


def test_a_lost_connection_is_made_again_and_what_was_not_told_yet_is_told(empty_database: str) -> None:
    one, other = listening(empty_database, "one"), listening(empty_database, "other")
    inbox = Inbox(other)
    with psycopg.connect(empty_database, autocommit=True) as administrator:
        # The listener first: what is published while it is away may be lost to it.
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name IN ('one', 'other')"
        )

    heard = _published_until_heard(one, inbox)

    one.close()
    other.close()
    assert heard


def _published_until_heard(notices: Notices, inbox: Inbox) -> bool:
    """Publish as commits would go on to come, until one arrives."""
    latest = time.monotonic() + PATIENCE
    seq = 0
    while time.monotonic() < latest:
        seq += 1
        notices.publish(ACME, seq)
        try:
            inbox.soon()
        except Empty:
            continue
        return True
    return False


@pytest.mark.parametrize("payload", ["", "acme", "acme seven", "ACME 1", "acme 1 2", "../etc 1", "acme " + "9" * 5000])
def test_what_somebody_else_writes_into_the_channel_is_passed_over(payload: str, empty_database: str) -> None:
    notices = listening(empty_database)
    inbox = Inbox(notices)
    with psycopg.connect(empty_database, autocommit=True) as stranger:
        stranger.execute("SELECT pg_notify('aeterna_graph', %s)", (payload,))

    notices.publish(ACME, 5)

    assert inbox.next() == (ACME, 5)
    notices.close()
