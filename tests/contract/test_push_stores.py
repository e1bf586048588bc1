"""What every store of push notifications does, the fake and the real one alike."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_outbox import PostgresOutbox
from aeterna.threads.adapters.postgres_push import PostgresDeadLetters, PostgresPushConfigs
from aeterna.threads.adapters.postgres_tasks import PostgresTaskLog
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.push import ConfigId, LetterChoice, LetterId, PushDraft, PushSecrets, Reason
from aeterna.threads.domain.push_url import PushRules, parse_push_url
from aeterna.threads.domain.task import AgentId
from aeterna.threads.errors import DeadLetterNotFoundError, QuotaExceededError, TaskNotFoundError
from aeterna.threads.ports import DeadLetters, Outbox, PushConfigs
from aeterna.threads.testing.push import FakePushStore
from fixtures.pushed_tasks import ACME, AGENT, OWNER, begin_task, grow_task, status_row

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.threads.domain.push import Lane

pytestmark = pytest.mark.anyio

OTHER = TenantId("other")
MINUTE, NOTHING = timedelta(minutes=1), timedelta(0)
ALL = LetterChoice()


@dataclass(kw_only=True)
class Stores:
    """The three ports over the same store, and what a test does beside them."""

    configs: PushConfigs
    outbox: Outbox
    letters: DeadLetters
    log: PostgresTaskLog | None = None
    fake: FakePushStore | None = None
    tasks: dict[tuple[TenantId, ThreadId], int] = field(default_factory=dict[tuple[TenantId, ThreadId], int])

    async def begin(self, task_id: str = "task-1", tenant: TenantId = ACME) -> ThreadId:
        """Begin a task of the agent and the owner, with one row that nobody is told of."""
        if self.log is not None:
            await begin_task(self.log, task_id, tenant=tenant)
        self.tasks[tenant, ThreadId(task_id)] = 1
        return ThreadId(task_id)

    async def grow(self, task_id: ThreadId, *, streamed: bool = True, tenant: TenantId = ACME) -> int:
        """Add a row and return its place."""
        place = self.tasks[tenant, task_id] + 1
        if self.log is not None:
            await grow_task(self.log, task_id, status_row("x", streamed=streamed), at=place - 1, tenant=tenant)
        elif streamed and self.fake is not None:
            self.fake.grown(tenant, task_id, place)
        self.tasks[tenant, task_id] = place
        return place

    async def put(
        self, task_id: ThreadId, config_id: str = "phone", url: str = "https://hooks.example/x", tenant: TenantId = ACME
    ) -> None:
        """Register a receiver."""
        draft = PushDraft(
            config_id=ConfigId(config_id), url=parse_push_url(url, PushRules()), scheme="Bearer", secrets=PushSecrets()
        )
        await self.configs.put(tenant, AGENT, task_id, draft, b"sealed", owner=OWNER)

    async def claim(
        self,
        lease: uuid.UUID | None = None,
        *,
        limit: int = 10,
        per_host: int = 10,
        depth: int = 10,
        ttl: timedelta = MINUTE,
        **rooms: int,
    ) -> tuple[Lane, ...]:
        """Claim lanes."""
        hosts = {f"{name}.example:443": room for name, room in rooms.items()}
        return await self.outbox.claim(
            lease or uuid.uuid4(), limit=limit, per_host=per_host, rooms=hosts, depth=depth, ttl=ttl
        )

    async def one(self, lease: uuid.UUID) -> Lane:
        """Claim the only lane that is due."""
        (lane,) = await self.claim(lease)
        return lane

    async def buried(self, task_id: ThreadId, *, seq: int) -> LetterId:
        """Make a notification a dead letter and return its number."""
        lease = uuid.uuid4()
        lane = await self.one(lease)
        await self.outbox.bury(
            lane.lane_id, seq, lease, reason=Reason.REFUSED, error="it answered 410", attempts=1, ttl=MINUTE
        )
        await self.outbox.release(lane.lane_id, lease)
        (letter, *_) = await self.letters.letters(ACME, LetterChoice(task_id=task_id), before=None, limit=1)
        return letter.letter_id


@pytest.fixture(params=["fake", "postgres"])
async def stores(request: pytest.FixtureRequest) -> AsyncGenerator[Stores]:
    """Return each store in turn, in which a task may have three receivers."""
    if request.param == "fake":
        made: list[Stores] = []

        def context_of(tenant: TenantId, agent: AgentId, task_id: ThreadId, owner: str) -> str | None:
            known = (tenant, task_id) in made[0].tasks and (agent, owner) == (AGENT, OWNER)
            return f"context-of-{task_id}" if known else None

        fake = FakePushStore(context_of, most=3)
        made.append(Stores(configs=fake, outbox=fake, letters=fake, fake=fake))
        yield made[0]
        return
    dsn = request.getfixturevalue("database")
    async with (
        connection_pool(dsn, Limits(), DATABASE.names) as pool,
        connection_pool(dsn, Limits(), DATABASE.names, role="aeterna_threads_jobs") as jobs,
    ):
        yield Stores(
            configs=PostgresPushConfigs(pool, most=3),
            outbox=PostgresOutbox(jobs),
            letters=PostgresDeadLetters(pool, lambda: None),
            log=PostgresTaskLog(pool),
        )


async def test_each_streamed_row_after_the_registration_is_to_be_told_in_order(stores: Stores) -> None:
    task = await stores.begin()
    await stores.grow(task)
    await stores.put(task)
    first = await stores.grow(task)
    await stores.grow(task, streamed=False)
    last = await stores.grow(task)

    (lane,) = await stores.claim()

    assert lane.seqs == (first, last)
    assert (lane.tenant, lane.agent, lane.owner, lane.task_id) == (ACME, AGENT, OWNER, task)
    assert (lane.context_id, lane.url, lane.secrets) == ("context-of-task-1", "https://hooks.example/x", b"sealed")


async def test_each_receiver_of_a_task_is_told(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task, "phone")
    await stores.put(task, "desk")
    await stores.grow(task)

    lanes = await stores.claim()

    assert {lane.config_id for lane in lanes} == {"phone", "desk"}


async def test_nobody_is_told_of_another_tenants_task_of_the_same_id(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    await stores.begin("task-1", OTHER)

    await stores.grow(task, tenant=OTHER)

    assert await stores.claim() == ()


async def test_a_claimed_lane_is_nobody_elses(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    await stores.grow(task)
    await stores.claim()

    assert await stores.claim() == ()


async def test_a_lane_whose_lease_has_run_out_is_anybodys(stores: Stores) -> None:
    """Whoever had it is dead, or stands still."""
    task = await stores.begin()
    await stores.put(task)
    place = await stores.grow(task)
    await stores.claim(ttl=NOTHING)

    (lane,) = await stores.claim()

    assert lane.seqs == (place,)


async def test_concurrent_claims_share_the_lanes(stores: Stores) -> None:
    for number in range(8):
        task = await stores.begin(f"task-{number}")
        await stores.put(task)
        await stores.grow(task)

    claims = await asyncio.gather(*(stores.claim(limit=4) for _ in range(4)))

    taken = [lane.task_id for lanes in claims for lane in lanes]
    assert len(taken) == len(set(taken))


async def test_what_was_delivered_is_not_to_be_told_again(stores: Stores) -> None:
    lease, task = uuid.uuid4(), await stores.begin()
    await stores.put(task)
    first, second = await stores.grow(task), await stores.grow(task)
    lane = await stores.one(lease)

    held = await stores.outbox.delivered(lane.lane_id, first, lease, ttl=MINUTE)

    await stores.outbox.release(lane.lane_id, lease)
    assert held
    assert (await stores.one(uuid.uuid4())).seqs == (second,)


async def test_whoever_lost_a_lane_learns_it_when_it_notes_what_it_delivered(stores: Stores) -> None:
    lost, task = uuid.uuid4(), await stores.begin()
    await stores.put(task)
    place = await stores.grow(task)
    (lane,) = await stores.claim(lost, ttl=NOTHING)
    await stores.claim()

    held = await stores.outbox.delivered(lane.lane_id, place, lost, ttl=MINUTE)

    assert not held


async def test_a_changed_address_takes_the_lane_from_who_delivers_to_the_old_one(stores: Stores) -> None:
    """The owner was told that the change is made: the old receiver gets at most what was under way."""
    old, new, task = uuid.uuid4(), uuid.uuid4(), await stores.begin()
    await stores.put(task)
    first, second = await stores.grow(task), await stores.grow(task)
    lane = await stores.one(old)
    await stores.put(task, url="https://moved.example/x")

    held = await stores.outbox.delivered(lane.lane_id, first, old, ttl=MINUTE)

    again = await stores.one(new)
    assert (held, again.url, again.seqs) == (False, "https://moved.example/x", (second,))


async def test_the_same_address_again_leaves_the_lane_to_who_delivers(stores: Stores) -> None:
    lease, task = uuid.uuid4(), await stores.begin()
    await stores.put(task)
    await stores.grow(task)
    await stores.one(lease)

    await stores.put(task)

    assert await stores.claim() == ()


async def test_a_lane_that_failed_waits_and_keeps_count(stores: Stores) -> None:
    lease, task = uuid.uuid4(), await stores.begin()
    await stores.put(task)
    await stores.grow(task)
    lane = await stores.one(lease)
    await stores.outbox.failed(lane.lane_id, lease, attempts=3, wait=MINUTE)
    assert await stores.claim() == ()
    # A new registration of the same id is a new start.
    await stores.put(task)

    (again,) = await stores.claim()

    assert again.attempts == 0


async def test_a_failed_lane_is_due_again_with_its_count(stores: Stores) -> None:
    lease, task = uuid.uuid4(), await stores.begin()
    await stores.put(task)
    await stores.grow(task)
    lane = await stores.one(lease)

    await stores.outbox.failed(lane.lane_id, lease, attempts=3, wait=NOTHING)

    assert (await stores.one(uuid.uuid4())).attempts == 3


async def test_one_host_gets_no_more_than_its_places(stores: Stores) -> None:
    for number in range(4):
        task = await stores.begin(f"task-{number}")
        await stores.put(task, url=f"https://{'slow' if number < 3 else 'quick'}.example/x")
        await stores.grow(task)

    lanes = await stores.claim(per_host=2)

    assert sorted(lane.host for lane in lanes) == ["quick.example:443", "slow.example:443", "slow.example:443"]


async def test_a_host_without_places_is_left_alone(stores: Stores) -> None:
    for host in ("shut", "open"):
        task = await stores.begin(f"task-{host}")
        await stores.put(task, url=f"https://{host}.example/x")
        await stores.grow(task)

    lanes = await stores.claim(shut=0)

    assert [lane.host for lane in lanes] == ["open.example:443"]


async def test_a_claim_reads_a_few_places_of_a_long_queue(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    places = [await stores.grow(task) for _ in range(4)]

    (lane,) = await stores.claim(depth=2)

    assert lane.seqs == tuple(places[:2])


async def test_a_dead_letter_says_what_became_of_it(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    place = await stores.grow(task)

    number = await stores.buried(task, seq=place)

    (letter,) = await stores.letters.letters(ACME, LetterChoice(letter_id=number), before=None, limit=10)
    assert (letter.task_id, letter.config_id, letter.seq, letter.attempts) == (task, "phone", place, 1)
    assert (letter.reason, letter.error, letter.url) == (Reason.REFUSED, "it answered 410", "https://hooks.example/x")
    assert await stores.claim() == ()


async def test_only_who_has_the_lane_can_bury(stores: Stores) -> None:
    """Another replica may be delivering it at this moment."""
    task = await stores.begin()
    await stores.put(task)
    place = await stores.grow(task)
    lane = await stores.one(uuid.uuid4())

    held = await stores.outbox.bury(
        lane.lane_id, place, uuid.uuid4(), reason=Reason.REFUSED, error="", attempts=1, ttl=MINUTE
    )

    assert not held
    assert await stores.letters.letters(ACME, ALL, before=None, limit=10) == ()


async def test_a_replayed_letter_is_told_at_its_old_place(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    first = await stores.grow(task)
    number = await stores.buried(task, seq=first)
    second = await stores.grow(task)

    count = await stores.letters.replay(ACME, LetterChoice(letter_id=number))

    assert count == 1
    assert (await stores.one(uuid.uuid4())).seqs == (first, second)
    assert await stores.letters.letters(ACME, ALL, before=None, limit=10) == ()


async def test_a_discarded_letter_is_gone_for_good(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    await stores.buried(task, seq=await stores.grow(task))

    count = await stores.letters.discard(ACME, LetterChoice(task_id=task))

    assert count == 1
    assert await stores.claim() == ()
    assert await stores.letters.letters(ACME, ALL, before=None, limit=10) == ()


async def test_another_tenants_letters_are_as_if_they_were_not(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    number = await stores.buried(task, seq=await stores.grow(task))

    assert await stores.letters.letters(OTHER, ALL, before=None, limit=10) == ()
    assert await stores.letters.replay(OTHER, ALL) == 0
    with pytest.raises(DeadLetterNotFoundError):
        await stores.letters.discard(OTHER, LetterChoice(letter_id=number))


async def test_letters_are_read_page_by_page_newest_first(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    numbers = [await stores.buried(task, seq=await stores.grow(task)) for _ in range(3)]

    first = await stores.letters.letters(ACME, ALL, before=None, limit=2)
    rest = await stores.letters.letters(ACME, ALL, before=first[-1].letter_id, limit=2)

    assert [letter.letter_id for letter in (*first, *rest)] == numbers[::-1]


async def test_what_waits_too_long_is_buried(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    await stores.grow(task)

    counts = await stores.outbox.sweep(max_age=timedelta(seconds=-1), most=100)

    (letter,) = await stores.letters.letters(ACME, ALL, before=None, limit=10)
    assert (counts[Reason.AGE], letter.reason) == (1, Reason.AGE)


async def test_the_oldest_of_a_tenant_with_too_many_are_buried(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    places = [await stores.grow(task) for _ in range(3)]

    counts = await stores.outbox.sweep(max_age=MINUTE, most=1)

    letters = await stores.letters.letters(ACME, ALL, before=None, limit=10)
    assert counts[Reason.OVERFLOW] == 2
    assert sorted(letter.seq for letter in letters) == places[:2]


async def test_the_backlog_is_what_is_still_to_be_told(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    await stores.grow(task)

    backlog = await stores.outbox.backlog()

    assert backlog.waiting == 1
    assert backlog.oldest >= NOTHING


async def test_a_deleted_receiver_is_told_nothing_more(stores: Stores) -> None:
    task = await stores.begin()
    await stores.put(task)
    await stores.grow(task)

    await stores.configs.delete(ACME, AGENT, task, ConfigId("phone"), owner=OWNER)

    assert await stores.claim() == ()
    assert await stores.configs.configs(ACME, AGENT, task, owner=OWNER) == ()


async def test_a_task_has_no_more_receivers_than_it_may(stores: Stores) -> None:
    task = await stores.begin()
    for number in range(3):
        await stores.put(task, f"config-{number}")
    # The same id again replaces, and is no further one.
    await stores.put(task, "config-0")

    with pytest.raises(QuotaExceededError):
        await stores.put(task, "one-more")


@pytest.mark.parametrize(
    ("tenant", "agent", "owner"), [(OTHER, AGENT, OWNER), (ACME, AgentId("other"), OWNER), (ACME, AGENT, "eve")]
)
async def test_somebody_elses_task_is_as_if_it_were_not(
    stores: Stores, tenant: TenantId, agent: AgentId, owner: str
) -> None:
    task = await stores.begin()
    await stores.put(task)
    draft = PushDraft(
        config_id=ConfigId("theirs"), url=parse_push_url("https://evil.example/", PushRules()), secrets=PushSecrets()
    )

    with pytest.raises(TaskNotFoundError):
        await stores.configs.put(tenant, agent, task, draft, None, owner=owner)
    with pytest.raises(TaskNotFoundError):
        await stores.configs.configs(tenant, agent, task, owner=owner)
    await stores.configs.delete(tenant, agent, task, ConfigId("phone"), owner=owner)
    assert len(await stores.configs.configs(ACME, AGENT, task, owner=OWNER)) == 1
