"""What the routes of tasks answer: written from the domain as it is, and described for the API's document."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, cast

from pydantic import BaseModel, ConfigDict

from aeterna.contracts.errors import AeternaError
from aeterna.service.json_value import JsonValue
from aeterna.threads.api.task_bodies import RowInput
from aeterna.threads.domain.conversation import compact
from aeterna.threads.domain.task import RowPage, State, StoredRow, Task, TaskPage, TaskView, Written


class WrittenBody(BaseModel):
    """Where a task's log ends after a write, and the fence of the lease where the write's ``claim`` has it."""

    version: int
    created: bool
    repeated: bool
    epoch: int | None


class WriteProblem(BaseModel):
    """Why a write was refused; nothing of it was written."""

    model_config = ConfigDict(extra="allow")

    code: str
    detail: str


class RefusedBody(BaseModel):
    """A write that was refused."""

    problem: WriteProblem


class WritesBody(BaseModel):
    """What each write came to, in their order."""

    results: list[WrittenBody | RefusedBody]


class RowBody(RowInput):
    """A row at its place in a task's log."""

    seq: int
    created_at: datetime


class TaskBody(BaseModel):
    """A task without its rows."""

    model_config = ConfigDict(extra="forbid")

    task_id: str
    context_id: str
    owner: str
    agent: str
    state: State | None
    status: dict[str, Any] | None
    metadata: dict[str, Any] | None
    version: int
    epoch: int
    runner: str | None
    waiting: bool
    handled_seq: int
    attempts: int
    created_at: datetime
    status_at: datetime
    expires_at: datetime | None


class TaskViewBody(BaseModel):
    """A task with the rows that were asked for."""

    task: TaskBody
    rows: list[RowBody]


class TasksBody(BaseModel):
    """A page of tasks; ``next_cursor`` is null on the last, and ``total`` counts all pages."""

    tasks: list[TaskBody]
    next_cursor: str | None
    total: int


class RowsBody(BaseModel):
    """A page of rows, and where the log ended when they were read."""

    rows: list[RowBody]
    version: int
    state: State | None


def written_json(written: Written) -> JsonValue:
    """Return what a write came to."""
    return {
        "version": written.version,
        "created": written.created,
        "repeated": written.repeated,
        "epoch": written.epoch,
    }


def problem_json(error: AeternaError) -> JsonValue:
    """Return why a write was refused."""
    facts = cast("Mapping[str, JsonValue]", getattr(error, "facts", {}))
    return {"problem": {**facts, "code": error.code, "detail": str(error)}}


def row_body(stored: StoredRow) -> JsonValue:
    """Return a stored row, without what it leaves out."""
    row = stored.row
    members: dict[str, JsonValue] = {
        "seq": stored.seq,
        "created_at": stored.created_at.isoformat(),
        "kind": row.kind,
        "streamed": row.streamed,
        "said": row.said,
        "author": row.author,
    }
    if row.append:
        members["append"] = True
    optional: Iterable[tuple[str, Any]] = (
        ("message_id", row.message_id),
        ("role", row.role),
        ("parts", row.parts),
        ("metadata", row.metadata),
        ("extra", row.extra),
        ("payload", row.payload),
        ("artifact_id", row.artifact_id),
    )
    members.update((name, value) for name, value in optional if value is not None)
    return members


_TASK_FIELDS: Final = tuple(field.name for field in fields(Task))


def task_body(task: Task) -> JsonValue:
    """Return a task without its rows."""
    members = {name: getattr(task, name) for name in _TASK_FIELDS}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in members.items()}


def view_json(view: TaskView) -> bytes:
    """Return a task with rows, as JSON."""
    return _json({"task": task_body(view.task), "rows": [row_body(row) for row in view.rows]})


def tasks_json(page: TaskPage, next_cursor: str | None) -> bytes:
    """Return a page of tasks, as JSON."""
    tasks = [task_body(task) for task in page.tasks]
    return _json({"tasks": tasks, "next_cursor": next_cursor, "total": page.total})


def rows_json(page: RowPage) -> bytes:
    """Return a page of rows, as JSON."""
    return _json({"rows": [row_body(row) for row in page.rows], "version": page.version, "state": page.state})


def results_json(results: Iterable[Written | AeternaError]) -> bytes:
    """Return what writes came to, in their order, as JSON."""
    return _json(
        {"results": [written_json(each) if isinstance(each, Written) else problem_json(each) for each in results]}
    )


def _json(value: JsonValue) -> bytes:
    return compact(value).encode()
