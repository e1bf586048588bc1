"""The calls about an agent's tasks, which the agent's own token may make: how each is asked and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client.errors import InvalidArgumentError
from aeterna.client.operation import Operation, Reply, query, segment
from aeterna.client.reader import Reader
from aeterna.client.task_values import (
    AgentTask,
    AgentTaskPage,
    CancelledTask,
    TaskRow,
    TaskRowPage,
    TaskView,
)

if TYPE_CHECKING:
    from datetime import datetime

ROOT = "/api/v1/tasks"
CANCELLED = "TASK_STATE_CANCELED"


def tasks(
    owner: str, *, state: str | None, context_id: str | None, limit: int | None, cursor: str | None
) -> Operation[AgentTaskPage]:
    """Read one page of an owner's tasks."""
    parameters = query(owner=_given(owner, "owner"), state=state, context_id=context_id, limit=limit, cursor=cursor)
    return Operation(service="threads", method="GET", path=ROOT, query=parameters, parse=_page)


def task(task_id: str, owner: str, *, history_length: int | None) -> Operation[TaskView]:
    """Read a task with what was said and its artifacts."""
    parameters = query(owner=_given(owner, "owner"), history_length=history_length)
    return Operation(service="threads", method="GET", path=_path(task_id), query=parameters, parse=_view)


def rows(task_id: str, owner: str, *, after: int, limit: int | None) -> Operation[TaskRowPage]:
    """Read rows of every kind in order."""
    parameters = query(owner=_given(owner, "owner"), after=after, limit=limit)
    return Operation(service="threads", method="GET", path=f"{_path(task_id)}/rows", query=parameters, parse=_rows)


def cancel(task_id: str, owner: str, now: datetime) -> Operation[CancelledTask]:
    """End a task. Not repeated by itself: the second time it has ended already."""

    def cancelled(reply: Reply) -> CancelledTask:
        return CancelledTask(task_id=task_id, version=Reader.of(reply.body, "cancelled task").integer("version"))

    return Operation(
        service="threads",
        method="POST",
        path=f"{_path(task_id)}/cancel",
        body={
            "owner": _given(owner, "owner"),
            "status": {"state": CANCELLED, "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
        },
        parse=cancelled,
    )


def _path(task_id: str) -> str:
    return f"{ROOT}/{segment(_given(task_id, 'task_id'))}"


def _given(value: str, name: str) -> str:
    if not value:
        raise InvalidArgumentError(name, "is empty")
    return value


def _page(reply: Reply) -> AgentTaskPage:
    fields = Reader.of(reply.body, "tasks")
    return AgentTaskPage(
        tasks=tuple(_task(item) for item in fields.readers("tasks")),
        next_cursor=fields.optional_text("next_cursor"),
        total=fields.integer("total"),
    )


def _view(reply: Reply) -> TaskView:
    fields = Reader.of(reply.body, "task")
    return TaskView(
        task=_task(Reader(fields.object("task"), "task")), rows=tuple(_row(item) for item in fields.readers("rows"))
    )


def _rows(reply: Reply) -> TaskRowPage:
    fields = Reader.of(reply.body, "rows")
    return TaskRowPage(
        rows=tuple(_row(item) for item in fields.readers("rows")),
        version=fields.integer("version"),
        state=fields.optional_text("state"),
    )


def _task(fields: Reader) -> AgentTask:
    return AgentTask(
        task_id=fields.text("task_id"),
        context_id=fields.text("context_id"),
        owner=fields.text("owner"),
        agent=fields.text("agent"),
        state=fields.optional_text("state"),
        version=fields.integer("version"),
        runner=fields.optional_text("runner"),
        waiting=fields.flag("waiting"),
        attempts=fields.integer("attempts"),
        created_at=fields.time("created_at"),
        status_at=fields.time("status_at"),
        expires_at=None if fields.optional_text("expires_at") is None else fields.time("expires_at"),
    )


def _row(fields: Reader) -> TaskRow:
    return TaskRow(
        seq=fields.integer("seq"),
        kind=fields.text("kind"),
        author=fields.text("author"),
        created_at=fields.time("created_at"),
        content=fields.rest("seq", "kind", "author", "created_at"),
    )
