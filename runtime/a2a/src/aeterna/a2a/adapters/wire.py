"""The thread store's JSON for tasks, as it is sent and read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from aeterna.a2a.domain.rows import (
    Lease,
    PushConfig,
    Row,
    RowPage,
    Step,
    StoredRow,
    StoredTask,
    TaskPage,
    TaskView,
    Written,
)

if TYPE_CHECKING:
    # Parsed JSON of the thread store, whose API vouches for its shape.
    from typing import Any

    from aeterna.a2a.domain.rows import Write

_ROW: Final = ("message_id", "role", "parts", "metadata", "extra", "payload", "artifact_id")
_WRITE: Final = ("expected_version", "epoch", "state", "status", "metadata", "handled_seq", "claim")


def write_json(write: Write) -> dict[str, Any]:
    """Return a write as it is sent; what is None is left out."""
    body: dict[str, Any] = {
        "task_id": write.task_id,
        "owner": write.owner,
        "write_id": write.write_id,
        "rows": [_row_json(row) for row in write.rows],
    }
    if write.creation is not None:
        creation: dict[str, str | float] = {"context_id": write.creation.context_id}
        if write.creation.ttl is not None:
            creation["ttl_seconds"] = write.creation.ttl.total_seconds()
        body["creation"] = creation
    if write.waiting:
        body["waiting"] = True
    for name in _WRITE:
        if (value := getattr(write, name)) is not None:
            body[name] = value
    return body


def _row_json(row: Row) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": row.kind, "author": row.author}
    if row.streamed:
        body["streamed"] = True
    if row.said:
        body["said"] = True
    if row.append:
        body["append"] = True
    for name in _ROW:
        if (value := getattr(row, name)) is not None:
            body[name] = value
    return body


def written_of(body: dict[str, Any]) -> Written:
    """Return what a write came to."""
    return Written(
        version=body["version"],
        created=body.get("created", False),
        repeated=body.get("repeated", False),
        epoch=body.get("epoch"),
    )


def row_of(body: dict[str, Any]) -> StoredRow:
    """Return a stored row."""
    parts = body.get("parts")
    return StoredRow(
        seq=body["seq"],
        created_at=datetime.fromisoformat(body["created_at"]),
        row=Row(
            kind=body["kind"],
            streamed=body.get("streamed", False),
            said=body.get("said", False),
            author=body["author"],
            message_id=body.get("message_id"),
            role=body.get("role"),
            parts=None if parts is None else tuple(parts),
            metadata=body.get("metadata"),
            extra=body.get("extra"),
            payload=body.get("payload"),
            artifact_id=body.get("artifact_id"),
            append=body.get("append", False),
        ),
    )


def task_of(body: dict[str, Any]) -> StoredTask:
    """Return a stored task."""
    expires_at = body.get("expires_at")
    return StoredTask(
        task_id=body["task_id"],
        context_id=body["context_id"],
        owner=body["owner"],
        state=body.get("state"),
        status=body.get("status"),
        metadata=body.get("metadata"),
        version=body["version"],
        epoch=body["epoch"],
        waiting=body["waiting"],
        handled_seq=body["handled_seq"],
        attempts=body["attempts"],
        created_at=datetime.fromisoformat(body["created_at"]),
        status_at=datetime.fromisoformat(body["status_at"]),
        expires_at=None if expires_at is None else datetime.fromisoformat(expires_at),
    )


def view_of(body: dict[str, Any]) -> TaskView:
    """Return a task with rows."""
    return TaskView(task=task_of(body["task"]), rows=tuple(row_of(row) for row in body["rows"]))


def page_of(body: dict[str, Any]) -> RowPage:
    """Return a page of rows."""
    return RowPage(rows=tuple(row_of(row) for row in body["rows"]), version=body["version"], state=body.get("state"))


def tasks_of(body: dict[str, Any]) -> TaskPage:
    """Return a page of tasks."""
    return TaskPage(
        tasks=tuple(task_of(task) for task in body["tasks"]), next_cursor=body.get("next_cursor"), total=body["total"]
    )


def lease_of(body: dict[str, Any]) -> Lease:
    """Return a lease."""
    return Lease(**{name: body[name] for name in ("task_id", "owner", "context_id", "epoch", "version", "attempts")})


def step_of(body: dict[str, Any]) -> Step:
    """Return a step of the ledger."""
    return Step(key=body["key"], finished=body["finished"], result=body.get("result"), epoch=body["epoch"])


def push_json(config: PushConfig, owner: str) -> dict[str, Any]:
    """Return a push configuration as it is sent."""
    named = (("token", config.token), ("scheme", config.scheme), ("credentials", config.credentials))
    return {"owner": owner, "url": config.url} | {name: value for name, value in named if value is not None}


def push_of(body: dict[str, Any]) -> PushConfig:
    """Return a push configuration as the store shows it, without its secrets."""
    return PushConfig(config_id=body["config_id"], url=body["url"], scheme=body.get("scheme"))
