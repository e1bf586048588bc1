"""What every `Ledger` does, the fake and the real one alike."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.service.caller import TenantId
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.task import MAX_RESULT_BYTES, TERMINAL, AgentId, RunnerId
from aeterna.threads.errors import (
    LeaseLostError,
    StepConflictError,
    StepNotFoundError,
    StepTooLargeError,
    TaskEndedError,
    TaskNotFoundError,
)
from fixtures.leased_tasks import ACME, BOT, MemoryStage, TaskDraft, postgres_stage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.task import Step
    from fixtures.leased_tasks import Stage

pytestmark = pytest.mark.anyio

OTHER_TENANT, OTHER_AGENT = TenantId("other"), AgentId("other-bot")
FIRST, SECOND = RunnerId("first"), RunnerId("second")
TASK = ThreadId("task")
TTL = timedelta(minutes=1)


@pytest.fixture(params=["fake", "postgres"])
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    """Return each implementation in turn, with a task that the first runner has under epoch 1."""
    if request.param == "fake":
        stage: Stage = MemoryStage()
        await leased(stage)
        yield stage
        return
    async with postgres_stage(request.getfixturevalue("database")) as stage:
        await leased(stage)
        yield stage


async def leased(stage: Stage) -> None:
    """Put the task in place, in the hands of the first runner."""
    await stage.put(TaskDraft(task_id=TASK))
    for runner in (FIRST, SECOND):
        await stage.runs.beat(ACME, BOT, runner, ttl=TTL)
    await stage.runs.claim(ACME, BOT, FIRST, limit=1)


async def taken_over(stage: Stage) -> None:
    """Let the first runner die, and the second one take the task over under epoch 2."""
    await stage.die(FIRST)
    await stage.runs.claim(ACME, BOT, SECOND, limit=1)


async def begun(stage: Stage, key: str = "mail", *, epoch: int = 1, fingerprint: str = "a") -> Step:
    """Begin a step of the task."""
    return await stage.ledger.begin(ACME, BOT, TASK, key, epoch=epoch, fingerprint=fingerprint)


async def finished(stage: Stage, result: JsonValue, key: str = "mail", *, epoch: int = 1) -> Step:
    """Finish a step of the task."""
    return await stage.ledger.finish(ACME, BOT, TASK, key, epoch=epoch, result=result)


async def test_a_step_that_is_begun_is_not_finished(stage: Stage) -> None:
    step = await begun(stage)

    assert (step.key, step.finished, step.result, step.epoch, step.finished_at) == ("mail", False, None, 1, None)


@pytest.mark.parametrize("result", [{"sent": 3, "to": ["ada"]}, None, [], "text", 0, 1.5, True], ids=repr)
async def test_a_finished_step_gives_its_result(stage: Stage, result: JsonValue) -> None:
    await begun(stage)
    step = await finished(stage, result)

    assert (step.finished, step.result) == (True, result)
    assert step == await begun(stage)
    assert step.finished_at is not None
    assert step.finished_at >= step.started_at


async def test_a_finished_step_keeps_its_first_result(stage: Stage) -> None:
    await begun(stage)
    first = await finished(stage, "first")

    assert await finished(stage, "second") == first


async def test_a_step_outlives_the_runner_that_finished_it(stage: Stage) -> None:
    await begun(stage)
    await finished(stage, {"sent": True})
    await taken_over(stage)

    step = await begun(stage, epoch=2)

    assert (step.finished, step.result, step.epoch) == (True, {"sent": True}, 1)


async def test_a_step_that_was_cut_off_says_so_until_it_is_finished(stage: Stage) -> None:
    """However often the next runner asks: its first answer may have been lost."""
    await begun(stage)
    await taken_over(stage)

    seen = [await begun(stage, epoch=2) for _ in range(2)]
    done = await finished(stage, "done", epoch=2)

    assert [(step.finished, step.epoch) for step in seen] == [(False, 1), (False, 1)]
    assert (done.finished, done.result) == (True, "done")


async def test_a_runner_that_lost_its_lease_begins_nothing(stage: Stage) -> None:
    await taken_over(stage)

    with pytest.raises(LeaseLostError):
        await begun(stage, epoch=1)
    assert (await begun(stage, epoch=2)).epoch == 2


async def test_a_runner_that_lost_its_lease_finishes_nothing(stage: Stage) -> None:
    await begun(stage)
    await taken_over(stage)

    with pytest.raises(LeaseLostError):
        await finished(stage, "too late", epoch=1)
    assert not (await begun(stage, epoch=2)).finished


async def test_a_runner_that_lost_its_lease_is_told_nothing_of_what_was_done(stage: Stage) -> None:
    await begun(stage)
    await finished(stage, "secret")
    await taken_over(stage)

    with pytest.raises(LeaseLostError):
        await begun(stage, epoch=1)


async def test_an_epoch_to_come_opens_nothing(stage: Stage) -> None:
    with pytest.raises(LeaseLostError):
        await begun(stage, epoch=2)


async def test_a_lease_that_was_taken_away_by_hand_writes_nothing(stage: Stage) -> None:
    await begun(stage)
    await stage.runs.free(ACME, TASK)

    with pytest.raises(LeaseLostError):
        await finished(stage, "too late")


@pytest.mark.parametrize("state", sorted(TERMINAL))
async def test_nothing_is_done_after_the_end(stage: Stage, state: str) -> None:
    await begun(stage)
    await stage.change(TASK, state=state, waiting=False)

    with pytest.raises(TaskEndedError):
        await begun(stage, "another")
    with pytest.raises(TaskEndedError):
        await finished(stage, "too late")


async def test_a_key_stands_for_one_side_effect(stage: Stage) -> None:
    await begun(stage, fingerprint="a")

    with pytest.raises(StepConflictError):
        await begun(stage, fingerprint="b")


async def test_what_was_not_begun_is_not_finished(stage: Stage) -> None:
    with pytest.raises(StepNotFoundError):
        await finished(stage, "done", "never-begun")


async def test_a_result_above_the_limit_is_refused_and_the_step_stays_open(stage: Stage) -> None:
    await begun(stage)

    with pytest.raises(StepTooLargeError):
        await finished(stage, "x" * (MAX_RESULT_BYTES - 1))
    assert (await finished(stage, "x" * (MAX_RESULT_BYTES - 2))).finished


@pytest.mark.parametrize(
    ("tenant", "agent", "task_id"),
    [
        pytest.param(ACME, BOT, ThreadId("nowhere"), id="no task"),
        pytest.param(ACME, OTHER_AGENT, TASK, id="another agent"),
        pytest.param(OTHER_TENANT, BOT, TASK, id="another tenant"),
    ],
)
async def test_nobody_elses_task_has_steps(stage: Stage, tenant: TenantId, agent: AgentId, task_id: ThreadId) -> None:
    await begun(stage)

    with pytest.raises(TaskNotFoundError):
        await stage.ledger.begin(tenant, agent, task_id, "mail", epoch=1, fingerprint="a")
    with pytest.raises(TaskNotFoundError):
        await stage.ledger.finish(tenant, agent, task_id, "mail", epoch=1, result="mine")
    assert not (await begun(stage)).finished


async def test_tasks_do_not_share_keys(stage: Stage) -> None:
    other = ThreadId("another")
    await stage.put(TaskDraft(task_id=other, epoch=5))
    await begun(stage)
    await finished(stage, "done")

    step = await stage.ledger.begin(ACME, BOT, other, "mail", epoch=5, fingerprint="b")

    assert not step.finished


async def test_of_many_finishes_at_once_one_result_stays(stage: Stage) -> None:
    await begun(stage)

    steps = await asyncio.gather(*(finished(stage, number) for number in range(8)))

    assert len({step.result for step in steps if isinstance(step.result, int)}) == 1
