"""How a text becomes words that can be found: case and accents do not matter, and names have parts.

``svc:checkout-api``, ``checkoutApi`` and ``checkout_api`` all hold the words checkout and api. A name with inner
boundaries is also one word as it stands. Writing without spaces (Chinese, Japanese, Korean) is one word a character.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDEOGRAPHS: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_IDEOGRAPHS}]|[^\W_{_IDEOGRAPHS}]+")
# checkoutApi, HTTPServer, node12, 12th: where a small letter, a run of capitals or a number ends.
_INNER: Final = re.compile(
    r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])"
)
_MIXED: Final = re.compile(r"[a-z][A-Z]|[A-Z][A-Z][a-z]|[A-Za-z][0-9]|[0-9][A-Za-z]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is compared, and where it stands in its text."""

    text: str
    start: int
    end: int


def words(text: str) -> Iterator[Word]:
    """Yield the words of a text in order."""
    for found in _WORD.finditer(text):
        if folded := fold(found[0]):
            yield Word(folded, found.start(), found.end())


def parts(text: str) -> Iterator[Word]:
    """Yield the words of a text in order, each name split at its inner boundaries."""
    for found in _WORD.finditer(text):
        start = found.start()
        for end in (*(each.start() for each in _INNER.finditer(found[0])), len(found[0])):
            if folded := fold(text[start : found.start() + end]):
                yield Word(folded, start, found.start() + end)
            start = found.start() + end


def spaced(text: str) -> str:
    """Return the text with a space at every inner boundary of its names."""
    return _INNER.sub(" ", text)


def has_parts(text: str) -> bool:
    """Tell whether `parts` and `words` of the text may differ."""
    return _MIXED.search(text) is not None


def fold(text: str) -> str:
    """Return the text without case and accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if char.isalnum()).casefold()
