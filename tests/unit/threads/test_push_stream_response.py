"""Notifications in A2A's own words: whatever row it is, the SDK reads what we send as its ``StreamResponse``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from a2a.types.a2a_pb2 import Message, StreamResponse
from google.protobuf.json_format import MessageToDict, ParseDict

from aeterna.a2a.domain.messages import message_row
from aeterna.threads.domain.conversation import MessageId, Role, ThreadId
from aeterna.threads.domain.stream_response import stream_response
from aeterna.threads.domain.task import Kind, Row, StoredRow

if TYPE_CHECKING:
    from typing import Any

TASK = ThreadId("task-1")
STATUS = {"state": "TASK_STATE_WORKING", "timestamp": "2026-11-23T12:00:00Z"}
MESSAGE = Row(
    kind=Kind.MESSAGE,
    streamed=False,
    said=True,
    author="ada",
    message_id=MessageId("m-1"),
    role=Role.USER,
    parts=(
        {"kind": "text", "text": "hello", "metadata": {"a": 1.0}},
        {"kind": "data", "data": {"x": [1.0, None]}, "media_type": "application/json"},
        {"kind": "url", "url": "https://files.example/a", "filename": "a.txt", "media_type": "text/plain"},
        {"kind": "raw", "raw": "aGk="},
    ),
    metadata={"k": "v"},
    extra={"extensions": ["urn:x"], "referenceTaskIds": ["task-0"], "request": {"traceparent": "the agent's own"}},
)
MESSAGE_JSON = {
    "messageId": "m-1",
    "contextId": "context-1",
    "taskId": "task-1",
    "role": "ROLE_USER",
    "parts": [
        {"text": "hello", "metadata": {"a": 1.0}},
        {"data": {"x": [1.0, None]}, "mediaType": "application/json"},
        {"url": "https://files.example/a", "filename": "a.txt", "mediaType": "text/plain"},
        {"raw": "aGk="},
    ],
    "metadata": {"k": "v"},
    "extensions": ["urn:x"],
    "referenceTaskIds": ["task-0"],
}
ARTIFACT = {"artifactId": "a-1", "parts": [{"text": "piece"}]}


def row(kind: Kind, payload: dict[str, Any]) -> Row:
    """Return a row with a payload."""
    return Row(kind=kind, streamed=True, author="helper", payload=payload, artifact_id="a-1")


def stored(seq: int, one: Row) -> StoredRow:
    """Return a row at a place."""
    return StoredRow(seq=seq, created_at=datetime(2026, 11, 23, tzinfo=UTC), row=one)


IDS = {"taskId": "task-1", "contextId": "context-1"}
CASES: dict[str, tuple[Row, tuple[StoredRow, ...], dict[str, Any]]] = {
    "a status": (
        row(Kind.STATUS, {"status": STATUS, "metadata": {"n": 1.0}}),
        (),
        {"statusUpdate": {**IDS, "status": STATUS, "metadata": {"n": 1.0}}},
    ),
    "a status without metadata": (
        row(Kind.STATUS, {"status": STATUS, "metadata": None}),
        (),
        {"statusUpdate": {**IDS, "status": STATUS}},
    ),
    "a piece of an artifact": (
        row(Kind.ARTIFACT, {"artifact": ARTIFACT, "append": True, "lastChunk": True}),
        (),
        {"artifactUpdate": {**IDS, "artifact": ARTIFACT, "append": True, "lastChunk": True}},
    ),
    "a task with what came before it": (
        row(Kind.TASK, {"status": STATUS, "metadata": {"t": "x"}}),
        (stored(1, MESSAGE), stored(2, row(Kind.ARTIFACT, {"artifact": ARTIFACT}))),
        {
            "task": {
                "id": "task-1",
                "contextId": "context-1",
                "status": STATUS,
                "metadata": {"t": "x"},
                "history": [MESSAGE_JSON],
                "artifacts": [ARTIFACT],
            }
        },
    ),
    "a message": (MESSAGE, (), {"message": MESSAGE_JSON}),
}


@pytest.mark.parametrize(("one", "before", "expected"), CASES.values(), ids=CASES)
def test_a_row_is_told_as_the_protocol_has_it(
    one: Row, before: tuple[StoredRow, ...], expected: dict[str, Any]
) -> None:
    told = stream_response(TASK, "context-1", one, before)

    assert MessageToDict(ParseDict(told, StreamResponse())) == expected


AS_SENT = {
    "an agent's message with ids that the store has no form for": {
        "messageId": "no id at all / really",
        "contextId": "another context",
        "role": "ROLE_AGENT",
        "parts": [{"text": "hi", "mediaType": "text/plain"}],
    },
    "a user's message with everything": {**MESSAGE_JSON, "parts": [{"raw": "aGk=", "filename": "a"}, {"data": None}]},
    "an answer where there is no task": {"messageId": "m-9", "contextId": "context-1", "role": "ROLE_AGENT"},
}


@pytest.mark.parametrize("sent", AS_SENT.values(), ids=AS_SENT)
def test_what_the_kit_keeps_of_a_message_is_told_as_it_was_sent(sent: dict[str, Any]) -> None:
    """The kit writes the rows and the store reads them: both must mean the same by each field."""
    message = ParseDict(sent, Message())
    kept = message_row(message, kind="reply", task_id="task-1", context_id="context-1", author="helper")
    reply = Row(
        kind=Kind.REPLY,
        streamed=True,
        author=kept.author,
        message_id=None if kept.message_id is None else MessageId(kept.message_id),
        role=None if kept.role is None else Role(kept.role),
        parts=kept.parts,
        metadata=kept.metadata,
        extra=kept.extra,
    )

    told = stream_response(TASK, "context-1", reply)

    assert ParseDict(told, StreamResponse()).message == message
