"""The routes of runners, leases and the ledger, for the processes of an agent and for operators."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Query, Request

from aeterna.threads.api import cursor as cursors
from aeterna.threads.api.access import AgentOfAll, OperatorOfAll, PathTask
from aeterna.threads.api.run_bodies import (
    BeatInput,
    ClaimInput,
    FreedBody,
    LeaseBody,
    LeasesBody,
    ReleaseInput,
    ResultInput,
    StepBody,
    StepInput,
    StuckTaskBody,
    StuckTasksBody,
    held_of,
)
from aeterna.threads.domain.conversation import ID_PATTERN, Position
from aeterna.threads.domain.task import AgentId, RunnerId, StuckPlace
from aeterna.threads.ports import Ledger, Runs

Runner = Annotated[str, Path(pattern=ID_PATTERN)]
StepKey = Annotated[str, Path(pattern=ID_PATTERN)]
Limit = Annotated[int, Query(ge=1, le=500)]


async def _runs(request: Request) -> Runs:
    return cast("Runs", request.app.state.runs)


async def _ledger(request: Request) -> Ledger:
    return cast("Ledger", request.app.state.ledger)


TheRuns = Annotated[Runs, Depends(_runs)]
TheLedger = Annotated[Ledger, Depends(_ledger)]

router = APIRouter(prefix="/api/v1", tags=["runs"])


@router.put("/runners/{runner}", status_code=204)
async def beat(runner: Runner, body: BeatInput, caller: AgentOfAll, runs: TheRuns) -> None:
    """Say that a process of the agent lives, for so many seconds more."""
    await runs.beat(caller.tenant, AgentId(caller.subject), RunnerId(runner), ttl=body.ttl)


@router.delete("/runners/{runner}", status_code=204)
async def leave(runner: Runner, caller: AgentOfAll, runs: TheRuns) -> None:
    """Say that a process of the agent ends; what it ran is free at once."""
    await runs.leave(caller.tenant, AgentId(caller.subject), RunnerId(runner))


@router.post("/runners/{runner}/claims")
async def claim(runner: Runner, body: ClaimInput, caller: AgentOfAll, runs: TheRuns) -> LeasesBody:
    """Take over tasks of the agent that wait and have no runner that lives, the oldest first."""
    leases = await runs.claim(
        caller.tenant, AgentId(caller.subject), RunnerId(runner), limit=body.limit, held=held_of(body)
    )
    return LeasesBody(leases=[LeaseBody.of(lease) for lease in leases])


@router.post("/tasks/{task_id}/release", status_code=204)
async def release(task_id: PathTask, body: ReleaseInput, caller: AgentOfAll, runs: TheRuns) -> None:
    """Give a lease back; nothing happens when it is somebody else's by now."""
    await runs.release(caller.tenant, AgentId(caller.subject), task_id, epoch=body.epoch)


@router.put("/tasks/{task_id}/steps/{key}")
async def begin_step(
    task_id: PathTask, key: StepKey, body: StepInput, caller: AgentOfAll, ledger: TheLedger
) -> StepBody:
    """Note that a side effect is about to be done, and return what is known of it."""
    step = await ledger.begin(
        caller.tenant, AgentId(caller.subject), task_id, key, epoch=body.epoch, fingerprint=body.fingerprint
    )
    return StepBody.of(step)


@router.put("/tasks/{task_id}/steps/{key}/result")
async def finish_step(
    task_id: PathTask, key: StepKey, body: ResultInput, caller: AgentOfAll, ledger: TheLedger
) -> StepBody:
    """Keep the result of a side effect; the first one stays."""
    step = await ledger.finish(
        caller.tenant, AgentId(caller.subject), task_id, key, epoch=body.epoch, result=body.result
    )
    return StepBody.of(step)


@router.get("/leases/stuck")
async def stuck_tasks(
    caller: OperatorOfAll, runs: TheRuns, limit: Limit = 50, cursor: str | None = None
) -> StuckTasksBody:
    """List the tenant's tasks that wait without a living runner, and those tried more than once, the oldest first."""
    place = None if cursor is None else cursors.decode(cursor)
    after = None if place is None else StuckPlace(waiting_since=place.created_at, task_id=place.thread_id)
    # One more than asked for tells whether there is a next page.
    found = await runs.stuck(caller.tenant, after=after, limit=limit + 1)
    page = found[:limit]
    more = len(found) > limit
    end = Position(created_at=page[-1].waiting_since, thread_id=page[-1].task_id) if more else None
    return StuckTasksBody(
        tasks=[StuckTaskBody.of(task) for task in page], next_cursor=None if end is None else cursors.encode(end)
    )


@router.post("/leases/{task_id}/free")
async def free_lease(task_id: PathTask, caller: OperatorOfAll, runs: TheRuns) -> FreedBody:
    """Take the lease of a task away from whoever has it, so that another runner begins it anew."""
    return FreedBody.of(await runs.free(caller.tenant, task_id))
