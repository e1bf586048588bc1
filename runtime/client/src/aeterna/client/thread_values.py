"""What the thread store answers: threads, messages and their parts, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from aeterna.client.json_value import JsonValue

Role: TypeAlias = Literal["user", "agent"]
ROLES: tuple[Role, ...] = ("user", "agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """A part that a person reads."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPart:
    """A part that a program reads."""

    data: JsonValue


Part: TypeAlias = TextPart | DataPart


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadInfo:
    """A conversation, without its messages."""

    thread_id: str
    created_at: datetime
    last_seq: int
    title: str | None
    metadata: Mapping[str, JsonValue]
    expires_at: datetime | None = None
    """From when on the thread does not exist for anybody; None is for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPage:
    """One page of the tenant's threads."""

    threads: tuple[ThreadInfo, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadHit:
    """A message that a search found; ``snippet`` is plain text around the words, not HTML."""

    thread_id: str
    seq: int
    created_at: datetime
    role: str
    author: str
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadHitPage:
    """Hits, newest first; a page may hold fewer than were asked for, and the last one has no ``next_cursor``."""

    hits: tuple[ThreadHit, ...]
    next_cursor: str | None
    searchable_until: datetime | None
    """What was committed before this time was searched; None while the store still makes its index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """An append that is durable: the message's place in the thread."""

    message_id: str
    seq: int
    created_at: datetime
    repeated: bool
    """True when this message id had been appended before and nothing new was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a thread; ``seq`` counts 1, 2, 3 … without a gap."""

    message_id: str
    seq: int
    role: str
    parts: tuple[Part, ...]
    metadata: Mapping[str, JsonValue]
    created_at: datetime

    @property
    def text(self) -> str:
        """The parts that a person reads, joined by newlines."""
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """Some messages of a thread in order."""

    messages: tuple[Message, ...]
    last_seq: int
    next_after: int | None
