"""The calls of the thread store: how each is asked and how its answer is read."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from aeterna.client.errors import InvalidArgumentError
from aeterna.client.operation import Operation, Reply, query, segment
from aeterna.client.reader import Reader
from aeterna.client.thread_values import (
    ROLES,
    Appended,
    DataPart,
    Message,
    MessagePage,
    Part,
    Role,
    TextPart,
    ThreadHit,
    ThreadHitPage,
    ThreadInfo,
    ThreadPage,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from aeterna.client.json_value import JsonObject, JsonValue

ROOT = "/api/v1/threads"
Span: TypeAlias = "tuple[datetime | None, datetime | None]"
"""From when on, and before when."""
PartLike: TypeAlias = str | Part
"""A part to append: a string is a text part."""


def open_thread(
    thread_id: str, *, title: str | None, metadata: JsonObject | None, ttl: timedelta | None
) -> Operation[ThreadInfo]:
    """Make the thread if it is not there yet; its id is the key by which a repetition is recognised."""
    body: dict[str, JsonValue] = {"thread_id": _given(thread_id)}
    if title is not None:
        body["title"] = title
    if metadata is not None:
        body["metadata"] = metadata
    if ttl is not None:
        body["ttl_seconds"] = ttl.total_seconds()
    return Operation(service="threads", method="POST", path=ROOT, body=body, key=thread_id, parse=_thread_reply)


def thread(thread_id: str) -> Operation[ThreadInfo]:
    """Read a thread."""
    return Operation(service="threads", method="GET", path=_path(thread_id), parse=_thread_reply)


def threads(
    *,
    limit: int | None,
    cursor: str | None,
    created_by: str | None = None,
    created: Span = (None, None),
    updated: Span = (None, None),
    title: str | None = None,
    metadata: tuple[str, str] | None = None,
) -> Operation[ThreadPage]:
    """Read one page of the tenant's threads: all, or those that fit."""
    parameters = query(
        limit=limit,
        cursor=cursor,
        created_by=created_by,
        created_since=_moment("created_since", created[0]),
        created_before=_moment("created_before", created[1]),
        updated_since=_moment("updated_since", updated[0]),
        updated_before=_moment("updated_before", updated[1]),
        title=title,
        metadata=None if metadata is None else "=".join(metadata),
    )
    return Operation(service="threads", method="GET", path=ROOT, query=parameters, parse=_thread_page)


def search(
    words: str, *, within: str | None, since: datetime | None, limit: int | None, cursor: str | None
) -> Operation[ThreadHitPage]:
    """Search in what the tenant's conversations say."""
    parameters = query(q=words, thread_id=within, since=_moment("since", since), limit=limit, cursor=cursor)
    return Operation(service="threads", method="GET", path=f"{ROOT}/search", query=parameters, parse=_hit_page)


def append(
    thread_id: str,
    *,
    role: Role,
    parts: Sequence[PartLike],
    message_id: str,
    metadata: JsonObject | None,
    expected_seq: int | None,
) -> Operation[Appended]:
    """Append a message exactly once; its id is the key by which a repetition is recognised."""
    if role not in ROLES:
        raise InvalidArgumentError("role", f"{role!r} is neither 'user' nor 'agent'")
    if isinstance(parts, str) or not parts:
        raise InvalidArgumentError("parts", "must be a list of at least one part")
    body: dict[str, JsonValue] = {
        "message_id": message_id,
        "role": role,
        "parts": [part_document(part) for part in parts],
    }
    if metadata is not None:
        body["metadata"] = metadata
    if expected_seq is not None:
        body["expected_seq"] = expected_seq
    return Operation(
        service="threads",
        method="POST",
        path=f"{_path(thread_id)}/messages",
        body=body,
        key=message_id,
        parse=_appended,
    )


def messages(thread_id: str, *, after_seq: int, limit: int | None) -> Operation[MessagePage]:
    """Read one page of a thread's messages in order."""
    parameters = query(after_seq=after_seq, limit=limit)
    return Operation(
        service="threads", method="GET", path=f"{_path(thread_id)}/messages", query=parameters, parse=_message_page
    )


def events_path(thread_id: str) -> str:
    """Return where a thread's events are streamed."""
    return f"{_path(thread_id)}/events"


def part_document(part: PartLike) -> JsonValue:
    """Return a part as the API takes it."""
    if isinstance(part, str):
        return {"kind": "text", "text": part}
    if isinstance(part, TextPart):
        return {"kind": "text", "text": part.text}
    return {"kind": "data", "data": part.data}


def message_of(fields: Reader) -> Message:
    """Read a message; pages and events hold the same object."""
    return Message(
        message_id=fields.text("message_id"),
        seq=fields.integer("seq"),
        role=fields.text("role"),
        parts=tuple(_part(value) for value in fields.values("parts")),
        metadata=fields.object("metadata"),
        created_at=fields.time("created_at"),
    )


def _moment(name: str, moment: datetime | None) -> str | None:
    if moment is not None and moment.tzinfo is None:
        raise InvalidArgumentError(name, "has no time zone")
    return None if moment is None else moment.isoformat()


def _given(thread_id: str) -> str:
    if not thread_id:
        raise InvalidArgumentError("thread_id", "is empty")
    return thread_id


def _path(thread_id: str) -> str:
    return f"{ROOT}/{segment(_given(thread_id))}"


def _part(value: JsonValue) -> Part:
    if isinstance(value, str):
        return TextPart(text=value)
    fields = Reader(value, "part")
    if fields.text("kind") == "text":
        return TextPart(text=fields.text("text"))
    return DataPart(data=fields.rest("kind").get("data"))


def _thread(fields: Reader) -> ThreadInfo:
    return ThreadInfo(
        thread_id=fields.text("thread_id"),
        created_at=fields.time("created_at"),
        last_seq=fields.integer("last_seq"),
        title=fields.optional_text("title"),
        metadata=fields.object("metadata"),
        expires_at=fields.time("expires_at") if fields.optional_text("expires_at") is not None else None,
    )


def _thread_reply(reply: Reply) -> ThreadInfo:
    return _thread(Reader.of(reply.body, "thread"))


def _thread_page(reply: Reply) -> ThreadPage:
    fields = Reader.of(reply.body, "threads")
    return ThreadPage(
        threads=tuple(_thread(item) for item in fields.readers("threads")),
        next_cursor=fields.optional_text("next_cursor"),
    )


def _hit_page(reply: Reply) -> ThreadHitPage:
    fields = Reader.of(reply.body, "hits")
    return ThreadHitPage(
        hits=tuple(_hit(item) for item in fields.readers("hits")),
        next_cursor=fields.optional_text("next_cursor"),
        searchable_until=fields.time("searchable_until") if fields.optional_text("searchable_until") else None,
    )


def _hit(fields: Reader) -> ThreadHit:
    return ThreadHit(
        thread_id=fields.text("thread_id"),
        seq=fields.integer("seq"),
        created_at=fields.time("created_at"),
        role=fields.text("role"),
        author=fields.text("author"),
        snippet=fields.text("snippet"),
    )


def _appended(reply: Reply) -> Appended:
    fields = Reader.of(reply.body, "append")
    return Appended(
        message_id=fields.text("message_id"),
        seq=fields.integer("seq"),
        created_at=fields.time("created_at"),
        repeated=reply.status == HTTPStatus.OK,
    )


def _message_page(reply: Reply) -> MessagePage:
    fields = Reader.of(reply.body, "messages")
    return MessagePage(
        messages=tuple(message_of(item) for item in fields.readers("messages")),
        last_seq=fields.integer("last_seq"),
        next_after=fields.optional_integer("next_after"),
    )
