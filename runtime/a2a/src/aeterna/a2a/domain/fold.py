"""A task from the rows of its log: the same that the SDK's `TaskManager` folds from the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from a2a.types import Artifact, Message, Task, TaskStatus

from aeterna.a2a.domain.events import payload_object
from aeterna.a2a.domain.messages import row_message
from aeterna.a2a.domain.proto_json import artifact_of, proto_of

if TYPE_CHECKING:
    from aeterna.a2a.domain.rows import Json, Row, StoredTask, TaskView


def assembled(view: TaskView, *, status: Json | None = None) -> Task:
    """Return the task of a view; ``status`` is given where the view ends before the task's present one.

    What a status says becomes history when another status or a message follows it; until then it stands in the status.
    """
    stored = view.task
    task = Task(id=stored.task_id, context_id=stored.context_id)
    present = proto_of(status or stored.status or {}, TaskStatus())
    saying: Message | None = None
    artifacts: dict[str, Artifact] = {}
    for row in (stored.row for stored in view.rows):
        if row.kind == "artifact":
            fold_artifact(artifacts, row)
            continue
        if saying is not None:
            task.history.append(saying)
            saying = None
        if row.kind == "message":
            task.history.append(row_message(row, task_id=stored.task_id, context_id=stored.context_id))
        else:
            said = payload_object(payload_object(row.payload or {}, "status"), "message")
            saying = proto_of(said, Message())
    if present.HasField("message") and saying is None and view.rows:
        present.ClearField("message")
    elif saying is not None and not present.HasField("message"):
        task.history.append(saying)
    task.status.CopyFrom(present)
    task.artifacts.extend(artifacts.values())
    if stored.metadata:
        proto_of(stored.metadata, task.metadata)
    return task


def fold_artifact(artifacts: dict[str, Artifact], row: Row) -> None:
    """Take a piece of an artifact to what there is of it: appended to it, or in its place."""
    piece = artifact_of(payload_object(row.payload or {}, "artifact"))
    kept = artifacts.get(piece.artifact_id)
    if kept is None or not row.append:
        artifacts[piece.artifact_id] = piece
        return
    kept.parts.extend(piece.parts)
    kept.metadata.update(dict(piece.metadata.items()))


def last_said(task: Task, count: int | None) -> Task:
    """Keep the last so many messages of the history, or all."""
    if count is not None and len(task.history) > count:
        del task.history[: len(task.history) - count]
    return task


def header(stored: StoredTask) -> Task:
    """Return the task without history and artifacts, as its own row tells it."""
    task = Task(id=stored.task_id, context_id=stored.context_id)
    proto_of(stored.status or {}, task.status)
    if stored.metadata:
        proto_of(stored.metadata, task.metadata)
    return task


def appearance(view: TaskView, row: Row) -> Task:
    """Return a task as it first appeared, from the view up to the row that says so."""
    payload = row.payload or {}
    task = assembled(view, status=payload_object(payload, "status"))
    task.ClearField("metadata")
    if "metadata" in payload:
        proto_of(payload_object(payload, "metadata"), task.metadata)
    return task
