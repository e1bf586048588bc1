"""Reads documents of every kind that is known, within limits that hold whatever they contain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.identifiers import problem_of_id
from aeterna.knowledge.adapters.documents import media_types
from aeterna.knowledge.adapters.documents.csv_tables import read_csv
from aeterna.knowledge.adapters.documents.decoding import decoded
from aeterna.knowledge.adapters.documents.languages import language_of
from aeterna.knowledge.adapters.documents.markdown import MarkdownFiles
from aeterna.knowledge.adapters.documents.page_encodings import declared_encoding
from aeterna.knowledge.adapters.documents.plain_text import read_plain_text
from aeterna.knowledge.adapters.documents.reader_process import ReaderProcess
from aeterna.knowledge.adapters.documents.refusals import RefusedError
from aeterna.knowledge.domain.documents import MAX_DOCUMENT_ID_CHARS
from aeterna.knowledge.errors import DocumentRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.knowledge.domain.documents import Parsed, Upload
    from aeterna.knowledge.domain.tables import Table

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLimits:
    """How much one document may ask: its own ``bytes``, and ``seconds`` and ``memory`` of the process that reads it.

    A large one may take ``seconds_per_mib`` more, so that a small one that hangs is ended soon.

    Markdown of more than ``markdown`` characters is read there, too: its parser is linear, and slow for what is none.
    """

    bytes: int = 16 * _MIB
    seconds: float = 15.0
    seconds_per_mib: float = 4.0
    memory: int = 1024 * _MIB
    markdown: int = 256 * 1024


class DocumentFiles:
    """Reads files. It keeps nothing of what it reads; its process, if one was needed, ends with `close` or with us."""

    def __init__(self, limits: ReadingLimits | None = None) -> None:
        self._limits = limits or ReadingLimits()
        self._markdown = MarkdownFiles()
        self._process = ReaderProcess(
            seconds=self._limits.seconds,
            seconds_per_mib=self._limits.seconds_per_mib,
            memory=self._limits.memory,
        )

    def __reduce__(self) -> tuple[Callable[[ReadingLimits], DocumentFiles], tuple[ReadingLimits]]:
        """In another process it is the one that this process has, so that a pool's tasks may bring it along."""
        return _of_this_process, (self._limits,)

    def close(self) -> None:
        """End the process that reads for us; the next document that needs one starts another."""
        self._process.close()

    def read(self, upload: Upload) -> Parsed | Table:
        """Read the document, in bounded time and memory whatever it holds; raise `DocumentRefusedError`."""
        if (problem := problem_of_id(upload.id, MAX_DOCUMENT_ID_CHARS)) is not None:
            raise DocumentRefusedError(upload.id, f"has an id that {problem}")
        try:
            return self._read(upload)
        except RefusedError as refused:
            raise DocumentRefusedError(upload.id, str(refused)) from refused

    def _read(self, upload: Upload) -> Parsed | Table:
        if upload.unreadable is not None:
            raise RefusedError(upload.unreadable)
        if len(upload.content) > self._limits.bytes:
            raise RefusedError(f"has more than {self._limits.bytes} bytes; cut it into several documents")
        name = upload.name.rpartition("/")[2]
        language = language_of(name)
        kind = media_types.media_type_of(upload.media_type, name, upload.content, is_source=language is not None)
        if kind == media_types.PARQUET:
            return self._process.read("parquet", name, upload.content)
        declared = declared_encoding(upload.content) if kind == media_types.HTML else None
        text, _, warnings = decoded(upload.content, declared=declared)
        if not text.strip():
            raise RefusedError("is empty")
        read = self._of_text(kind, language, text, name)
        return replace(read, warnings=(*warnings, *read.warnings)) if warnings else read

    def _of_text(self, kind: str, language: str | None, text: str, name: str) -> Parsed | Table:
        if kind == media_types.MARKDOWN:
            if len(text) > self._limits.markdown:
                return self._process.read("markdown", name, text.encode())
            return self._markdown.read(text, name)
        if kind == media_types.HTML:
            return self._process.read("page", name, text.encode())
        if kind == media_types.SOURCE and language is not None:
            # The text comes back as it was: it need not travel twice, but then its spans would have to be trusted.
            return self._process.read(f"source:{language}", name, text.encode())
        table = read_csv(text, name) if kind == media_types.CSV else None
        return table if table is not None else read_plain_text(text, name)


@lru_cache(maxsize=4)
def _of_this_process(limits: ReadingLimits) -> DocumentFiles:
    return DocumentFiles(limits)
