"""The routes of tasks for the processes of an agent, under ``/api/v1/tasks``."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from datetime import datetime
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from aeterna.threads.api import cursor as cursors
from aeterna.threads.api.access import AgentOfAll, PathTask
from aeterna.threads.api.bodies import Identifier, Seq, Text
from aeterna.threads.api.task_answers import (
    RowsBody,
    TasksBody,
    TaskViewBody,
    WritesBody,
    WrittenBody,
    results_json,
    rows_json,
    tasks_json,
    view_json,
    written_json,
)
from aeterna.threads.api.task_bodies import MAX_OWNER, CancelInput, WritesInput, parse_writes
from aeterna.threads.api.wake_streams import WakeStreams
from aeterna.threads.domain.conversation import Position
from aeterna.threads.domain.task import AgentId, State, TaskPlace, TaskQuery, Write, Written
from aeterna.threads.errors import StoreBusyError, StoreUnavailableError
from aeterna.threads.ports import TaskLog

Owner = Annotated[Text, Query(min_length=1, max_length=MAX_OWNER)]
_JSON: Final = "application/json"


async def _log(request: Request) -> TaskLog:
    return cast("TaskLog", request.app.state.tasks)


async def _wakes(request: Request) -> WakeStreams:
    return cast("WakeStreams", request.app.state.wake_streams)


TheLog = Annotated[TaskLog, Depends(_log)]

router = APIRouter(prefix="/api/v1/tasks", tags=["tasks"])


@router.post(
    "/writes",
    response_class=Response,
    responses={200: {"model": WritesBody}},
    openapi_extra={"requestBody": {"required": True, "content": {_JSON: {"schema": WritesInput.model_json_schema()}}}},
)
async def write_rows(request: Request, caller: AgentOfAll, log: TheLog) -> Response:
    """Add rows to the logs of tasks, each write for itself; the results are in the order of the writes."""
    parsed = parse_writes(await request.body())
    writes = [write for write in parsed if isinstance(write, Write)]
    made = iter(await log.write(caller.tenant, AgentId(caller.subject), writes) if writes else ())
    results = [next(made) if isinstance(each, Write) else each for each in parsed]
    # Nothing was written, and the same request may succeed soon: said once, where every client looks.
    for error in (StoreUnavailableError, StoreBusyError):
        if all(isinstance(result, error) for result in results):
            raise error
    return Response(results_json(results), media_type=_JSON)


@router.get("/wakes", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def follow_tasks(
    request: Request, caller: AgentOfAll, streams: Annotated[WakeStreams, Depends(_wakes)]
) -> StreamingResponse:
    """Tell of the agent's tasks that grow: events `wake` with `task_id` and `version`, and `all` when any may have."""
    drain = request.app.state.drain
    events = streams.open(caller.tenant, AgentId(caller.subject), draining=lambda: drain.requested)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


@router.get("", response_class=Response, responses={200: {"model": TasksBody}})
async def list_tasks(
    caller: AgentOfAll,
    log: TheLog,
    owner: Owner,
    context_id: Identifier | None = None,
    state: State | None = None,
    status_after: datetime | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Response:
    """List the owner's tasks, the one whose status changed last first."""
    place = None if cursor is None else cursors.decode(cursor)
    after = None if place is None else TaskPlace(status_at=place.created_at, task_id=place.thread_id)
    page = await log.tasks(
        caller.tenant,
        AgentId(caller.subject),
        TaskQuery(owner=owner, context_id=context_id, state=state, status_after=status_after, after=after, limit=limit),
    )
    end = page.next_place
    following = None if end is None else cursors.encode(Position(created_at=end.status_at, thread_id=end.task_id))
    return Response(tasks_json(page, following), media_type=_JSON)


@router.get("/{task_id}", response_class=Response, responses={200: {"model": TaskViewBody}})
async def read_task(
    task_id: PathTask,
    caller: AgentOfAll,
    log: TheLog,
    owner: Owner,
    history_length: Seq | None = None,
    artifacts: Annotated[bool, Query()] = True,  # noqa: FBT002 - a query parameter
    upto: Seq | None = None,
) -> Response:
    """Return a task with what was said (the last so many, or all) and its artifacts."""
    view = await log.task(
        caller.tenant,
        AgentId(caller.subject),
        task_id,
        owner=owner,
        history_length=history_length,
        artifacts=artifacts,
        upto=upto,
    )
    return Response(view_json(view), media_type=_JSON)


@router.get("/{task_id}/rows", response_class=Response, responses={200: {"model": RowsBody}})
async def read_rows(
    task_id: PathTask,
    caller: AgentOfAll,
    log: TheLog,
    owner: Owner,
    after: Seq = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Return rows of every kind in order, from the one after ``after``."""
    page = await log.rows(caller.tenant, AgentId(caller.subject), task_id, owner=owner, after=after, limit=limit)
    return Response(rows_json(page), media_type=_JSON)


@router.post("/{task_id}/cancel")
async def cancel_task(task_id: PathTask, body: CancelInput, caller: AgentOfAll, log: TheLog) -> WrittenBody:
    """End a task at its owner's wish, and take it from whoever runs it."""
    written: Written = await log.cancel(
        caller.tenant, AgentId(caller.subject), task_id, owner=body.owner, status=body.status
    )
    return WrittenBody.model_construct(**cast("dict[str, Any]", written_json(written)))
