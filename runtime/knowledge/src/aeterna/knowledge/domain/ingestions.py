"""A piece of work over many documents, which any process may go on with where another one ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from aeterna.knowledge.domain.documents import DocumentId

IngestionId = NewType("IngestionId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A document that was kept out, and why."""

    document: DocumentId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingestion:
    """How far it is. ``cursor`` is the last document that is done with; ``total`` is None where nobody counted.

    Where it ``mirrors`` what begins so, documents of such ids that its source does not have are removed; the empty text
    is all of a tenant's documents, and None is to remove nothing.
    """

    id: IngestionId
    source: str
    started_by: str
    started_at: datetime
    total: int | None = None
    mirrors: str | None = None
    finished_at: datetime | None = None
    stored: int = 0
    unchanged: int = 0
    removed: int = 0
    refused: int = 0
    cursor: DocumentId | None = None

    @property
    def done(self) -> int:
        """How many documents are done with, whatever became of them."""
        return self.stored + self.unchanged + self.refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far a change brings an ingestion: from one cursor to the next, with those that were kept out on the way."""

    ingestion: IngestionId
    before: DocumentId | None
    after: DocumentId
    refused: tuple[Refusal, ...] = ()
    unchanged: int = 0
