"""Turns a place among the hits of a search into an opaque text and back."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aeterna.threads.api.cursor import pack, unpack
from aeterna.threads.domain.conversation import ID_PATTERN, ThreadId
from aeterna.threads.domain.search import SearchPlace
from aeterna.threads.errors import CursorInvalidError

if TYPE_CHECKING:
    from aeterna.threads.domain.search import Search

_MAX_SEQ: Final = 2**63 - 1


def encode(place: SearchPlace, search: Search) -> str:
    """Return the place as a text without meaning to the client; it holds for this search only."""
    return pack([place.created_at.isoformat(), place.thread_id, place.seq, _digest(search)])


def decode(cursor: str, search: Search) -> SearchPlace:
    """Return the place that `encode` wrote for this search, or raise `CursorInvalidError`."""
    try:
        moment, thread_id, seq, digest = unpack(cursor)
        created_at = datetime.fromisoformat(moment)
    except (ValueError, TypeError) as exc:
        raise CursorInvalidError from exc
    if (
        created_at.tzinfo is None
        or not isinstance(thread_id, str)
        or not re.fullmatch(ID_PATTERN, thread_id)
        or type(seq) is not int
        or not 1 <= seq <= _MAX_SEQ
        or digest != _digest(search)
    ):
        raise CursorInvalidError
    return SearchPlace(created_at=created_at, thread_id=ThreadId(thread_id), seq=seq)


def _digest(search: Search) -> str:
    since = "" if search.since is None else search.since.isoformat()
    return hashlib.sha256("\0".join([search.words, search.within or "", since]).encode()).hexdigest()[:16]
