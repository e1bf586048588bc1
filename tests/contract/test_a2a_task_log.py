"""What the thread store is to the kit: the fake and the real one over HTTP alike."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.a2a.domain.rows import Creation, PushConfig, Row, TaskQuery, Write
from aeterna.a2a.errors import LeaseGoneError, StoreRefusedError
from aeterna.a2a.ports import Leases, Ledger, PushConfigs, TaskLog
from aeterna.a2a.testing import FakeLeases, FakeLedger, FakePushConfigs, FakeTaskLog

if TYPE_CHECKING:
    from aeterna.a2a.domain.rows import Written

pytestmark = pytest.mark.anyio

OWNER = "ada"
WORKING = {"state": "TASK_STATE_WORKING"}
DONE = {"state": "TASK_STATE_COMPLETED"}
LONG = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The four ports of one thread store."""

    log: TaskLog
    leases: Leases
    ledger: Ledger
    pushes: PushConfigs


@pytest.fixture(params=["fake", "http"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "fake":
        log = FakeTaskLog()
        return Store(log=log, leases=FakeLeases(log), ledger=FakeLedger(log), pushes=FakePushConfigs(log))
    found = request.getfixturevalue("http_store")
    return Store(log=found.log, leases=found.leases, ledger=found.ledger, pushes=found.pushes)


@pytest.fixture
def task_id() -> str:
    return str(uuid.uuid4())


def asked(text: str = "hello", message_id: str = "m1") -> Row:
    return Row(
        kind="message",
        streamed=False,
        said=True,
        author=OWNER,
        message_id=message_id,
        role="user",
        parts=({"kind": "text", "text": text},),
        extra={"request": {}},
    )


def status(state: str, **others: object) -> Row:
    return Row(
        kind="status",
        streamed=True,
        said=bool(others),
        author="agent",
        payload={"status": {"state": state, **others}},  # pyright: ignore[reportArgumentType]
    )


def piece(text: str, *, append: bool = True) -> Row:
    return Row(
        kind="artifact",
        streamed=True,
        author="agent",
        artifact_id="a",
        append=append,
        payload={"artifact": {"artifactId": "a", "parts": [{"text": text}]}, "append": append},
    )


def first(task_id: str, *rows: Row, **others: object) -> Write:
    write = Write(
        task_id=task_id,
        owner=OWNER,
        write_id=uuid.uuid4().hex,
        rows=rows or (asked(),),
        creation=Creation(context_id="context"),
        waiting=True,
    )
    return replace(write, **others)  # pyright: ignore[reportArgumentType]


def later(task_id: str, *rows: Row, **others: object) -> Write:
    write = Write(task_id=task_id, owner=OWNER, write_id=uuid.uuid4().hex, rows=rows)
    return replace(write, **others)  # pyright: ignore[reportArgumentType]


async def leased(store: Store, task_id: str, runner: str = "r1") -> Written:
    """Write the first message and win the task's lease."""
    await store.leases.beat(runner, ttl=LONG)
    return await store.log.write(first(task_id, claim=runner))


async def test_a_first_message_makes_the_task_and_wins_its_lease(store: Store, task_id: str) -> None:
    written = await leased(store, task_id)

    assert (written.version, written.created, written.epoch) == (1, True, 1)


async def test_the_same_write_again_returns_what_the_first_came_to(store: Store, task_id: str) -> None:
    await store.leases.beat("r1", ttl=LONG)
    write = first(task_id, claim="r1")
    await store.log.write(write)

    again = await store.log.write(write)

    assert (again.version, again.created, again.repeated, again.epoch) == (1, False, True, 1)


async def test_the_same_message_in_another_write_is_recognised(store: Store, task_id: str) -> None:
    await store.log.write(first(task_id))

    assert (await store.log.write(first(task_id))).repeated


async def test_the_same_message_in_another_trace_is_recognised(store: Store, task_id: str) -> None:
    """A client's retry is another request, with a trace of its own."""
    await store.log.write(first(task_id))
    again = replace(asked(), extra={"request": {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}})

    assert (await store.log.write(first(task_id, again))).repeated


async def test_a_message_id_stands_for_one_content(store: Store, task_id: str) -> None:
    await store.log.write(first(task_id))

    with pytest.raises(StoreRefusedError) as refused:
        await store.log.write(first(task_id, asked("something else")))

    assert refused.value.problem == "threads.message_conflict"


async def test_rows_come_back_as_they_were_written_in_their_order(store: Store, task_id: str) -> None:
    epoch = (await leased(store, task_id)).epoch
    rows = (piece("a", append=False), piece("b"), status("TASK_STATE_WORKING", message={"messageId": "s"}))

    await store.log.write(later(task_id, *rows, epoch=epoch, state="TASK_STATE_WORKING", status=WORKING))

    page = await store.log.rows(task_id, owner=OWNER, after=1)
    assert [row.seq for row in page.rows] == [2, 3, 4]
    assert tuple(row.row for row in page.rows) == rows
    assert (page.version, page.state) == (4, "TASK_STATE_WORKING")


async def test_a_write_under_a_lost_lease_writes_nothing(store: Store, task_id: str) -> None:
    epoch = (await leased(store, task_id)).epoch or 0

    with pytest.raises(LeaseGoneError):
        await store.log.write(later(task_id, piece("zombie", append=False), epoch=epoch + 1))

    assert (await store.log.rows(task_id, owner=OWNER, after=0)).version == 1


async def test_a_living_runner_keeps_its_task_and_a_dead_ones_is_free(store: Store, task_id: str) -> None:
    await leased(store, task_id)
    await store.leases.beat("r2", ttl=LONG)

    kept = await store.leases.claim("r2", limit=10)
    await store.leases.leave("r1")
    free = await store.leases.claim("r2", limit=10)

    assert kept == ()
    assert [(lease.task_id, lease.epoch, lease.owner, lease.context_id) for lease in free] == [
        (task_id, 2, OWNER, "context")
    ]


async def test_a_claim_whose_answer_was_lost_is_given_again(store: Store, task_id: str) -> None:
    await leased(store, task_id)

    again = await store.leases.claim("r1", limit=10, held=[])
    held = await store.leases.claim("r1", limit=10, held=[task_id])

    assert [(lease.task_id, lease.epoch) for lease in again] == [(task_id, 1)]
    assert held == ()


async def test_a_handled_task_is_free_without_being_released(store: Store, task_id: str) -> None:
    epoch = (await leased(store, task_id)).epoch
    await store.log.write(later(task_id, status("TASK_STATE_WORKING"), epoch=epoch, handled_seq=1))
    await store.leases.beat("r2", ttl=LONG)

    again = await store.log.write(later(task_id, asked("more", "m2"), waiting=True, claim="r2"))

    assert again.epoch == 2


async def test_a_message_that_came_meanwhile_keeps_the_task_waiting(store: Store, task_id: str) -> None:
    epoch = (await leased(store, task_id)).epoch
    await store.log.write(later(task_id, asked("more", "m2"), waiting=True))

    await store.log.write(later(task_id, epoch=epoch, handled_seq=1))

    view = await store.log.task(task_id, owner=OWNER)
    assert (view.task.waiting, view.task.handled_seq) == (True, 1)


async def test_nothing_is_written_after_a_terminal_state(store: Store, task_id: str) -> None:
    epoch = (await leased(store, task_id)).epoch
    end = later(
        task_id, status("TASK_STATE_COMPLETED"), epoch=epoch, state="TASK_STATE_COMPLETED", status=DONE, handled_seq=1
    )
    await store.log.write(end)

    for write in (later(task_id, asked("more", "m2"), waiting=True), later(task_id, piece("x"), epoch=epoch)):
        with pytest.raises((StoreRefusedError, LeaseGoneError)):
            await store.log.write(write)
    assert (await store.log.rows(task_id, owner=OWNER, after=0)).version == 2


async def test_a_cancelled_task_has_lost_its_runner(store: Store, task_id: str) -> None:
    epoch = (await leased(store, task_id)).epoch

    await store.log.cancel(task_id, owner=OWNER, status={"state": "TASK_STATE_CANCELED"})

    with pytest.raises((LeaseGoneError, StoreRefusedError)):
        await store.log.write(later(task_id, piece("late", append=False), epoch=epoch))
    view = await store.log.task(task_id, owner=OWNER)
    assert (view.task.state, view.task.waiting) == ("TASK_STATE_CANCELED", False)


async def test_a_task_cannot_be_cancelled_twice(store: Store, task_id: str) -> None:
    await store.log.write(first(task_id))
    await store.log.cancel(task_id, owner=OWNER, status={"state": "TASK_STATE_CANCELED"})

    with pytest.raises(StoreRefusedError) as refused:
        await store.log.cancel(task_id, owner=OWNER, status={"state": "TASK_STATE_CANCELED"})

    assert refused.value.problem == "threads.task_ended"


async def test_of_two_writers_that_saw_the_same_version_one_is_refused(store: Store, task_id: str) -> None:
    await store.log.write(first(task_id))

    outcomes = await asyncio.gather(
        *(store.log.write(later(task_id, piece(name, append=False), expected_version=1)) for name in "ab"),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, StoreRefusedError)]
    assert [one.problem for one in refused] == ["threads.version_conflict"]


async def test_a_task_of_somebody_else_is_not_there_and_cannot_be_taken_over(store: Store, task_id: str) -> None:
    await store.log.write(first(task_id))

    problems: list[str] = []
    for attempt in (
        store.log.task(task_id, owner="eve"),
        store.log.rows(task_id, owner="eve", after=0),
        store.log.write(first(task_id, asked("mine", "m9"), owner="eve")),
        store.log.cancel(task_id, owner="eve", status={"state": "TASK_STATE_CANCELED"}),
        store.pushes.all(task_id, owner="eve"),
    ):
        with pytest.raises(StoreRefusedError) as refused:
            await attempt
        problems.append(refused.value.problem)

    assert set(problems) == {"threads.task_not_found"}


async def test_a_view_holds_what_was_said_and_the_artifacts(store: Store, task_id: str) -> None:
    epoch = (await leased(store, task_id)).epoch
    said = status("TASK_STATE_WORKING", message={"messageId": "s"})
    await store.log.write(later(task_id, piece("a", append=False), said, status("TASK_STATE_WORKING"), epoch=epoch))

    whole = await store.log.task(task_id, owner=OWNER)
    last = await store.log.task(task_id, owner=OWNER, history_length=1, artifacts=False)
    before = await store.log.task(task_id, owner=OWNER, upto=2)

    assert [row.seq for row in whole.rows] == [1, 2, 3]
    assert [row.seq for row in last.rows] == [3]
    assert [row.seq for row in before.rows] == [1, 2]


async def test_tasks_are_listed_by_state_and_page(store: Store) -> None:
    ids = [str(uuid.uuid4()) for _ in range(3)]
    for task_id in ids:
        epoch = (await leased(store, task_id)).epoch
        await store.log.write(
            later(task_id, status("TASK_STATE_WORKING"), epoch=epoch, state="TASK_STATE_WORKING", status=WORKING)
        )

    page = await store.log.tasks(TaskQuery(owner=OWNER, state="TASK_STATE_WORKING", limit=2))
    rest = await store.log.tasks(TaskQuery(owner=OWNER, limit=2, cursor=page.next_cursor))

    assert [task.task_id for task in (*page.tasks, *rest.tasks)] == ids[::-1]
    assert (page.total, rest.next_cursor) == (3, None)


async def test_a_reader_cannot_go_on_after_the_end(store: Store, task_id: str) -> None:
    await store.log.write(first(task_id))

    with pytest.raises(StoreRefusedError) as refused:
        await store.log.rows(task_id, owner=OWNER, after=7)

    assert refused.value.problem == "threads.position_ahead"


async def test_a_listener_is_told_at_once_that_it_may_have_missed_something_and_then_of_each_task(
    store: Store, task_id: str
) -> None:
    wakes = store.log.wakes()
    connected = await anext(wakes)
    await store.log.write(first(task_id))

    told = await anext(wakes)
    while told.task_id is None:
        told = await anext(wakes)

    assert (connected.task_id, told.task_id, told.version) == (None, task_id, 1)


async def test_a_finished_step_keeps_its_first_result_under_later_leases(store: Store, task_id: str) -> None:
    epoch = (await leased(store, task_id)).epoch or 0
    begun = await store.ledger.begin(task_id, "1:pay", epoch=epoch, fingerprint="f")
    await store.ledger.finish(task_id, "1:pay", epoch=epoch, result={"paid": 7})

    again = await store.ledger.begin(task_id, "1:pay", epoch=epoch, fingerprint="f")
    twice = await store.ledger.finish(task_id, "1:pay", epoch=epoch, result={"paid": 8})

    assert (begun.finished, again.finished, again.result, twice.result) == (False, True, {"paid": 7}, {"paid": 7})


async def test_a_step_that_was_cut_off_shows_the_epoch_of_who_began_it(store: Store, task_id: str) -> None:
    epoch = (await leased(store, task_id)).epoch or 0
    await store.ledger.begin(task_id, "1:pay", epoch=epoch, fingerprint="f")
    await store.leases.leave("r1")
    await store.leases.beat("r2", ttl=LONG)
    (lease,) = await store.leases.claim("r2", limit=1)

    step = await store.ledger.begin(task_id, "1:pay", epoch=lease.epoch, fingerprint="f")

    assert (step.finished, step.epoch) == (False, epoch)
    with pytest.raises(LeaseGoneError):
        await store.ledger.finish(task_id, "1:pay", epoch=epoch, result=None)


async def test_a_steps_key_stands_for_one_thing(store: Store, task_id: str) -> None:
    epoch = (await leased(store, task_id)).epoch or 0
    await store.ledger.begin(task_id, "1:pay", epoch=epoch, fingerprint="f")

    with pytest.raises(StoreRefusedError) as refused:
        await store.ledger.begin(task_id, "1:pay", epoch=epoch, fingerprint="g")

    assert refused.value.problem == "threads.step_conflict"


async def test_many_tasks_are_written_at_once(store: Store) -> None:
    written = await asyncio.gather(*(store.log.write(first(str(uuid.uuid4()))) for _ in range(300)))

    assert all(one.created for one in written)


async def test_writes_of_one_task_keep_their_order(store: Store, task_id: str) -> None:
    epoch = (await leased(store, task_id)).epoch
    writes = [later(task_id, piece(str(at), append=at > 0), epoch=epoch) for at in range(20)]

    versions = [one.version for one in await asyncio.gather(*(store.log.write(write) for write in writes))]

    assert versions == list(range(2, 22))


async def test_a_push_configuration_is_kept_without_showing_its_secrets(store: Store, task_id: str) -> None:
    await store.log.write(first(task_id))
    config = PushConfig(
        config_id="c1", url="https://93.184.216.34/hook", token="secret", scheme="Bearer", credentials="s"
    )
    await store.pushes.put(task_id, config, owner=OWNER)

    (kept,) = await store.pushes.all(task_id, owner=OWNER)
    await store.pushes.delete(task_id, "c1", owner=OWNER)

    assert (kept.config_id, kept.url, kept.token, kept.credentials) == ("c1", config.url, None, None)
    assert await store.pushes.all(task_id, owner=OWNER) == ()
