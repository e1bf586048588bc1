"""What a whole task adds to a log that holds an earlier state of it, for stores that are handed whole tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from a2a.types import Message, Task, TaskArtifactUpdateEvent, TaskStatus, TaskStatusUpdateEvent

from aeterna.a2a.domain.events import Change, artifact_row, payload_object
from aeterna.a2a.domain.messages import message_row
from aeterna.a2a.domain.proto_json import STATE_NAMES, proto_json
from aeterna.a2a.domain.rows import Row

if TYPE_CHECKING:
    from aeterna.a2a.domain.rows import Json
    from aeterna.contracts.json_value import JsonValue

AUTHOR = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What must be known of a task to tell what a later state of it adds; it does not grow with the history.

    ``artifacts`` is None where it is not known, because pieces were added since the whole was seen.
    """

    version: int
    history: int
    status: bytes
    metadata: bytes
    artifacts: tuple[bytes, ...] | None

    @staticmethod
    def of(task: Task, version: int, *, artifacts: bool = True) -> Snapshot:
        """Return the snapshot of a task at a version."""
        return Snapshot(
            version=version,
            history=len(task.history),
            status=_bytes(task.status),
            metadata=_bytes(task),
            artifacts=tuple(one.SerializeToString(deterministic=True) for one in task.artifacts) if artifacts else None,
        )


def first_change(task: Task) -> Change:
    """Return the rows that begin a log with a task: its history, its artifacts, and the task itself."""
    rows = [_said(message, task) for message in task.history]
    rows += [
        artifact_row(TaskArtifactUpdateEvent(artifact=artifact), author=AUTHOR, streamed=False)
        for artifact in task.artifacts
    ]
    payload: dict[str, JsonValue] = {"status": proto_json(task.status)}
    metadata: Json | None = None
    if task.metadata.fields:
        metadata = payload["metadata"] = proto_json(task.metadata)
    said = task.status.HasField("message")
    rows.append(Row(kind="task", streamed=True, said=said, author=AUTHOR, payload=payload))
    return _changed(task, rows, metadata=metadata)


def event_change(event: TaskStatusUpdateEvent | TaskArtifactUpdateEvent, task: Task) -> Change:
    """Return the row of one event, and what it made of the task."""
    if isinstance(event, TaskArtifactUpdateEvent):
        return Change(rows=(artifact_row(event, author=AUTHOR),))
    payload: dict[str, JsonValue] = {"status": proto_json(event.status)}
    metadata: Json | None = None
    if event.metadata.fields:
        payload["metadata"] = proto_json(event.metadata)
        metadata = proto_json(task.metadata)
    said = event.status.HasField("message")
    row = Row(kind="status", streamed=True, said=said, author=AUTHOR, payload=payload)
    status = payload_object(payload, "status")
    return Change(rows=(row,), state=STATE_NAMES[event.status.state], status=status, metadata=metadata)


def later_change(known: Snapshot, task: Task) -> Change:
    """Return what a whole task adds to one that is known: messages at the end of the history, artifacts, a status.

    What the known status said is in the log already, so that it is not added again where it moved to the history.
    """
    added = list(task.history[known.history :])
    before = TaskStatus.FromString(known.status)
    if added and before.HasField("message") and added[0] == before.message:
        added.pop(0)
    rows = [_said(message, task) for message in added]
    known_artifacts = known.artifacts or ()
    for at, artifact in enumerate(task.artifacts):
        if at >= len(known_artifacts) or known_artifacts[at] != artifact.SerializeToString(deterministic=True):
            rows.append(artifact_row(TaskArtifactUpdateEvent(artifact=artifact), author=AUTHOR))
    if added:
        # A message that follows takes what the status said into the history.
        before.ClearField("message")
    metadata = proto_json(task.metadata) if _bytes(task) != known.metadata else None
    if before != task.status:
        event = TaskStatusUpdateEvent(status=task.status)
        change = event_change(event, task)
        return replace(change, rows=(*rows, *change.rows), metadata=metadata)
    return Change(rows=tuple(rows), metadata=metadata)


def _changed(task: Task, rows: list[Row], *, metadata: Json | None) -> Change:
    return Change(
        rows=tuple(rows), state=STATE_NAMES[task.status.state], status=proto_json(task.status), metadata=metadata
    )


def _said(message: Message, task: Task) -> Row:
    """Return a message's row without the id in its own column: a history that the SDK keeps may say the same twice."""
    row = message_row(message, kind="message", task_id=task.id, context_id=task.context_id, author=AUTHOR)
    if row.message_id is None:
        return row
    return replace(row, message_id=None, extra={**(row.extra or {}), "messageId": row.message_id})


def _bytes(message: Task | TaskStatus) -> bytes:
    kept = message.metadata if isinstance(message, Task) else message
    return kept.SerializeToString(deterministic=True)
