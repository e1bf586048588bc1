"""A document as the ledger keeps it: what it says of the graph, and the text that every citation is opened in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from aeterna.knowledge.domain.contributions import Contribution
from aeterna.knowledge.domain.documents import MAX_DOCUMENT_ID_CHARS, DocumentId, Unit
from aeterna.knowledge.domain.elements import EdgeRow, NodeRow, rows_of
from aeterna.knowledge.errors import DocumentRefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A document that was read. The text of each unit is that of its span in ``text``."""

    contribution: Contribution
    media_type: str
    title: str
    text: str
    units: tuple[Unit, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A document that was read and checked: what a ledger takes as it is. Made by `record_of`."""

    document: DocumentId
    digest: str
    media_type: str
    title: str
    text: str
    units: tuple[Unit, ...]
    warnings: tuple[str, ...]
    nodes: tuple[NodeRow, ...]
    edges: tuple[EdgeRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A document that the ledger has: who put it there last, and when."""

    document: DocumentId
    digest: str
    media_type: str
    title: str
    text: str
    units: tuple[Unit, ...]
    warnings: tuple[str, ...]
    put_by: str
    put_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """On whose behalf something is written, and when."""

    subject: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of some documents at once: all of it, or nothing. No document is in it twice."""

    author: Author
    put: tuple[Record, ...] = ()
    removed: tuple[DocumentId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of them. ``touched`` counts the nodes and edges that the graph is to show anew."""

    stored: tuple[DocumentId, ...] = ()
    unchanged: tuple[DocumentId, ...] = ()
    removed: tuple[DocumentId, ...] = ()
    touched: int = 0


def record_of(entry: Entry) -> Record:
    """Check an entry; raise `DocumentRefusedError` for what no database or no graph takes."""
    document = entry.contribution.document
    if not 1 <= len(document) <= MAX_DOCUMENT_ID_CHARS:
        raise DocumentRefusedError(document[:50], f"has an id that is empty or longer than {MAX_DOCUMENT_ID_CHARS}")
    texts = chain((document, entry.title, entry.media_type, entry.text), entry.warnings, *_of_units(entry))
    try:
        if any(b"\0" in text.encode() for text in texts):
            raise DocumentRefusedError(document, "holds the character NUL")
    except UnicodeEncodeError as problem:
        raise DocumentRefusedError(ascii(document)[1:-1], "holds a lone surrogate") from problem
    nodes, edges = rows_of(entry.contribution)
    return Record(
        document=document,
        digest=entry.contribution.digest,
        media_type=entry.media_type,
        title=entry.title,
        text=entry.text,
        units=entry.units,
        warnings=entry.warnings,
        nodes=nodes,
        edges=edges,
    )


def _of_units(entry: Entry) -> tuple[tuple[str, ...], ...]:
    return tuple((*unit.heading, *unit.suspicious) for unit in entry.units)
