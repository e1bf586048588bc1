"""Positions as opaque texts: what a client hands back as it got it."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, cast

from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Sequence


def sealed(fields: Sequence[str | int], *, version: int = 1) -> str:
    """Write the fields as one text that is safe in an address; ``version`` says what they mean."""
    text = json.dumps([version, *fields], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def opened(text: str, *, version: int = 1) -> list[object]:
    """Read the fields back; raise `InvalidQueryError` when the text is none of ours, or of another version."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        found = cast("object", json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)))
    except (UnicodeError, binascii.Error, ValueError, RecursionError) as problem:
        raise foreign() from problem
    if not isinstance(found, list):
        raise foreign()
    written, *fields = cast("list[object]", found) or [None]
    if written != version:
        raise foreign()
    return fields


def foreign() -> InvalidQueryError:
    """Return the error for a text that no earlier page gave."""
    return InvalidQueryError("cursor", "is not one that an earlier page gave")
