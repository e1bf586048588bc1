"""Turns a place in the listing of threads into an opaque text and back."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from aeterna.threads.domain.conversation import ID_PATTERN, Position, ThreadId
from aeterna.threads.errors import CursorInvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_CURSOR: Final = 1024


def encode(position: Position) -> str:
    """Return the position as a text without meaning to the client.

    It is not signed: it names a place in the caller's own tenant, and a forged one only names another such place.
    """
    return pack([position.created_at.isoformat(), position.thread_id])


def decode(cursor: str) -> Position:
    """Return the position that `encode` wrote, or raise `CursorInvalidError`."""
    try:
        moment, thread_id = unpack(cursor)
        created_at = datetime.fromisoformat(moment)
    except (ValueError, TypeError) as exc:
        raise CursorInvalidError from exc
    if created_at.tzinfo is None or not isinstance(thread_id, str) or not re.fullmatch(ID_PATTERN, thread_id):
        raise CursorInvalidError
    return Position(created_at=created_at, thread_id=ThreadId(thread_id))


def pack(values: Sequence[str | int]) -> str:
    """Return the values as one opaque text."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode("ascii").rstrip("=")


def unpack(cursor: str) -> Any:  # noqa: ANN401 - whatever a client sends
    """Return what `pack` was given, or anything else that a client made up, or raise `CursorInvalidError`."""
    if len(cursor) > _MAX_CURSOR:
        raise CursorInvalidError
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error, RecursionError) as exc:
        raise CursorInvalidError from exc
