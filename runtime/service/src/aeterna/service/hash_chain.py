"""A chain of hashes over records: whoever changes, drops or moves one must change every hash after it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aeterna.service.json_value import JsonValue

GENESIS: Final = "0" * 64
"""What the first record of a chain follows."""


def canonical(record: Mapping[str, JsonValue]) -> bytes:
    """Return the one text of a record that is hashed: JSON with sorted names, no spaces, UTF-8."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def link(previous: str, record: Mapping[str, JsonValue]) -> str:
    """Return the record's hash, in hexadecimal: SHA-256 over the hash before it and the record's canonical text."""
    return link_text(previous, canonical(record))


def link_text(previous: str, text: bytes) -> str:
    """Return the hash of a record whose canonical text is at hand."""
    return hashlib.sha256(bytes.fromhex(previous) + text).hexdigest()


def broken_at(links: Iterable[tuple[Mapping[str, JsonValue], str]], *, follows: str = GENESIS) -> int | None:
    """Return the index, from 0, of the first record whose hash is not what the chain says, or None when it holds."""
    previous = follows
    for index, (record, stated) in enumerate(links):
        previous = link(previous, record)
        if previous != stated:
            return index
    return None
