"""What every `Runs` does, the fake and the real one alike."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.service.caller import TenantId
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.task import AgentId, RunnerId, StuckPlace
from aeterna.threads.errors import QuotaExceededError, TaskEndedError, TaskNotFoundError
from fixtures.leased_tasks import ACME, BOT, MOST_RUNNERS, MemoryStage, TaskDraft, postgres_stage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fixtures.leased_tasks import Stage

pytestmark = pytest.mark.anyio

OTHER_TENANT, OTHER_AGENT = TenantId("other"), AgentId("other-bot")
FIRST, SECOND = RunnerId("first"), RunnerId("second")
TASK = ThreadId("task")
TTL, GONE = timedelta(minutes=1), timedelta(seconds=-1)


@pytest.fixture(params=["fake", "postgres"])
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    """Return each implementation in turn, with two runners that live."""
    if request.param == "fake":
        stage: Stage = MemoryStage()
        await living(stage)
        yield stage
        return
    async with postgres_stage(request.getfixturevalue("database")) as stage:
        await living(stage)
        yield stage


async def living(stage: Stage) -> None:
    """Let both runners live."""
    for runner in (FIRST, SECOND):
        await stage.runs.beat(ACME, BOT, runner, ttl=TTL)


async def claimed(stage: Stage, runner: RunnerId = FIRST, limit: int = 10) -> list[tuple[str, int, int]]:
    """Let a runner claim, and return id, epoch and attempts of what it got."""
    leases = await stage.runs.claim(ACME, BOT, runner, limit=limit)
    return [(lease.task_id, lease.epoch, lease.attempts) for lease in leases]


async def test_a_task_that_waits_is_claimed_with_the_next_epoch(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK, epoch=6))

    (lease,) = await stage.runs.claim(ACME, BOT, FIRST, limit=10)

    assert (lease.task_id, lease.owner, lease.context_id) == (TASK, "ada", "context")
    assert (lease.epoch, lease.version, lease.attempts) == (7, 1, 1)


async def test_a_task_of_a_living_runner_is_not_claimed(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    await claimed(stage, FIRST)

    assert await claimed(stage, SECOND) == []
    assert await claimed(stage, FIRST) == []


async def test_a_task_of_a_dead_runner_is_taken_over(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    await claimed(stage, FIRST)

    await stage.die(FIRST)

    assert await claimed(stage, SECOND) == [(TASK, 2, 2)]


async def test_a_runner_that_beats_again_does_not_get_back_what_was_taken_over(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    await claimed(stage, FIRST)
    await stage.die(FIRST)
    await claimed(stage, SECOND)

    await stage.runs.beat(ACME, BOT, FIRST, ttl=TTL)

    assert await claimed(stage, FIRST) == []
    assert (await stage.standing(TASK)).runner == SECOND


async def test_a_runner_that_was_late_keeps_what_nobody_took(stage: Stage) -> None:
    """A pause is no death where nobody noticed it: the epoch is the same, and so the run goes on."""
    await stage.put(TaskDraft(task_id=TASK))
    await claimed(stage, FIRST)
    await stage.die(FIRST)

    await stage.runs.beat(ACME, BOT, FIRST, ttl=TTL)

    assert await claimed(stage, SECOND) == []
    assert (await stage.standing(TASK)).epoch == 1


async def test_a_runner_that_does_not_live_claims_nothing(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    await stage.die(FIRST)

    assert await claimed(stage, FIRST) == []
    assert await claimed(stage, RunnerId("never-heard-of")) == []


async def test_a_runner_with_no_time_left_is_dead_at_once(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))

    await stage.runs.beat(ACME, BOT, FIRST, ttl=GONE)

    assert await claimed(stage, FIRST) == []


async def test_the_oldest_are_claimed_first_whether_abandoned_or_new(stage: Stage) -> None:
    for number in (3, 1, 2, 4):
        await stage.put(TaskDraft(task_id=ThreadId(f"task-{number}"), waited_from=number))
    await claimed(stage, FIRST, limit=1)
    await stage.die(FIRST)

    assert [task_id for task_id, _, _ in await claimed(stage, SECOND, limit=3)] == ["task-1", "task-2", "task-3"]
    assert [task_id for task_id, _, _ in await claimed(stage, SECOND, limit=3)] == ["task-4"]


@pytest.mark.parametrize(
    "draft",
    [
        pytest.param(TaskDraft(task_id=TASK, waiting=False), id="nothing waits"),
        pytest.param(TaskDraft(task_id=TASK, left=GONE), id="it has expired"),
        pytest.param(TaskDraft(task_id=TASK, agent=OTHER_AGENT), id="another agent's"),
        pytest.param(TaskDraft(task_id=TASK, tenant=OTHER_TENANT), id="another tenant's"),
    ],
)
async def test_what_is_not_this_agents_to_run_is_not_claimed(stage: Stage, draft: TaskDraft) -> None:
    await stage.put(draft)

    assert await claimed(stage) == []


async def test_another_agents_runner_of_the_same_name_is_another_runner(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    await claimed(stage, FIRST)

    await stage.runs.beat(ACME, OTHER_AGENT, FIRST, ttl=TTL)
    await stage.runs.leave(ACME, OTHER_AGENT, FIRST)
    await stage.runs.leave(OTHER_TENANT, BOT, FIRST)

    assert await claimed(stage, SECOND) == []


async def test_what_a_runner_leaves_is_free_at_once_and_counts_as_no_attempt(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    await claimed(stage, FIRST)

    await stage.runs.leave(ACME, BOT, FIRST)

    assert await claimed(stage, SECOND) == [(TASK, 2, 1)]


async def test_leaving_twice_or_without_having_come_changes_nothing(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    for _ in range(2):
        await stage.runs.leave(ACME, BOT, FIRST)
    await stage.runs.leave(ACME, BOT, RunnerId("never-came"))

    assert await claimed(stage, SECOND) == [(TASK, 1, 1)]


async def test_a_released_task_is_free(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    await claimed(stage, FIRST)

    await stage.runs.release(ACME, BOT, TASK, epoch=1)

    assert await claimed(stage, SECOND) == [(TASK, 2, 2)]


@pytest.mark.parametrize(
    ("tenant", "agent", "epoch"),
    [
        pytest.param(ACME, BOT, 0, id="an epoch before"),
        pytest.param(ACME, BOT, 2, id="an epoch to come"),
        pytest.param(ACME, OTHER_AGENT, 1, id="another agent"),
        pytest.param(OTHER_TENANT, BOT, 1, id="another tenant"),
    ],
)
async def test_a_lease_is_released_by_its_holder_alone(
    stage: Stage, tenant: TenantId, agent: AgentId, epoch: int
) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    await claimed(stage, FIRST)

    await stage.runs.release(tenant, agent, TASK, epoch=epoch)

    assert (await stage.standing(TASK)).runner == FIRST


async def test_what_a_runner_has_without_knowing_is_given_again(stage: Stage) -> None:
    """The answer of its claim was lost on the way; nobody else may have these tasks while it lives."""
    for task_id in ("known", "lost"):
        await stage.put(TaskDraft(task_id=ThreadId(task_id)))
    await claimed(stage, FIRST)

    leases = await stage.runs.claim(ACME, BOT, FIRST, limit=10, held=[ThreadId("known")])

    assert [(lease.task_id, lease.epoch, lease.attempts) for lease in leases] == [("lost", 1, 1)]


async def test_an_agent_has_so_many_runners_and_no_more(stage: Stage) -> None:
    for number in range(MOST_RUNNERS - 2):
        await stage.runs.beat(ACME, BOT, RunnerId(f"more-{number}"), ttl=TTL)

    with pytest.raises(QuotaExceededError):
        await stage.runs.beat(ACME, BOT, RunnerId("one-too-many"), ttl=TTL)
    await stage.runs.beat(ACME, BOT, FIRST, ttl=TTL)
    await stage.runs.beat(ACME, OTHER_AGENT, FIRST, ttl=TTL)


async def test_a_task_without_a_living_runner_is_stuck_and_one_that_runs_is_not(stage: Stage) -> None:
    for number, task_id in enumerate(["abandoned", "unclaimed", "done"]):
        await stage.put(TaskDraft(task_id=ThreadId(task_id), waited_from=number, waiting=task_id != "done"))
    await claimed(stage, FIRST, limit=1)
    await stage.die(FIRST)
    await stage.put(TaskDraft(task_id=TASK, agent=OTHER_AGENT, waited_from=9))
    await stage.runs.beat(ACME, OTHER_AGENT, FIRST, ttl=TTL)
    await stage.runs.claim(ACME, OTHER_AGENT, FIRST, limit=1)

    stuck = await stage.runs.stuck(ACME, after=None, limit=10)

    assert [(task.task_id, task.runner, task.runner_alive, task.attempts) for task in stuck] == [
        ("abandoned", FIRST, False, 1),
        ("unclaimed", None, False, 0),
    ]


async def test_a_task_that_was_tried_again_is_stuck_even_while_it_runs(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    await claimed(stage, FIRST)
    await stage.die(FIRST)
    await claimed(stage, SECOND)

    (stuck,) = await stage.runs.stuck(ACME, after=None, limit=10)

    assert (stuck.runner, stuck.runner_alive, stuck.attempts, stuck.epoch) == (SECOND, True, 2, 2)


async def test_stuck_tasks_come_in_pages_without_a_gap(stage: Stage) -> None:
    for number in range(5):
        # Two of each moment, so that the id has to decide.
        await stage.put(TaskDraft(task_id=ThreadId(f"task-{number}"), waited_from=number // 2))

    pages: list[list[str]] = []
    after: StuckPlace | None = None
    while page := await stage.runs.stuck(ACME, after=after, limit=2):
        pages.append([str(task.task_id) for task in page])
        after = StuckPlace(waiting_since=page[-1].waiting_since, task_id=page[-1].task_id)

    assert pages == [["task-0", "task-1"], ["task-2", "task-3"], ["task-4"]]


async def test_no_tenant_sees_anothers_stuck_tasks(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))

    assert await stage.runs.stuck(OTHER_TENANT, after=None, limit=10) == ()


async def test_a_lease_that_is_taken_away_by_hand_leaves_the_task_to_the_next(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    await claimed(stage, FIRST)

    freed = await stage.runs.free(ACME, TASK)

    assert (freed.agent, freed.owner, freed.epoch, freed.version) == (BOT, "ada", 2, 1)
    assert await claimed(stage, SECOND) == [(TASK, 3, 1)]


async def test_what_is_not_there_cannot_be_freed(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK))
    await stage.put(TaskDraft(task_id=ThreadId("expired"), left=GONE))

    for tenant, task_id in ((OTHER_TENANT, TASK), (ACME, ThreadId("expired")), (ACME, ThreadId("nowhere"))):
        with pytest.raises(TaskNotFoundError):
            await stage.runs.free(tenant, task_id)
    assert (await stage.standing(TASK)).epoch == 0


async def test_a_task_that_has_ended_cannot_be_freed(stage: Stage) -> None:
    await stage.put(TaskDraft(task_id=TASK, state="TASK_STATE_CANCELED", waiting=False))

    with pytest.raises(TaskEndedError):
        await stage.runs.free(ACME, TASK)
