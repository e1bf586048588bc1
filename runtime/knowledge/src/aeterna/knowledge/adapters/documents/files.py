"""Reads documents of every kind that is known, within limits that hold whatever they contain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.graph.domain.identifiers import problem_of_id
from aeterna.knowledge.adapters.documents.decoding import decoded
from aeterna.knowledge.adapters.documents.markdown import MarkdownFiles
from aeterna.knowledge.adapters.documents.refusals import RefusedError
from aeterna.knowledge.domain.documents import MAX_DOCUMENT_ID_CHARS
from aeterna.knowledge.errors import DocumentRefusedError

if TYPE_CHECKING:
    from aeterna.knowledge.domain.documents import Parsed, Upload
    from aeterna.knowledge.domain.tables import Table


class DocumentFiles:
    """Reads files. Make one for each process; it keeps nothing of what it reads."""

    def __init__(self) -> None:
        self._markdown = MarkdownFiles()

    def read(self, upload: Upload) -> Parsed | Table:
        """Read the document, in bounded time and memory whatever it holds; raise `DocumentRefusedError`."""
        if (problem := problem_of_id(upload.id, MAX_DOCUMENT_ID_CHARS)) is not None:
            raise DocumentRefusedError(upload.id, f"has an id that {problem}")
        try:
            return self._markdown.read(decoded(upload.content).text, upload.name)
        except RefusedError as problem:
            raise DocumentRefusedError(upload.id, str(problem)) from problem
