"""Cuts a text into units: passages short enough to be quoted whole, at the borders that its author made.

Where a unit begins depends on what stands there and not on what stands before it: a section begins one, and so does
about every fourth block, chosen by its own text. So an insertion moves the borders up to the next of those and leaves
every unit behind it as it was.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.documents import Block, BlockKind, DocumentId, Parsed, Section, Span, Unit, UnitId
from aeterna.knowledge.domain.suspicions import suspicions_of
from aeterna.knowledge.errors import DocumentRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_UNIT_CHARS: Final = 1_200
MAX_UNITS: Final = 50_000
_BORDERS: Final = 4
"""One block in so many begins a unit whatever stands before it."""
_PARAGRAPH: Final = re.compile(r"\S[^\n]*(?:\n(?![^\S\n]*(?:\n|\Z))[^\n]*)*")
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_SENTENCE_END: Final = re.compile("[.!?\u3002\uff01\uff1f\u2026][\"'\u201d\u2019)\\]]*\\s+|[\u3002\uff01\uff1f]")
_NO_SPACE: Final = re.compile(r"\S")
_SPACE: Final = re.compile(r"\s+")
_ZERO_WIDTH_JOINER: Final = "\u200d"
_REGIONALS: Final = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_LONGEST_GRAPHEME: Final = 64


def cut(parsed: Parsed, document: DocumentId) -> tuple[Unit, ...]:
    """Return the units in the order of the text; each character that is no white space is in exactly one of them.

    Raise `DocumentRefusedError` for a text of so many small pieces that no reader could want them.
    """
    headings = _Headings(parsed.sections)
    seen: Counter[str] = Counter()
    units: list[Unit] = []
    for span in _passages(parsed):
        if len(units) == MAX_UNITS:
            raise DocumentRefusedError(document, f"has more than {MAX_UNITS} passages; cut it into several documents")
        text = parsed.text[span.start : span.end]
        seen[text] += 1
        units.append(
            Unit(
                id=unit_id(document, text, seen[text]),
                document=document,
                span=span,
                heading=headings.above(span.end - 1),
                text=text,
                suspicious=suspicions_of(text),
            )
        )
    return tuple(units)


def unit_id(document: DocumentId, text: str, occurrence: int) -> UnitId:
    """Return the id of a document's passage; ``occurrence`` is 1 for the first of those with the same text."""
    told = f"{document}\0{occurrence}\0{text}".encode()
    return UnitId(hashlib.sha256(told).hexdigest()[:32])


def _passages(parsed: Parsed) -> Iterator[Span]:
    """Give out the spans of the units: pieces, put together as long as they fit and no border is between them."""
    text = parsed.text
    start = end = -1
    only_headings = False
    sections = {_begin(text, section.span.start) for section in parsed.sections}
    for block in _blocks(parsed):
        heading = block.kind is BlockKind.HEADING
        for piece in _pieces(text, block.span):
            # A heading with nothing below it stands with the next one: alone it says nothing.
            border = not only_headings and (piece.start in sections or _is_border(text, piece))
            if start >= 0 and (border or piece.end - start > MAX_UNIT_CHARS):
                yield Span(start=start, end=end)
                start = -1
            if start < 0:
                start, only_headings = piece.start, True
            end = piece.end
            only_headings = only_headings and heading
    if start >= 0:
        yield Span(start=start, end=end)


def _is_border(text: str, piece: Span) -> bool:
    return zlib.crc32(text[piece.start : piece.end].encode()) % _BORDERS == 0


def _blocks(parsed: Parsed) -> Iterator[Block]:
    """Give out the blocks, and paragraphs for what is in none."""
    at = 0
    for block in parsed.blocks:
        yield from _paragraphs(parsed.text, at, block.span.start)
        yield block
        at = block.span.end
    yield from _paragraphs(parsed.text, at, len(parsed.text))


def _paragraphs(text: str, start: int, end: int) -> Iterator[Block]:
    if start < end:
        for found in _PARAGRAPH.finditer(text, start, end):
            yield Block(span=Span(start=found.start(), end=found.end()), kind=BlockKind.PARAGRAPH)


def _pieces(text: str, span: Span) -> Iterator[Span]:
    """Give out a block in pieces that fit a unit: whole, by its lines, its sentences, its words, its characters."""
    block = _trimmed(text, span.start, span.end)
    if block is None:
        return
    if block.end - block.start <= MAX_UNIT_CHARS:
        yield block
        return
    for found in _LINE.finditer(text, block.start, block.end):
        line = _trimmed(text, found.start(), found.end())
        if line is not None:
            yield from _parts_of_line(text, line)


def _parts_of_line(text: str, line: Span) -> Iterator[Span]:
    start = line.start
    while line.end - start > MAX_UNIT_CHARS:
        at = _last_break(text, start, start + MAX_UNIT_CHARS)
        part = _trimmed(text, start, at)
        if part is not None:
            yield part
        start = at
    rest = _trimmed(text, start, line.end)
    if rest is not None:
        yield rest


def _last_break(text: str, start: int, limit: int) -> int:
    """Return where a line that is too long is cut best, at most at ``limit`` and behind ``start``."""
    for pattern in (_SENTENCE_END, _SPACE):
        ends = [found.end() for found in pattern.finditer(text, start, limit)]
        # A first sentence of three words is no place to cut a passage of a thousand characters.
        if ends and ends[-1] - start > MAX_UNIT_CHARS // 4:
            return ends[-1]
    at = limit
    while at > limit - _LONGEST_GRAPHEME and _is_within_grapheme(text, start, at):
        at -= 1
    return limit if _is_within_grapheme(text, start, at) else at


def _is_within_grapheme(text: str, start: int, at: int) -> bool:
    """Tell whether a cut before ``at`` would tear what a reader sees as one character (UAX #29, the common cases)."""
    if at >= len(text):
        return False
    char = text[at]
    return (
        char == _ZERO_WIDTH_JOINER
        or text[at - 1] == _ZERO_WIDTH_JOINER
        or unicodedata.category(char)[0] == "M"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or ("\U0001f1e6" <= char <= "\U0001f1ff" and _regionals_before(text, start, at) % 2 == 1)
    )


def _regionals_before(text: str, start: int, at: int) -> int:
    """Return how many letters of flags stand right before a place: two of them are one flag."""
    return at - start - len(text[start:at].rstrip(_REGIONALS))


def _begin(text: str, at: int) -> int:
    """Return where the text goes on behind white space; an indented section begins there."""
    found = _NO_SPACE.search(text, at)
    return found.start() if found else at


def _trimmed(text: str, start: int, end: int) -> Span | None:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    if left == len(piece):
        return None
    return Span(start=start + left, end=end - (len(piece) - len(piece.rstrip())))


class _Headings:
    """The titles above a place, asked for places in the order of the text."""

    def __init__(self, sections: tuple[Section, ...]) -> None:
        self._sections = sections
        self._next = 0
        self._open: list[Section] = []

    def above(self, place: int) -> tuple[str, ...]:
        while self._next < len(self._sections) and self._sections[self._next].span.start <= place:
            section = self._sections[self._next]
            self._open = [above for above in self._open if above.level < section.level]
            self._open.append(section)
            self._next += 1
        return tuple(section.title for section in self._open)
