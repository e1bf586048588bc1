"""What knowledge answers, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDocument:
    """What became of a document: whether anything ``changed``, and whether questions see it already."""

    document: str
    changed: bool
    visible: bool
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentUnit:
    """A passage of a document; ``suspicious`` ones speak to models, as a prompt injection does."""

    id: str
    start: int
    end: int
    heading: tuple[str, ...]
    suspicious: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPlace:
    """The characters from ``start`` to ``end`` of a document, and what stands around them."""

    start: int
    end: int
    before: str
    text: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDocument:
    """A document as it was read; ``opened`` is the place that was asked for."""

    document: str
    title: str
    media_type: str
    characters: int
    warnings: tuple[str, ...]
    put_by: str
    put_at: datetime
    units: tuple[DocumentUnit, ...]
    opened: OpenedPlace | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPage:
    """A page of documents' ids, in their order."""

    documents: tuple[str, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A passage that may answer a question: open its citation with `document`, ``start`` and ``end``."""

    document: str
    unit: str
    start: int
    end: int
    heading: tuple[str, ...]
    text: str
    suspicious: bool
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeAnswer:
    """Evidence, the best first. ``named`` are the nodes that the question names; ``cut_short`` says that a limit hit.

    ``seq`` is that of the state that was read.
    """

    evidence: tuple[Evidence, ...]
    named: tuple[str, ...]
    tokens: int
    cut_short: bool
    seq: int
