"""Writes rows of a task's log as A2A 1.0 has them in a notification: ``StreamResponse``, in ProtoJSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.threads.domain.task import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.conversation import ThreadId
    from aeterna.threads.domain.task import Row, StoredRow

# Fields of a message that the log has no columns for, or that differ from the task's. What else an agent keeps with a
# message is its own affair.
_BESIDE: Final = frozenset({"messageId", "contextId", "taskId", "role", "extensions", "referenceTaskIds"})
_ROLES: Final = {"user": "ROLE_USER", "agent": "ROLE_AGENT"}


def stream_response(
    task_id: ThreadId, context_id: str, row: Row, before: Sequence[StoredRow] = ()
) -> dict[str, JsonValue]:
    """Return what a subscriber would be told of the row; a task's first appearance needs the rows ``before`` it."""
    ids: dict[str, JsonValue] = {"taskId": task_id, "contextId": context_id}
    payload = _present(row.payload or {})
    match row.kind:
        case Kind.STATUS:
            return {"statusUpdate": {**ids, **payload}}
        case Kind.ARTIFACT:
            return {"artifactUpdate": {**ids, **payload}}
        case Kind.TASK:
            return {"task": {"id": task_id, "contextId": context_id, **payload, **_past(task_id, context_id, before)}}
        case Kind.MESSAGE | Kind.REPLY:
            return {"message": _message(task_id, context_id, row)}


def _past(task_id: ThreadId, context_id: str, before: Sequence[StoredRow]) -> dict[str, JsonValue]:
    history: list[JsonValue] = []
    artifacts: dict[str, JsonValue] = {}
    for stored in before:
        row = stored.row
        if row.kind is Kind.MESSAGE:
            history.append(_message(task_id, context_id, row))
        elif row.kind is Kind.ARTIFACT and row.payload is not None and not row.append:
            # Those that came with the task are whole; pieces are told one by one, as they came.
            artifacts[row.artifact_id or str(stored.seq)] = row.payload.get("artifact")
    return _present({"history": history or None, "artifacts": list(artifacts.values()) or None})


def _message(task_id: ThreadId, context_id: str, row: Row) -> JsonValue:
    return _present(
        {
            "messageId": row.message_id,
            "contextId": context_id,
            "taskId": task_id,
            "role": _ROLES[row.role.value] if row.role is not None else None,
            "parts": [_part(part) for part in row.parts or ()],
            "metadata": dict(row.metadata) if row.metadata else None,
            **{name: value for name, value in (row.extra or {}).items() if name in _BESIDE},
        }
    )


def _part(part: Mapping[str, JsonValue]) -> JsonValue:
    kind = str(part["kind"])
    # The content may be null where it is data; nothing else may.
    return {kind: part[kind]} | _present(
        {
            "filename": part.get("filename"),
            "mediaType": part.get("media_type"),
            "metadata": part.get("metadata"),
        }
    )


def _present(fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: value for name, value in fields.items() if value is not None}
