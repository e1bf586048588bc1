"""Cuts a passage into its sentences, each with the place where it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.documents import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE: Final = re.compile(r"[ \t]{0,3}(```|~~~)")
# Headings, rows of tables, rules, comments and definitions of links: said elsewhere, or no prose.
_NO_PROSE: Final = re.compile(r"[ \t]*(?:#{1,6}(?:\s|$)|\||[-=*_]{3,}\s*$|<!--|\[[^\]]{1,200}\]:)")
_MARKER: Final = re.compile(r"[ \t]*(?:(?:[-*+•]|\d{1,3}[.)]|>)[ \t]+)+")
_STOP: Final = re.compile(r"[.!?…]+[\"')\]*_`»”’]{0,4}(?=\s)|[。！？]+")  # noqa: RUF001 - the stops of Chinese and Japanese
_LAST_WORD: Final = re.compile(r"(\S+)\.$")
_ABBREVIATIONS: Final = frozenset(
    [
        "e.g",
        "i.e",
        "etc",
        "vs",
        "cf",
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "fig",
        "eq",
        "sec",
        "no",
        "st",
        "inc",
        "ltd",
        "al",
        "approx",
        "resp",
        "z.b",
        "d.h",
        "bzw",
        "ca",
        "nr",
        "vgl",
    ]
)


def sentences_of(text: str) -> Iterator[Span]:
    """Give out the places of a text's sentences, in order: of paragraphs and list items, not of code and tables."""
    for block in _blocks(text):
        yield from _sentences(text, block)


def plain(text: str) -> str:
    """Return a sentence as it is shown: on one line."""
    return " ".join(text.split())


def _blocks(text: str) -> Iterator[Span]:
    """Give out runs of lines that belong together."""
    start: int | None = None
    end = 0
    fence: str | None = None
    for line in re.finditer(r"[^\n]*\n?", text):
        row = line.group()
        opened = _FENCE.match(row)
        silent = fence is not None or opened is not None or not row.strip() or _NO_PROSE.match(row) is not None
        marker = None if silent else _MARKER.match(row)
        if start is not None and (silent or marker is not None):
            yield Span(start=start, end=end)
            start = None
        if opened is not None and fence in {None, opened.group(1)}:
            fence = opened.group(1) if fence is None else None
        if silent:
            continue
        if start is None:
            start = line.start() + (marker.end() if marker is not None else 0)
        end = line.end()
    if start is not None:
        yield Span(start=start, end=end)


def _sentences(text: str, block: Span) -> Iterator[Span]:
    start = block.start
    for stop in _STOP.finditer(text, block.start, block.end):
        if stop.end() < block.end and not _ends(text[start : stop.end()], text[stop.end() : block.end]):
            continue
        yield from _trimmed(text, start, stop.end())
        start = stop.end()
    yield from _trimmed(text, start, block.end)


def _ends(before: str, after: str) -> bool:
    """Say whether a stop ends a sentence: not after an abbreviation or an initial, nor before a small letter."""
    following = next((character for character in after if character.isalnum()), "")
    if not following or before[-1] in "。！？":  # noqa: RUF001 - as above
        return True
    if following.islower() and not after.lstrip().startswith("`"):
        # A name of code begins a sentence as it is written.
        return False
    word = _LAST_WORD.search(before)
    if word is None:
        return True
    last = word.group(1).lstrip("(\"'[*_`")
    return last.lower() not in _ABBREVIATIONS and not (len(last) == 1 and last.isupper())


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield Span(start=start, end=end)
