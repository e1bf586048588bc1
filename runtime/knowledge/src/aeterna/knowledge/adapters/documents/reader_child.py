"""The process that reads what may harm its reader: web pages, source code, Parquet and very long Markdown.

Run as ``python -P -m aeterna.knowledge.adapters.documents.reader_child BYTES``. A request is three lengths, and behind
them a kind, a name and a content; an answer is a length and JSON. It ends with its input.
"""

from __future__ import annotations

import resource
import struct
import sys
from typing import TYPE_CHECKING, BinaryIO, Final

from aeterna.knowledge.adapters.documents.answers import answered, refused
from aeterna.knowledge.adapters.documents.refusals import RefusedError
from aeterna.knowledge.domain.tables import TableRefusedError

if TYPE_CHECKING:
    from aeterna.knowledge.domain.documents import Parsed
    from aeterna.knowledge.domain.tables import Table

LENGTHS: Final = struct.Struct("!III")
LENGTH: Final = struct.Struct("!I")


def main() -> None:
    """Answer requests until there are no more; the only argument is how many bytes of memory may be used."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while _answer_one(sys.stdin.buffer, sys.stdout.buffer):
        pass


def _answer_one(requests: BinaryIO, answers: BinaryIO) -> bool:
    lengths = requests.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return False
    kind, name, content = (requests.read(length) for length in LENGTHS.unpack(lengths))
    try:
        answer = answered(_read(kind.decode(), name.decode(), content))
    except (RefusedError, TableRefusedError) as problem:
        answer = refused(str(problem))
    except MemoryError:
        answer = refused("needs more memory to read than a document may")
    answers.write(LENGTH.pack(len(answer)) + answer)
    answers.flush()
    return True


def _read(kind: str, name: str, content: bytes) -> Parsed | Table:
    """Read with the reader of that kind, which is loaded when the first of its kind comes."""
    if kind == "page":
        from aeterna.knowledge.adapters.documents.web_pages import read_page  # noqa: PLC0415 - many need only one

        return read_page(content.decode(), name)
    if kind == "markdown":
        from aeterna.knowledge.adapters.documents.markdown import MarkdownFiles  # noqa: PLC0415 - as above

        return MarkdownFiles().read(content.decode(), name)
    if kind == "parquet":
        from aeterna.knowledge.adapters.documents.parquet_tables import read_parquet  # noqa: PLC0415 - as above

        return read_parquet(content, name)
    from aeterna.knowledge.adapters.documents.source_code import read_source  # noqa: PLC0415 - as above

    return read_source(content.decode(), name, kind.removeprefix("source:"))


if __name__ == "__main__":
    main()
