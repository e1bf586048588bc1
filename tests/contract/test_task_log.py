"""What every `TaskLog` does, the fake and the real one alike."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_tasks import PostgresTaskLog
from aeterna.threads.domain.conversation import MAX_MESSAGE_BYTES, PAGE_BYTES, MessageId, Role, ThreadId
from aeterna.threads.domain.task import (
    AgentId,
    Creation,
    Kind,
    Row,
    RunnerId,
    State,
    TaskPlace,
    TaskQuery,
    Write,
    Written,
)
from aeterna.threads.errors import (
    LeaseLostError,
    LifetimeError,
    MessageConflictError,
    MessageTooLargeError,
    PositionAheadError,
    TaskEndedError,
    TaskNotFoundError,
    ThreadsError,
    VersionConflictError,
)
from aeterna.threads.ports import TaskLog
from aeterna.threads.testing import FakeTaskLog
from aeterna.threads.usecases.batching import BatchedTaskLog

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence


pytestmark = pytest.mark.anyio

ACME, OTHER = TenantId("acme"), TenantId("other")
AGENT, RIVAL = AgentId("agents/billing"), AgentId("agents/sales")
OWNER, MALLORY = "ada", "mallory"
TASK, NOWHERE = ThreadId("task-1"), ThreadId("nowhere")
ONE, TWO = RunnerId("pod-1"), RunnerId("pod-2")


@dataclass(frozen=True, slots=True)
class Kept:
    """A log, and how a runner of it comes to life."""

    log: TaskLog
    fake: FakeTaskLog | None
    database: str | None

    def beat(self, runner: RunnerId, ttl: timedelta = timedelta(hours=1)) -> None:
        """Say that a runner of the agent lives for so long."""
        if self.fake is not None:
            self.fake.runners[ACME, AGENT, runner] = datetime.now(UTC) + ttl
            return
        with psycopg.connect(self.database or "") as connection:
            connection.execute(
                "INSERT INTO threads.runners (tenant, agent, runner, expires_at) VALUES (%s, %s, %s, now() + %s)"
                " ON CONFLICT (tenant, agent, runner) DO UPDATE SET expires_at = excluded.expires_at",
                [ACME, AGENT, runner, ttl],
            )

    async def write(self, *writes: Write) -> Sequence[Written | ThreadsError]:
        """Make the writes of the agent."""
        return await self.log.write(ACME, AGENT, writes)

    async def one(self, write: Write) -> Written:
        """Make the write, or raise what it was refused for."""
        (result,) = await self.write(write)
        if isinstance(result, ThreadsError):
            raise result
        return result


@pytest.fixture(params=["fake", "batched fake", "postgres"])
async def kept(request: pytest.FixtureRequest) -> AsyncGenerator[Kept]:
    """Return each log in turn."""
    if request.param.endswith("fake"):
        fake = FakeTaskLog()
        yield Kept(BatchedTaskLog(fake) if request.param == "batched fake" else fake, fake, None)
        return
    database: str = request.getfixturevalue("database")
    async with connection_pool(database, Limits(), DATABASE.names) as pool:
        yield Kept(PostgresTaskLog(pool), None, database)


def said(message_id: str = "m-1", text: str = "hello", role: Role = Role.USER) -> Row:
    """Return a message with one part of text."""
    return Row(
        kind=Kind.MESSAGE,
        streamed=False,
        said=True,
        author=OWNER,
        message_id=MessageId(message_id),
        role=role,
        parts=({"kind": "text", "text": text},),
        metadata={},
    )


def token(text: str = "word") -> Row:
    """Return a piece of an artifact."""
    payload = {"artifact": {"artifactId": "a", "parts": [{"text": text}]}, "append": True}
    return Row(kind=Kind.ARTIFACT, streamed=True, author="billing", payload=payload, artifact_id="a", append=True)


def status(state: State = State.WORKING) -> Row:
    """Return a status."""
    return Row(kind=Kind.STATUS, streamed=True, author="billing", payload={"status": {"state": state.value}})


def begun(write_id: str = "w-1", task_id: ThreadId = TASK, *rows: Row, claim: RunnerId | None = None) -> Write:
    """Return a first write: a message of the user that waits."""
    return Write(
        task_id=task_id,
        owner=OWNER,
        write_id=write_id,
        rows=rows or (said(),),
        creation=Creation(context_id="c-1"),
        waiting=True,
        claim=claim,
    )


def fenced(write_id: str, *rows: Row, epoch: int = 1, task_id: ThreadId = TASK) -> Write:
    """Return a write of a runner."""
    return Write(task_id=task_id, owner=OWNER, write_id=write_id, rows=rows, epoch=epoch)


async def running(kept: Kept) -> None:
    """Let the task begin and its first runner have it at epoch 1."""
    kept.beat(ONE)
    assert (await kept.one(begun(claim=ONE))).epoch == 1


async def test_a_first_write_creates_the_task(kept: Kept) -> None:
    written = await kept.one(begun())

    assert written == Written(version=1, created=True, repeated=False, epoch=None)
    view = await kept.log.task(ACME, AGENT, TASK, owner=OWNER, history_length=None, artifacts=True)
    assert [stored.row for stored in view.rows] == [said()]
    assert (view.task.owner, view.task.agent, view.task.context_id) == (OWNER, AGENT, "c-1")
    assert (view.task.version, view.task.waiting, view.task.state) == (1, True, None)


async def test_a_row_is_read_as_it_was_written(kept: Kept) -> None:
    data = {"z": [1, 1.5, 1e300, -0.0, 2**80, None, True], "a": {"ключ": "значение 🙂", "": '\u2028 \\ " \n'}}
    rows = (
        replace(said("m-1"), parts=({"kind": "data", "data": data},), metadata={"b": 1}, extra={"extensions": ["x"]}),
        Row(kind=Kind.TASK, streamed=True, author="billing", payload={"status": data, "metadata": {}}),
        token('\U0001f642 "quoted"\n'),
        Row(kind=Kind.REPLY, streamed=True, author="billing", role=Role.AGENT, parts=(), metadata={}),
    )

    await kept.one(begun("w-1", TASK, *rows))

    page = await kept.log.rows(ACME, AGENT, TASK, owner=OWNER, after=0, limit=10)
    assert tuple(stored.row for stored in page.rows) == rows
    assert [stored.seq for stored in page.rows] == [1, 2, 3, 4]


async def test_the_state_and_the_status_are_the_last_that_were_given(kept: Kept) -> None:
    await running(kept)
    working = {"state": "TASK_STATE_WORKING", "timestamp": "2026-01-01T00:00:00Z"}
    await kept.one(replace(fenced("w-2", status()), state=State.WORKING, status=working, metadata={"cost": 3}))
    await kept.one(fenced("w-3", token()))

    view = await kept.log.task(ACME, AGENT, TASK, owner=OWNER, history_length=None, artifacts=True)

    assert (view.task.state, view.task.status, view.task.metadata) == (State.WORKING, working, {"cost": 3})


async def test_a_first_write_again_is_known_by_its_message(kept: Kept) -> None:
    """Whatever was written since: the client that lost the answer repeats its message, not what came after."""
    await running(kept)
    await kept.one(fenced("w-2", token(), token()))

    again = await kept.one(begun("w-9"))

    assert (again.version, again.created, again.repeated) == (1, False, True)


async def test_a_runners_write_again_is_known_even_after_a_users_message(kept: Kept) -> None:
    """The user speaks whenever he likes: a token whose answer was lost must not be written twice for that."""
    await running(kept)
    first = await kept.one(fenced("w-2", token()))
    await kept.one(Write(task_id=TASK, owner=OWNER, write_id="w-3", rows=(said("m-2"),), waiting=True))

    again = await kept.one(fenced("w-2", token()))

    assert (again.version, again.repeated) == (first.version, True)
    assert (await kept.log.rows(ACME, AGENT, TASK, owner=OWNER, after=0, limit=10)).version == 3


@pytest.mark.parametrize(
    "other",
    [said(text="bye"), said(role=Role.AGENT), replace(said(), metadata={"a": 1})],
    ids=["text", "role", "metadata"],
)
async def test_a_message_id_is_never_given_other_content(kept: Kept, other: Row) -> None:
    await kept.one(begun())

    with pytest.raises(MessageConflictError) as refused:
        await kept.one(replace(begun("w-2", TASK, other), expected_version=1))

    assert (refused.value.facts, refused.value.message_id) == ({"seq": 1}, "m-1")


async def test_a_message_sent_again_in_another_trace_is_the_same_message(kept: Kept) -> None:
    await kept.one(begun("w-1", TASK, replace(said(), extra={"request": {"traceparent": "00-1"}})))

    again = await kept.one(begun("w-2", TASK, replace(said(), extra={"request": {"traceparent": "00-2"}})))

    assert (again.version, again.repeated) == (1, True)


async def test_a_task_is_not_created_over_another(kept: Kept) -> None:
    await kept.one(begun())

    with pytest.raises(VersionConflictError):
        await kept.one(begun("w-2", TASK, status()))


async def test_a_write_without_a_task_is_not_found(kept: Kept) -> None:
    with pytest.raises(TaskNotFoundError):
        await kept.one(Write(task_id=NOWHERE, owner=OWNER, write_id="w-1", rows=(said(),)))


@pytest.mark.parametrize(
    "change", [{"epoch": 1}, {"expected_version": 3}, {"rows": ()}], ids=["epoch", "version", "rows"]
)
async def test_what_is_no_first_write_creates_nothing(kept: Kept, change: dict[str, object]) -> None:
    with pytest.raises(TaskNotFoundError):
        await kept.one(replace(begun(), **change))

    with pytest.raises(TaskNotFoundError):
        await kept.log.task(ACME, AGENT, TASK, owner=OWNER, history_length=None, artifacts=True)


@pytest.mark.parametrize(
    ("tenant", "agent", "owner"),
    [(OTHER, AGENT, OWNER), (ACME, RIVAL, OWNER), (ACME, AGENT, MALLORY)],
    ids=["tenant", "agent", "owner"],
)
async def test_a_task_of_somebody_else_is_as_if_it_were_not(
    kept: Kept, tenant: TenantId, agent: AgentId, owner: str
) -> None:
    await running(kept)
    log = kept.log
    await kept.one(replace(fenced("w-2", status()), state=State.WORKING, status={}))

    for write in (
        Write(task_id=TASK, owner=owner, write_id="x-1", rows=(said("m-9"),)),
        Write(task_id=TASK, owner=owner, write_id="x-2", rows=(token(),), epoch=1),
        Write(task_id=TASK, owner=owner, write_id="w-2", rows=(status(),), epoch=1),
        Write(task_id=TASK, owner=owner, write_id="x-3", rows=(token(),), expected_version=2),
    ):
        (result,) = await log.write(tenant, agent, [write])
        assert isinstance(result, TaskNotFoundError)
    with pytest.raises(TaskNotFoundError):
        await log.task(tenant, agent, TASK, owner=owner, history_length=None, artifacts=True)
    with pytest.raises(TaskNotFoundError):
        await log.rows(tenant, agent, TASK, owner=owner, after=0, limit=10)
    with pytest.raises(TaskNotFoundError):
        await log.cancel(tenant, agent, TASK, owner=owner, status={})
    assert (await log.tasks(tenant, agent, TaskQuery(owner=owner))).tasks == ()
    assert (await log.rows(ACME, AGENT, TASK, owner=OWNER, after=0, limit=10)).version == 2


@pytest.mark.parametrize(("agent", "owner"), [(RIVAL, OWNER), (AGENT, MALLORY)], ids=["agent", "owner"])
async def test_a_task_is_not_taken_over_by_naming_its_id(kept: Kept, agent: AgentId, owner: str) -> None:
    await kept.one(begun())

    (result,) = await kept.log.write(ACME, agent, [replace(begun("w-2", TASK, said("m-2")), owner=owner)])

    assert isinstance(result, TaskNotFoundError)
    assert (await kept.log.rows(ACME, AGENT, TASK, owner=OWNER, after=0, limit=10)).version == 1


async def test_two_tenants_have_tasks_of_the_same_id(kept: Kept) -> None:
    await kept.one(begun())

    (result,) = await kept.log.write(OTHER, AGENT, [begun()])

    assert isinstance(result, Written)
    assert result.created


async def test_an_old_lease_writes_nothing(kept: Kept) -> None:
    """The zombie: a runner that was thought dead, and whose task another one has by now."""
    await running(kept)
    kept.beat(ONE, timedelta(seconds=-1))
    kept.beat(TWO)
    taken = await kept.one(replace(begun("w-2", TASK, said("m-2")), claim=TWO))

    with pytest.raises(LeaseLostError):
        await kept.one(fenced("w-3", token()))

    assert taken.epoch == 2
    assert (await kept.one(fenced("w-4", token(), epoch=2))).version == 3


async def test_a_living_runner_keeps_its_task(kept: Kept) -> None:
    await running(kept)
    kept.beat(TWO)

    second = await kept.one(replace(begun("w-2", TASK, said("m-2")), claim=TWO))

    assert second.epoch is None
    assert (await kept.one(fenced("w-3", token()))).version == 3


async def test_a_runner_that_does_not_live_wins_nothing(kept: Kept) -> None:
    assert (await kept.one(begun(claim=ONE))).epoch is None


async def test_a_repeated_claim_returns_the_lease_that_it_won(kept: Kept) -> None:
    """The answer to the write was lost: without its epoch, the task would be nobody's."""
    await running(kept)

    again = await kept.one(begun("w-9", claim=ONE))

    assert (again.repeated, again.epoch) == (True, 1)


async def test_a_repeated_claim_wins_a_task_that_nobody_runs(kept: Kept) -> None:
    await running(kept)
    kept.beat(ONE, timedelta(seconds=-1))
    kept.beat(TWO)

    again = await kept.one(begun("w-9", claim=TWO))

    assert (again.repeated, again.epoch) == (True, 2)


async def test_the_lease_is_given_back_with_the_last_message(kept: Kept) -> None:
    await running(kept)

    await kept.one(replace(fenced("w-2"), handled_seq=1))

    task = (await kept.log.task(ACME, AGENT, TASK, owner=OWNER, history_length=0, artifacts=False)).task
    assert (task.waiting, task.runner, task.handled_seq, task.attempts, task.epoch) == (False, None, 1, 0, 1)


async def test_a_message_that_came_meanwhile_goes_on_waiting(kept: Kept) -> None:
    await running(kept)
    await kept.one(fenced("w-2", token()))
    await kept.one(Write(task_id=TASK, owner=OWNER, write_id="w-3", rows=(said("m-2"),), waiting=True))

    await kept.one(replace(fenced("w-4", token()), handled_seq=1))

    task = (await kept.log.task(ACME, AGENT, TASK, owner=OWNER, history_length=0, artifacts=False)).task
    assert (task.waiting, task.runner, task.handled_seq) == (True, ONE, 1)


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.CANCELED, State.REJECTED])
async def test_nothing_is_written_after_the_end(kept: Kept, state: State) -> None:
    await running(kept)
    await kept.one(replace(fenced("w-2", status(state)), state=state, status={"state": state.value}))

    results = [
        await kept.write(write)
        for write in (
            fenced("w-3", token()),
            Write(task_id=TASK, owner=OWNER, write_id="w-4", rows=(said("m-2"),), waiting=True),
            Write(task_id=TASK, owner=OWNER, write_id="w-5", rows=(status(),), expected_version=2, state=State.WORKING),
        )
    ]

    assert [type(result) for (result,) in results] == [TaskEndedError] * 3
    task = (await kept.log.task(ACME, AGENT, TASK, owner=OWNER, history_length=0, artifacts=False)).task
    assert (task.state, task.version, task.waiting, task.runner) == (state, 2, False, None)


async def test_what_was_written_before_the_end_is_still_known_after_it(kept: Kept) -> None:
    await running(kept)
    end = replace(fenced("w-2", status(State.COMPLETED)), state=State.COMPLETED, status={})
    first = await kept.one(end)

    again = await kept.one(end)

    assert (again.version, again.repeated) == (first.version, True)


async def test_a_cancelled_task_stays_cancelled(kept: Kept) -> None:
    await running(kept)
    cancelled = await kept.log.cancel(ACME, AGENT, TASK, owner=OWNER, status={"state": "TASK_STATE_CANCELED"})

    with pytest.raises(LeaseLostError):
        await kept.one(replace(fenced("w-2", status(State.COMPLETED)), state=State.COMPLETED, status={}))
    with pytest.raises(TaskEndedError):
        await kept.log.cancel(ACME, AGENT, TASK, owner=OWNER, status={"state": "TASK_STATE_CANCELED"})

    page = await kept.log.rows(ACME, AGENT, TASK, owner=OWNER, after=1, limit=10)
    assert (page.state, page.version, cancelled.version) == (State.CANCELED, 2, 2)
    assert page.rows[0].row.payload == {"status": {"state": "TASK_STATE_CANCELED"}}


async def test_a_write_at_another_version_is_refused(kept: Kept) -> None:
    await kept.one(begun())

    with pytest.raises(VersionConflictError) as refused:
        await kept.one(replace(begun("w-2", TASK, status()), creation=None, expected_version=7))

    assert refused.value.facts == {"expected_version": 7, "version": 1}


async def test_of_many_who_compare_the_same_version_one_wins(kept: Kept) -> None:
    await kept.one(begun())

    results = await asyncio.gather(
        *(
            kept.write(Write(task_id=TASK, owner=OWNER, write_id=f"w-{n}", rows=(status(),), expected_version=1))
            for n in range(2, 12)
        )
    )

    assert sorted(type(result).__name__ for (result,) in results) == ["VersionConflictError"] * 9 + ["Written"]


async def test_every_write_of_a_batch_has_an_outcome_of_its_own(kept: Kept) -> None:
    """A write that is refused changes nothing and does not touch its neighbours."""
    await running(kept)
    batch = (
        begun("b-1", ThreadId("task-3")),
        fenced("b-2", token(), epoch=9),
        begun("b-3", NOWHERE, replace(said(), parts=({"kind": "text", "text": "x" * MAX_MESSAGE_BYTES},))),
        replace(begun("b-4", ThreadId("task-2")), creation=Creation(context_id="c", ttl=timedelta(days=999))),
        fenced("b-5", token(), task_id=ThreadId("task-0")),
        begun("b-6", ThreadId("a-first"), status(), token()),
    )

    results = await kept.write(*batch)

    assert [type(result) for result in results] == [
        Written,
        LeaseLostError,
        MessageTooLargeError,
        LifetimeError,
        TaskNotFoundError,
        Written,
    ]
    assert (await kept.log.rows(ACME, AGENT, ThreadId("a-first"), owner=OWNER, after=0, limit=10)).version == 2
    assert (await kept.log.rows(ACME, AGENT, TASK, owner=OWNER, after=0, limit=10)).version == 1


async def test_a_full_batch_is_written_and_told_of_by_place(kept: Kept) -> None:
    places = dict[int, Written | ThreadsError]()
    writes = [begun(f"w-{n}", ThreadId(f"task-{n % 7}-{n}")) for n in range(256)]

    results = await kept.log.write(ACME, AGENT, writes, places.__setitem__)

    assert [places[n] for n in range(256)] == list(results)
    assert all(isinstance(result, Written) and result.created for result in results)


async def test_batches_that_cross_each_other_all_come_through(kept: Kept) -> None:
    """Each names the same tasks in another order: whoever locks as told would wait for ever."""
    ids = [ThreadId(f"task-{n}") for n in range(12)]
    await kept.write(*(begun(f"w-{task_id}", task_id) for task_id in ids))

    def batch(number: int) -> list[Write]:
        turned = ids[number:] + ids[:number]
        return [
            Write(task_id=each, owner=OWNER, write_id=f"{number}", rows=(said(f"m-{number}-{each}"),))
            for each in turned
        ]

    results = await asyncio.gather(*(kept.write(*batch(number)) for number in range(1, 9)))

    assert all(isinstance(result, Written) for each in results for result in each)
    ends = [await kept.log.rows(ACME, AGENT, each, owner=OWNER, after=0, limit=20) for each in ids]
    assert [[stored.seq for stored in page.rows] for page in ends] == [list(range(1, 10))] * 12


async def test_many_writers_of_one_task_make_one_gapless_log(kept: Kept) -> None:
    await kept.one(begun())
    messages = [said(f"m-{n}") for n in range(2, 52)]

    await asyncio.gather(
        *(kept.write(Write(task_id=TASK, owner=OWNER, write_id=f"{row.message_id}", rows=(row,))) for row in messages)
    )

    page = await kept.log.rows(ACME, AGENT, TASK, owner=OWNER, after=0, limit=100)
    assert [stored.seq for stored in page.rows] == list(range(1, 52))
    assert {stored.row.message_id for stored in page.rows[1:]} == {row.message_id for row in messages}


async def test_a_task_is_read_with_the_last_that_was_said(kept: Kept) -> None:
    await running(kept)
    await kept.one(
        fenced("w-2", token("one"), said("a-1", role=Role.AGENT), token("two"), said("a-2", role=Role.AGENT))
    )

    async def seqs(history_length: int | None, upto: int | None = None, *, artifacts: bool = True) -> list[int]:
        view = await kept.log.task(
            ACME, AGENT, TASK, owner=OWNER, history_length=history_length, artifacts=artifacts, upto=upto
        )
        return [stored.seq for stored in view.rows]

    assert await seqs(None) == [1, 2, 3, 4, 5]
    assert await seqs(1) == [2, 4, 5]
    assert await seqs(0, artifacts=False) == []
    assert await seqs(2, artifacts=False, upto=4) == [1, 3]


async def test_rows_come_page_by_page(kept: Kept) -> None:
    await running(kept)
    await kept.one(fenced("w-2", *(token(str(n)) for n in range(9))))

    page = await kept.log.rows(ACME, AGENT, TASK, owner=OWNER, after=4, limit=3)

    assert ([stored.seq for stored in page.rows], page.version) == ([5, 6, 7], 10)


async def test_a_reader_ahead_of_the_log_is_told(kept: Kept) -> None:
    await kept.one(begun())

    with pytest.raises(PositionAheadError):
        await kept.log.rows(ACME, AGENT, TASK, owner=OWNER, after=2, limit=3)


async def test_tasks_are_listed_by_their_last_change_of_status(kept: Kept) -> None:
    ids = [ThreadId(f"task-{n}") for n in range(5)]
    for n, task_id in enumerate(ids):
        state = State.COMPLETED if n == 3 else State.SUBMITTED
        context = Creation(context_id="even" if n % 2 == 0 else "odd")
        await kept.one(
            replace(begun(f"w-{n}", task_id, said(), status()), creation=context, state=state, status={"n": n})
        )
    await kept.one(begun("w-x", ThreadId("no-task-yet")))
    await kept.one(
        Write(task_id=ids[0], owner=OWNER, write_id="w-9", rows=(status(),), expected_version=2, state=State.WORKING)
    )

    async def listed(query: TaskQuery) -> list[ThreadId]:
        page = await kept.log.tasks(ACME, AGENT, query)
        assert page.total >= len(page.tasks)
        return [task.task_id for task in page.tasks]

    all_of = TaskQuery(owner=OWNER)
    assert await listed(all_of) == [ids[0], ids[4], ids[3], ids[2], ids[1]]
    assert await listed(replace(all_of, state=State.COMPLETED)) == [ids[3]]
    assert await listed(replace(all_of, context_id="odd")) == [ids[3], ids[1]]
    third = (await kept.log.task(ACME, AGENT, ids[3], owner=OWNER, history_length=0, artifacts=False)).task
    assert await listed(replace(all_of, status_after=third.status_at)) == [ids[0], ids[4], ids[3]]
    place = TaskPlace(status_at=third.status_at, task_id=ids[3])
    assert await listed(replace(all_of, after=place)) == [ids[2], ids[1]]


async def test_a_listing_says_where_it_goes_on_and_how_many_there_are(kept: Kept) -> None:
    for n in range(5):
        await kept.one(replace(begun(f"w-{n}", ThreadId(f"task-{n}")), state=State.SUBMITTED, status={}))

    found, place = list[ThreadId](), None
    while True:
        page = await kept.log.tasks(ACME, AGENT, TaskQuery(owner=OWNER, after=place, limit=2))
        found += [task.task_id for task in page.tasks]
        assert page.total == 5
        if (place := page.next_place) is None:
            break

    assert found == [ThreadId(f"task-{n}") for n in (4, 3, 2, 1, 0)]


async def test_time_never_runs_backward_in_a_log(kept: Kept) -> None:
    await running(kept)
    for n in range(10):
        await kept.one(fenced(f"w-{n}", token()))

    page = await kept.log.rows(ACME, AGENT, TASK, owner=OWNER, after=0, limit=100)

    moments = [stored.created_at for stored in page.rows]
    assert moments == sorted(moments)


async def test_a_task_lives_on_from_its_last_write(kept: Kept) -> None:
    await kept.one(replace(begun(), creation=Creation(context_id="c", ttl=timedelta(seconds=80))))

    task = (await kept.log.task(ACME, AGENT, TASK, owner=OWNER, history_length=0, artifacts=False)).task

    assert task.expires_at is not None
    # An eighth more than asked for, so that it need not be moved with each write.
    assert timedelta(seconds=89) < task.expires_at - task.created_at < timedelta(seconds=91)


async def test_a_page_ends_where_its_bytes_are_used_up(kept: Kept) -> None:
    await running(kept)
    text = "long " * (MAX_MESSAGE_BYTES // 6)
    for n in range(2):
        await kept.one(fenced(f"w-{n}", *(token(text) for _ in range(6))))

    page = await kept.log.rows(ACME, AGENT, TASK, owner=OWNER, after=0, limit=1000)
    rest = await kept.log.rows(ACME, AGENT, TASK, owner=OWNER, after=page.rows[-1].seq, limit=1000)

    assert PAGE_BYTES <= len(text) * (len(page.rows) - 1) < PAGE_BYTES + MAX_MESSAGE_BYTES
    assert page.version == 13
    assert [stored.seq for stored in (*page.rows, *rest.rows)] == list(range(1, 14))
