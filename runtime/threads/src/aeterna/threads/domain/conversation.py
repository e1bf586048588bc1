"""What a conversation is: threads, the messages in them, and the rules that hold before anything is stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NewType, TypeAlias

from aeterna.service.json_value import JsonValue
from aeterna.threads.errors import MessageTooLargeError

ThreadId = NewType("ThreadId", str)
MessageId = NewType("MessageId", str)

# What is printed in a URL without quoting, so that an id survives logs, shells and routers as it is.
ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._~:@+=-]{0,254}$"

MAX_MESSAGE_BYTES: Final = 512 * 1024
MAX_METADATA_BYTES: Final = 16 * 1024
PAGE_BYTES: Final = 4 * 1024 * 1024
"""A page ends with the message or the row that uses this up, however many were asked for: what one reader costs."""
MAX_PARTS: Final = 64
MAX_TITLE: Final = 255
# PostgreSQL's and most clients' JSON parsers recurse; deeper values are an attack rather than a message.
MAX_DEPTH: Final = 32


class Role(StrEnum):
    """Who speaks; the words of A2A."""

    USER = "user"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labelled:
    """What a part may say of itself, whatever it holds; None is not said."""

    filename: str | None = None
    media_type: str | None = None
    metadata: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart(_Labelled):
    """A piece of a message that people read."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPart(_Labelled):
    """A piece of a message that programs read: any JSON value."""

    data: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlPart(_Labelled):
    """A piece of a message that is kept elsewhere; the store never looks there."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPart(_Labelled):
    """A piece of a message that is bytes, in Base64 (RFC 4648, section 4)."""

    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedPart(_Labelled):
    """A large part as the log holds it: ``object`` names its content in the object store (``sha256``, ``size``).

    Nobody sends one, and no reader of the service sees one.
    """

    kind: str
    object: Mapping[str, JsonValue]


Part: TypeAlias = TextPart | DataPart | UrlPart | RawPart | MovedPart


_compact: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def filling(sizes: Iterable[int]) -> int:
    """Return how many things of these sizes a page takes: up to the one that uses it up, so at least one."""
    count = total = 0
    for size in sizes:
        if total >= PAGE_BYTES:
            break
        count, total = count + 1, total + size
    return count


def compact(value: JsonValue) -> str:
    """Return the JSON text of a value, its keys in their order, without spaces; what is stored of tasks."""
    return _compact(value)


def canonical(value: JsonValue) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, no NaN; what is stored and what is digested."""
    return _canonical(value)


def part_json(part: Part) -> JsonValue:
    """Return a part as the store and the API write it: ``{"kind": …, …}``, without what it does not say."""
    written: dict[str, JsonValue]
    match part:
        case TextPart():
            written = {"kind": "text", "text": part.text}
        case DataPart():
            written = {"kind": "data", "data": part.data}
        case UrlPart():
            written = {"kind": "url", "url": part.url}
        case RawPart():
            written = {"kind": "raw", "raw": part.raw}
        case MovedPart():
            written = {"kind": part.kind, "object": dict(part.object)}
    if part.filename is not None:
        written["filename"] = part.filename
    if part.media_type is not None:
        written["media_type"] = part.media_type
    if part.metadata is not None:
        written["metadata"] = part.metadata
    return written


_KINDS: Final = {"text": TextPart, "data": DataPart, "url": UrlPart, "raw": RawPart}


def part_of(written: Mapping[str, JsonValue]) -> Part:
    """Return the part that `part_json` wrote."""
    # What is stored was validated on its way in.
    members: dict[str, Any] = dict(written)
    if "object" in members:
        return MovedPart(**members)
    return _KINDS[members.pop("kind")](**members)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadDraft:
    """A thread as its opener asks for it; without a ``ttl`` it stays until somebody erases it."""

    thread_id: ThreadId
    title: str | None = None
    metadata: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    ttl: timedelta | None = None

    def digest(self) -> bytes:
        """Return what tells a repeated request from another one under the same id."""
        asked: list[JsonValue] = [self.title, dict(self.metadata)]
        if self.ttl is not None:
            # Added only where it is given: what was digested before there were such threads is told as before.
            asked.append(self.ttl.total_seconds())
        return hashlib.sha256(canonical(asked).encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A conversation of one tenant, as stored; its messages are numbered 1 to ``last_seq`` without a gap.

    From ``expires_at`` on it is as if it had never been; None is a thread that does not expire.
    """

    thread_id: ThreadId
    title: str | None
    metadata: Mapping[str, JsonValue]
    created_by: str
    created_at: datetime
    updated_at: datetime
    last_seq: int
    version: int
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDraft:
    """A message as its author sends it; ``message_id`` is the author's own and makes a repeated append harmless.

    ``kept_parts`` is what the log is to hold in the place of ``parts``, as JSON, where large ones were moved.
    """

    message_id: MessageId
    role: Role
    parts: tuple[Part, ...]
    metadata: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    kept_parts: str | None = None

    def written(self) -> tuple[str, str, bytes]:
        """Return the JSON of the parts and of the metadata to be kept, and the digest; raise `MessageTooLargeError`."""
        parts, metadata = canonical([part_json(part) for part in self.parts]), canonical(self.metadata)
        # The canonical JSON of a list of the three, put together: each of them is written once only.
        content = f'["{self.role.value}",{parts},{metadata}]'.encode()
        kept = parts if self.kept_parts is None else self.kept_parts
        size = len(content) if self.kept_parts is None else len(kept.encode()) + len(metadata.encode())
        if size > MAX_MESSAGE_BYTES:
            raise MessageTooLargeError(size, MAX_MESSAGE_BYTES)
        return kept, metadata, hashlib.sha256(content).digest()

    def digest(self) -> bytes:
        """Return what tells a repeated append from another message under the same id.

        It is the SHA-256 of the canonical JSON of everything that the author said: ``[role, parts, metadata]``.
        """
        return self.written()[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """A message to be appended to a thread; ``expected_seq`` is the ``last_seq`` that its writer saw."""

    thread_id: ThreadId
    draft: MessageDraft
    by: str
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as stored: never changed, at one place in its thread for ever."""

    seq: int
    message_id: MessageId
    role: Role
    parts: tuple[Part, ...]
    metadata: Mapping[str, JsonValue]
    author: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What opening a thread came to; ``created`` is False when it was there already."""

    thread: Thread
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where a message stands; ``created`` is False when an earlier append of the same message put it there."""

    seq: int
    message_id: MessageId
    created_at: datetime
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in the listing of threads, newest first."""

    created_at: datetime
    thread_id: ThreadId


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """Messages in order, and where the thread ended when they were read."""

    messages: tuple[Message, ...]
    last_seq: int
