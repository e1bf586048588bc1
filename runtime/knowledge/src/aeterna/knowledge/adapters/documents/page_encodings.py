"""Finds the encoding that a web page says it is in."""

from __future__ import annotations

import re
from typing import Final

_DECLARED: Final = re.compile(
    rb"""<meta[^>]{0,200}?charset\s{0,8}=\s{0,8}["']?\s{0,8}([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE
)
_DECLARED_WITHIN: Final = 4_096


def declared_encoding(content: bytes) -> str | None:
    """Return the encoding, or None where the page says nothing."""
    found = _DECLARED.search(content[:_DECLARED_WITHIN])
    return found[1].decode() if found else None
