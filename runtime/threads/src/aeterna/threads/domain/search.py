"""What is searched for in what plain threads say, and what is found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aeterna.threads.domain.conversation import Position, Role, Thread, ThreadId
from aeterna.threads.errors import SearchInvalidError

MAX_QUERY: Final = 500
"""The longest query, in characters."""
MAX_WORDS: Final = 32
MAX_SNIPPET: Final = 300
"""The longest snippet, in characters."""

_TAG: Final = re.compile(r"</?[A-Za-z!][^<>]*>")
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search of one tenant's plain threads: all of ``words`` (as people write them for a search engine).

    ``within`` is the only thread to look in, ``since`` the time before which nothing counts.
    """

    words: str
    within: ThreadId | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SearchPlace:
    """A message's place among all of a tenant's, in the order of time."""

    created_at: datetime
    thread_id: ThreadId
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A message that was found; ``snippet`` is plain text around the words, at most `MAX_SNIPPET` characters."""

    place: SearchPlace
    role: Role
    author: str
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HitPage:
    """Hits, newest first. ``next_place`` is where to go on, None at the end: a page may hold fewer than were asked for.

    What was committed before ``searchable_until`` can be found, and None says that the index is still being made.
    """

    hits: tuple[Hit, ...]
    next_place: SearchPlace | None
    searchable_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadFilter:
    """Which of a tenant's plain threads are asked for; None asks for nothing.

    Times ``since`` are included, times ``before`` are not. ``title`` is what a title contains, whatever its case.
    ``metadata`` is a member of the metadata and the text that it is.
    """

    by: str | None = None
    created_since: datetime | None = None
    created_before: datetime | None = None
    updated_since: datetime | None = None
    updated_before: datetime | None = None
    title: str | None = None
    metadata: tuple[str, str] | None = None

    def fits(self, thread: Thread) -> bool:
        """Return whether the thread is one that is asked for."""
        return (
            self.by in {None, thread.created_by}
            and _within(thread.created_at, self.created_since, self.created_before)
            and _within(thread.updated_at, self.updated_since, self.updated_before)
            and (self.title is None or self.title.lower() in (thread.title or "").lower())
            and (self.metadata is None or thread.metadata.get(self.metadata[0]) == self.metadata[1])
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadsFound:
    """Threads, newest first; ``next_place`` is where to go on, None at the end. A page may be short."""

    threads: tuple[Thread, ...]
    next_place: Position | None


def _within(moment: datetime, since: datetime | None, before: datetime | None) -> bool:
    return (since is None or since <= moment) and (before is None or moment < before)


def search_for(words: str, *, within: ThreadId | None = None, since: datetime | None = None) -> Search:
    """Return the search, or raise `SearchInvalidError` for one that is too long or cannot be text that was stored."""
    if len(words) > MAX_QUERY:
        raise SearchInvalidError(f"above {MAX_QUERY} characters")
    if len(words.split()) > MAX_WORDS:
        raise SearchInvalidError(f"above {MAX_WORDS} words")
    if "\x00" in words or any("\ud800" <= character <= "\udfff" for character in words):
        raise SearchInvalidError("no text")
    return Search(words=words, within=within, since=since)


def plain(snippet: str) -> str:
    """Return the snippet in one line, without tags, and no longer than it may be."""
    line = _INVISIBLE.sub(" ", _TAG.sub(" ", snippet)).strip()
    return line if len(line) <= MAX_SNIPPET else line[: MAX_SNIPPET - 1] + "…"
