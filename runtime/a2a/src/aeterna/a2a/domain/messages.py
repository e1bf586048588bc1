"""A message of A2A in the columns that the thread store has for messages, and back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from a2a.types import Message, Role

from aeterna.a2a.domain.proto_json import proto_json, proto_of
from aeterna.a2a.domain.rows import Row

if TYPE_CHECKING:
    from a2a.types import Part

    from aeterna.a2a.domain.rows import Json, Kind
    from aeterna.contracts.json_value import JsonValue

ID_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:@+=-]{0,254}")
"""The ids that the thread store keeps."""
REQUEST: Final = "request"
"""What came with a user's message and is needed to run it again; in ``extra``, and no part of the message."""
_BESIDE: Final = frozenset({"messageId", "taskId", "contextId", "role", "extensions", "referenceTaskIds"})
_CONTENTS: Final = ("text", "data", "url", "raw")


def message_row(
    message: Message,
    *,
    kind: Kind,
    task_id: str,
    context_id: str,
    author: str,
    streamed: bool = False,
    request: Json | None = None,
) -> Row:
    """Return the row that keeps a message of this task, or raise `ValueError` where a part has no content.

    What the task says already is not kept again; an agent's message id that the store has no form for is kept beside.
    """
    extra: dict[str, JsonValue] = {}
    fits = ID_PATTERN.fullmatch(message.message_id) is not None
    if message.message_id and not fits:
        extra["messageId"] = message.message_id
    if message.context_id != context_id:
        extra["contextId"] = message.context_id
    if message.task_id != task_id:
        extra["taskId"] = message.task_id
    if message.role == Role.ROLE_UNSPECIFIED:
        extra["role"] = "ROLE_UNSPECIFIED"
    if message.extensions:
        extra["extensions"] = list(message.extensions)
    if message.reference_task_ids:
        extra["referenceTaskIds"] = list(message.reference_task_ids)
    if request is not None:
        extra[REQUEST] = request
    return Row(
        kind=kind,
        streamed=streamed,
        said=kind == "message",
        author=author,
        message_id=message.message_id if fits else None,
        role="user" if message.role == Role.ROLE_USER else "agent",
        parts=tuple(_part_row(part) for part in message.parts),
        metadata=proto_json(message.metadata) if message.HasField("metadata") else None,
        extra=extra or None,
    )


def row_message(row: Row, *, task_id: str, context_id: str) -> Message:
    """Return the message that a row keeps."""
    content: dict[str, JsonValue] = {
        "messageId": row.message_id or "",
        "taskId": task_id,
        "contextId": context_id,
        "role": "ROLE_USER" if row.role == "user" else "ROLE_AGENT",
        "parts": [_row_part(part) for part in row.parts or ()],
    }
    content |= {name: value for name, value in (row.extra or {}).items() if name in _BESIDE}
    # The store tells none from an empty one no more than A2A does.
    if row.metadata:
        content["metadata"] = row.metadata
    return proto_of(content, Message())


def _part_row(part: Part) -> Json:
    content = proto_json(part)
    kind = next((name for name in _CONTENTS if name in content), None)
    if kind is None:
        raise ValueError("a part of the message has no content")
    row: dict[str, JsonValue] = {"kind": kind}
    for name, value in content.items():
        row["media_type" if name == "mediaType" else name] = value
    return row


def _row_part(row: Json) -> JsonValue:
    return {"mediaType" if name == "media_type" else name: value for name, value in row.items() if name != "kind"}
