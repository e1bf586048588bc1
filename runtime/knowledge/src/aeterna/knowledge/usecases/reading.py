"""Reads documents to what the ledger keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.knowledge.domain.contributing import contribution_of, digest_of
from aeterna.knowledge.domain.documents import Parsed
from aeterna.knowledge.domain.entries import Entry

if TYPE_CHECKING:
    from aeterna.knowledge.domain.documents import Unit, Upload
    from aeterna.knowledge.ports import DocumentReader


class DocumentReading:
    """Makes entries of documents; what a digest says is the same is not even parsed."""

    def __init__(self, reader: DocumentReader) -> None:
        self._reader = reader

    def digest(self, upload: Upload) -> str:
        """Return what `read` would give as the entry's digest, without reading."""
        return digest_of(upload)

    def read(self, upload: Upload) -> Entry:
        """Read the document; raise `DocumentRefusedError`."""
        return entry_of(self._reader, upload)


def entry_of(reader: DocumentReader, upload: Upload) -> Entry:
    """Read one document and find what it says; raise `DocumentRefusedError`."""
    read = reader.read(upload)
    units, contribution = contribution_of(read, upload)
    return Entry(
        contribution=contribution,
        media_type=read.media_type,
        title=read.title,
        text=read.text if isinstance(read, Parsed) else "",
        units=units,
        warnings=(*read.warnings, *_marked(units)),
    )


def _marked(units: tuple[Unit, ...]) -> tuple[str, ...]:
    """Say how many units read like an order to a model, and in what way."""
    found = [unit.suspicious for unit in units if unit.suspicious]
    if not found:
        return ()
    ways = "; ".join(sorted({way for ways in found for way in ways}))
    return (f"{len(found)} of {len(units)} units read like an order to a model and are marked ({ways})",)
