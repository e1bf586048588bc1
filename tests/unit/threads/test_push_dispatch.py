"""The dispatcher: in order, at least once, patient with who asks for it, and never one receiver at another's cost."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.threads.adapters.push_secrets import AesGcmSecretBox
from aeterna.threads.domain.push import Attempt, ConfigId, LetterChoice, PushDraft, PushSecrets, Reason, Verdict
from aeterna.threads.domain.push_url import PushRules, parse_push_url
from aeterna.threads.domain.task import Kind, Row
from aeterna.threads.testing import FakeTaskLog
from aeterna.threads.testing.push import FakeCourier, FakePushObserver, FakePushStore
from aeterna.threads.usecases.dispatch import Dispatcher, DispatchPolicy
from aeterna.threads.usecases.hosts import Hosts
from fixtures.pushed_tasks import ACME, AGENT, OWNER, begin_task, grow_task, status_row

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import ThreadId
    from aeterna.threads.domain.push import DeadLetter, Notification
    from aeterna.threads.domain.task import AgentId

pytestmark = pytest.mark.anyio

DELIVERED = Attempt(verdict=Verdict.DELIVERED, reached=True)
BUSY = Attempt(verdict=Verdict.LATER, reached=True, error="it answered 503")
SILENT = Attempt(verdict=Verdict.LATER, reached=False, error="no answer")
GONE = Attempt(verdict=Verdict.NEVER, reached=True, error="it answered 410")
BOX = AesGcmSecretBox((b"k" * 32,))


class HangingCourier:
    """A courier whose receiver never answers."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    async def deliver(self, notification: Notification, *, at: datetime) -> Attempt:  # noqa: ARG002 - as the port
        """See `Courier.deliver`."""
        self.begun.set()
        await asyncio.Event().wait()
        return DELIVERED


class World:
    """A dispatcher over memory, with time in the test's hand."""

    def __init__(self, courier: FakeCourier | HangingCourier, *, attempts: int = 3) -> None:
        self.now = 1_800_000_000.0
        self.log = FakeTaskLog()
        self.store = FakePushStore(self._context_of, clock=lambda: self.now)
        self.observer = FakePushObserver()
        self.policy = DispatchPolicy(poll=timedelta(milliseconds=1), gather=timedelta(0), attempts=attempts)
        self.dispatcher = Dispatcher(
            self.store,
            self.log,
            courier,
            BOX,
            rules=PushRules(),
            hosts=Hosts(
                per_host=4,
                tolerance=2,
                shortest=timedelta(seconds=10),
                longest=timedelta(seconds=40),
                clock=lambda: self.now,
            ),
            policy=self.policy,
            observer=self.observer,
            clock=lambda: self.now,
            chance=lambda: 1.0,
        )

    async def task(self, task_id: str = "task-1", url: str = "https://hooks.example/x") -> ThreadId:
        """Begin a task with a receiver."""
        task = await begin_task(self.log, task_id)
        draft = PushDraft(
            config_id=ConfigId("phone"), url=parse_push_url(url, PushRules()), secrets=PushSecrets(token="t-1")
        )
        sealed = BOX.seal(draft.secrets, place=(ACME, task, "phone"))
        await self.store.put(ACME, AGENT, task, draft, sealed, owner=OWNER)
        return task

    async def say(self, task: ThreadId, *rows: Row) -> None:
        """Add rows to a task."""
        at = self.log.kept[ACME, task].version
        version = await grow_task(self.log, task, *rows, at=at)
        self.store.grown(ACME, task, *range(at + 1, version + 1))
        self.dispatcher.nudge()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run the dispatcher."""
        running = asyncio.create_task(self.dispatcher.run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def letters(self) -> tuple[DeadLetter, ...]:
        """Return the dead letters."""
        return await self.store.letters(ACME, LetterChoice(), before=None, limit=10)

    def _context_of(self, tenant: TenantId, _agent: AgentId, task_id: ThreadId, _owner: str) -> str | None:
        return "context-1" if (tenant, task_id) in self.log.kept else None


async def settled(world: World, count: int) -> None:
    """Return when so many notifications have been delivered, tried or buried."""
    async with asyncio.timeout(10):
        while sum(world.observer.counts.values()) < count:
            await world.observer.heard.wait()
            world.observer.heard.clear()


def scripted(*attempts: Attempt) -> FakeCourier:
    """Return a courier that comes back with these in turn, and delivers everything after them."""
    left = list(attempts)
    return FakeCourier(lambda _notification: left.pop(0) if left else DELIVERED)


async def test_rows_of_a_task_are_told_in_order_each_under_an_id_of_its_own() -> None:
    courier = scripted()
    world = World(courier)
    task = await world.task()

    async with world.running():
        await world.say(task, *(status_row(f"step {number}") for number in range(12)))
        await settled(world, 12)

    assert [sent.seq for sent in courier.sent] == list(range(2, 14))
    assert len({sent.notification_id for sent in courier.sent}) == 12
    assert courier.sent[0].secrets == PushSecrets(token="t-1")


async def test_a_busy_receiver_is_tried_again_later_under_the_same_id() -> None:
    courier = scripted(BUSY)
    world = World(courier)
    task = await world.task()

    async with world.running():
        await world.say(task, status_row("a"), status_row("b"))
        await settled(world, 1)
        assert [sent.seq for sent in courier.sent] == [2]
        world.now += 1.1
        await settled(world, 3)

    assert [sent.seq for sent in courier.sent] == [2, 2, 3]
    assert courier.sent[0].notification_id == courier.sent[1].notification_id


@pytest.mark.parametrize(
    ("attempts", "asked", "chance", "seconds"),
    [
        (1, None, 1.0, 1.0),
        (2, None, 1.0, 2.0),
        (5, None, 0.25, 4.0),
        (5, None, 0.0, 0.0),
        (60, None, 1.0, 300.0),
        (1, 30.0, 1.0, 30.0),
        (5, 3.0, 1.0, 16.0),
        (1, 1e9, 1.0, 900.0),
        (1, -5.0, 0.0, 0.0),
    ],
)
def test_the_wait_doubles_is_scattered_and_respects_what_the_receiver_asks_within_bounds(
    attempts: int, asked: float | None, chance: float, seconds: float
) -> None:
    retry_after = None if asked is None else timedelta(seconds=asked)

    wait = DispatchPolicy().wait_of(attempts, retry_after, chance)

    assert wait == timedelta(seconds=seconds)


async def test_what_is_refused_for_good_is_a_dead_letter_and_the_next_goes_on() -> None:
    courier = scripted(GONE)
    world = World(courier)
    task = await world.task()

    async with world.running():
        await world.say(task, status_row("a"), status_row("b"))
        await settled(world, 2)

    (letter,) = await world.letters()
    assert (letter.seq, letter.reason, letter.error, letter.attempts) == (2, Reason.REFUSED, "it answered 410", 1)
    assert [sent.seq for sent in courier.sent] == [2, 3]


async def test_after_as_many_attempts_as_it_has_it_is_a_dead_letter() -> None:
    courier = scripted(BUSY, BUSY)
    world = World(courier, attempts=2)
    task = await world.task()

    async with world.running():
        await world.say(task, status_row("a"))
        await settled(world, 1)
        world.now += 1.1
        await settled(world, 2)

    (letter,) = await world.letters()
    assert (letter.reason, letter.attempts) == (Reason.ATTEMPTS, 2)


async def test_a_silent_host_is_left_alone_for_a_while_and_others_are_told() -> None:
    """After two silences in a row its third receiver is not even tried until the pause is over."""
    courier = FakeCourier(lambda sent: SILENT if sent.url.host == "silent.example" else DELIVERED)
    world = World(courier)
    silent = [await world.task(f"silent-{number}", "https://silent.example/x") for number in range(3)]
    living = await world.task("living")

    async with world.running():
        for task in silent[:2]:
            await world.say(task, status_row("a"))
        await settled(world, 2)
        await world.say(silent[2], status_row("a"))
        await world.say(living, status_row("a"))
        await settled(world, 3)
        before = [sent.task_id for sent in courier.sent]
        world.now += 11
        await settled(world, 4)

    assert before.count(silent[2]) == 0
    assert before[-1] == living
    assert len(courier.sent) == 4


async def test_a_task_that_is_gone_has_nothing_to_tell() -> None:
    """It expired, or was erased, while the receiver was away."""
    courier = scripted(BUSY)
    world = World(courier)
    task = await world.task()

    async with world.running():
        await world.say(task, status_row("a"))
        await settled(world, 1)
        del world.log.kept[ACME, task]
        world.now += 1.1
        async with asyncio.timeout(10):
            while (await world.store.backlog()).waiting:  # noqa: ASYNC110 - nobody is told of what is dropped
                await asyncio.sleep(0)

    assert len(courier.sent) == 1
    assert await world.letters() == ()


async def test_secrets_that_cannot_be_read_are_never_sent_as_none() -> None:
    courier = scripted()
    world = World(courier)
    task = await world.task()
    draft = PushDraft(
        config_id=ConfigId("phone"), url=parse_push_url("https://hooks.example/x", PushRules()), secrets=PushSecrets()
    )
    await world.store.put(ACME, AGENT, task, draft, b"sealed by another key", owner=OWNER)

    async with world.running():
        await world.say(task, status_row("a"))
        await settled(world, 1)

    assert courier.sent == []
    assert (await world.letters())[0].reason is Reason.REFUSED


async def test_a_row_that_is_not_as_rows_are_ends_nobody_elses_notifications() -> None:
    courier = scripted()
    world = World(courier)
    task = await world.task()
    odd = Row(kind=Kind.REPLY, streamed=True, author="a", parts=({"text": "no kind"},))

    async with world.running():
        at = world.log.kept[ACME, task].version
        await world.say(task, status_row("a"), status_row("b"))
        stored = world.log.kept[ACME, task].rows
        object.__setattr__(stored[at], "row", odd)
        await settled(world, 2)

    assert [sent.seq for sent in courier.sent] == [3]
    assert (await world.letters())[0].error == "its content cannot be written as A2A has it"


async def test_what_is_under_way_when_the_process_ends_is_given_back() -> None:
    """Else its receivers would wait for the lease to run out at each deployment."""
    courier = HangingCourier()
    world = World(courier)
    task = await world.task()

    async with world.running():
        await world.say(task, status_row("a"))
        await courier.begun.wait()

    lanes = await world.store.claim(uuid.uuid4(), limit=1, per_host=1, rooms={}, depth=1, ttl=timedelta(minutes=1))
    assert [lane.seqs for lane in lanes] == [(2,)]
