"""Turns a place in the listing of threads into an opaque text and back."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime
from typing import Final

from aeterna.threads.domain.conversation import ID_PATTERN, Position, ThreadId
from aeterna.threads.errors import CursorInvalidError

_MAX_CURSOR: Final = 1024


def encode(position: Position) -> str:
    """Return the position as a text without meaning to the client.

    It is not signed: it names a place in the caller's own tenant, and a forged one only names another such place.
    """
    content = json.dumps([position.created_at.isoformat(), position.thread_id]).encode()
    return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")


def decode(cursor: str) -> Position:
    """Return the position that `encode` wrote, or raise `CursorInvalidError`."""
    if len(cursor) > _MAX_CURSOR:
        raise CursorInvalidError
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        moment, thread_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        created_at = datetime.fromisoformat(moment)
    except (ValueError, TypeError, binascii.Error, RecursionError) as exc:
        raise CursorInvalidError from exc
    if created_at.tzinfo is None or not isinstance(thread_id, str) or not re.fullmatch(ID_PATTERN, thread_id):
        raise CursorInvalidError
    return Position(created_at=created_at, thread_id=ThreadId(thread_id))
