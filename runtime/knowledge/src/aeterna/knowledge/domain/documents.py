"""A document as it is given and as it was read: its text, and where in the text everything stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

MAX_DOCUMENT_ID_CHARS: Final = 400

DocumentId = NewType("DocumentId", str)
UnitId = NewType("UnitId", str)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """A range of a document's text, in characters; ``end`` is the first character behind it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A document as it is given. ``name`` ends like its file; ``media_type`` wins over what that ending says.

    One that is ``unreadable`` has no content to be had, for the reason that it says, as in "is a symbolic link". It is
    given all the same, so that the refusal is reported beside the others.
    """

    id: DocumentId
    content: bytes
    name: str
    media_type: str | None = None
    unreadable: str | None = None


class BlockKind(StrEnum):
    """What a block of a text is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of a text that a reader takes in as one, such as a paragraph or one point of a list."""

    span: Span
    kind: BlockKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and all that stands below it, deeper headings included. ``level`` is 1 at the top."""

    span: Span
    level: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A place from which the text refers to something else; ``target`` is as it was written."""

    span: Span
    target: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A piece of code within prose, without its backticks or tags."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A name that source code defines; ``kind`` is such as ``class``, ``function`` or ``module``.

    ``name`` has the names that it stands within before it, with dots. ``span`` is that of the name itself.
    """

    span: Span
    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A document that was read.

    ``text`` is what spans count in: the decoded file itself where it is text, and what a reader would see of HTML.
    ``blocks``, ``links``, ``quoted`` and ``symbols`` are in the order of the text; blocks do not overlap, and what is
    in none of them is a paragraph. ``markup`` is what is no prose: addresses of links, tags. ``warnings`` are sentences
    about what was left out or looked odd.
    """

    media_type: str
    title: str
    text: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    links: tuple[Link, ...] = ()
    quoted: tuple[Quoted, ...] = ()
    symbols: tuple[Symbol, ...] = ()
    markup: tuple[Span, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A passage that is quoted whole: a few paragraphs of one section, at most.

    ``id`` follows from the document's id and the passage's own text, so that an insertion before it leaves it as it is.
    ``heading`` has the titles above it, the outermost first. ``suspicious`` names what in it reads like an order to a
    model; it is kept as the data that it is.
    """

    id: UnitId
    document: DocumentId
    span: Span
    heading: tuple[str, ...]
    text: str
    suspicious: tuple[str, ...] = ()
