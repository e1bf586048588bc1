"""Reads documents to what the ledger keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.knowledge.domain.contributing import contribution_of
from aeterna.knowledge.domain.documents import Parsed
from aeterna.knowledge.domain.entries import Entry

if TYPE_CHECKING:
    from aeterna.knowledge.domain.documents import Upload
    from aeterna.knowledge.ports import DocumentReader


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
        warnings=read.warnings,
    )
