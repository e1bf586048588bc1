"""The elements of a JSON list one after the other, so that reading a long one can pause between any two."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element: its value, its own text, and where in the whole text it begins."""

    value: object
    text: str
    start: int


def elements(text: str) -> Iterator[Element]:
    """Yield the elements of the list that the text is; raise ValueError, perhaps only in the end, if it is none."""
    at = _past(text, 0, "[")
    if text[at : at + 1] == "]":
        at += 1
    else:
        while True:
            value, end = _DECODER.raw_decode(text, at)
            yield Element(value=value, text=text[at:end], start=at)
            at = _skip(text, end)
            if text[at : at + 1] == "]":
                at += 1
                break
            at = _past(text, at, ",")
    if _skip(text, at) != len(text):
        raise ValueError("there is more behind the list of entities")


def _past(text: str, at: int, expected: str) -> int:
    """Return where the next thing begins behind an expected character."""
    at = _skip(text, at)
    if text[at : at + 1] != expected:
        raise ValueError(f"a list of entities in JSON has {expected!r} at character {at}")
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return at if space is None else space.end()
