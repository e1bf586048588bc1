"""The proof of an erasure: a search for what was erased in every byte that is left of a table and beside it.

Data files are read twice. As rows, which tells a remain (a row that the erasure reaches) from a mention (the same text
in what others wrote, or in what came later). And as bytes, every page decompressed: a text that is in the bytes and in
no row is a remain too, for example in statistics or in a dictionary. Names of eight bytes or more are looked for as
they are, wherever they begin; shorter ones only as whole words or whole values, since "ada" is in "metadata".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyiceberg.manifest import DataFile, DataFileContent, FileFormat

from aeterna.graph.adapters.iceberg.erased_files import TableFolder
from aeterna.graph.adapters.iceberg.layout import names_of
from aeterna.graph.adapters.iceberg.opened_bytes import opened
from aeterna.graph.adapters.iceberg.streaming import batches_of
from aeterna.graph.adapters.iceberg.translation import FAILURES
from aeterna.graph.domain.arrow import Arrow, pa, pc
from aeterna.graph.domain.certificates import Finding, Verification
from aeterna.graph.domain.surviving import ours, reached_again

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from pyiceberg.table import Table

    from aeterna.graph.domain.erasure import Target

_LONG: Final = 8  # bytes
_WORD: Final = rb"[A-Za-z0-9_]"
_TEXTS: Final = ("session", "subject", "id", "kind", "source", "type", "target", "properties", "digest")


@dataclass(slots=True)
class _Tally:
    """What was found in one file."""

    rows: int = 0  # that the erasure reaches
    mentions: int = 0  # rows beside them in which the text stands
    bytes: int = 0  # places in the bytes


class _Names:
    """What to look for: the subject's name and the named nodes' ids."""

    def __init__(self, target: Target) -> None:
        names: list[str] = [*target.nodes, *([target.subject] if target.subject else [])]
        self.texts = sorted(set(names))
        written = {form for text in self.texts for form in (text, json.dumps(text)[1:-1])}
        patterns = [_pattern(text.encode()) for text in sorted(written)]
        self._pattern = re.compile(b"|".join(patterns)) if patterns else None

    def count(self, data: bytes) -> int:
        """Count the places in which one of the names stands."""
        return sum(1 for _ in self._pattern.finditer(data)) if self._pattern else 0


def verified(table: Table, target: Target, seq: int, *, at: datetime, beside: Sequence[Path]) -> Verification:
    """Search the table's files, and the local files and folders ``beside`` it; ``seq`` is the last one reached."""
    folder, names = TableFolder(table), _Names(target)
    findings: list[Finding] = []
    mentions: list[Finding] = []
    files = size = 0
    for path, data in _everything(folder, beside):
        files, size = files + 1, size + len(data)
        try:
            tally = _tally(folder, path, data, names, target, seq)
        except (ValueError, EOFError, *FAILURES):
            # Nobody can say what half a file holds.
            findings.append(Finding(path=path, what="unreadable", count=1))
            continue
        if tally.rows:
            findings.append(Finding(path=path, what="rows", count=tally.rows))
        elif tally.bytes and not tally.mentions:
            findings.append(Finding(path=path, what="bytes", count=tally.bytes))
        if tally.mentions:
            mentions.append(Finding(path=path, what="rows", count=tally.mentions))
    return Verification(
        clean=not findings, files=files, bytes=size, at=at, findings=tuple(findings), mentions=tuple(mentions)
    )


def _pattern(name: bytes) -> bytes:
    if len(name) >= _LONG:
        return re.escape(name)
    whole = re.escape(name)
    plain = re.escape(len(name).to_bytes(4, "little"))  # a value in Parquet, and in Avro
    avro = re.escape(bytes([len(name) * 2]))
    return rb"(?:%s|%s)%s|(?<!%s)%s(?!%s)" % (plain, avro, whole, _WORD, whole, _WORD)


def _everything(folder: TableFolder, beside: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    for path in folder.listed():
        try:
            yield path, b"".join(folder.parts(path))
        except FileNotFoundError:
            continue  # collected meanwhile
    for root in beside:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file():
                yield f"beside the table: {path.name}", path.read_bytes()


def _tally(folder: TableFolder, path: str, data: bytes, names: _Names, target: Target, seq: int) -> _Tally:
    # A tenant may be called as a subject is: where its table lies tells nothing of anybody.
    where = folder.table.location().encode()
    tally = _Tally(bytes=sum(names.count(part.replace(where, b"")) for part in opened(data)))
    if path.endswith(".parquet") and not path.startswith("beside"):
        for rows in _rows(folder, path):
            reached = reached_again(rows, target, seq)
            tally.rows += pc.sum(reached).as_py() or 0
            others = rows.filter(pc.invert(reached))
            tally.mentions += pc.sum(_mentioning(others, names)).as_py() or 0
    return tally


def _rows(folder: TableFolder, path: str) -> Iterator[Arrow]:
    columns = names_of(folder.table.schema())
    file = DataFile.from_args(
        content=DataFileContent.DATA, file_path=folder.location(path), file_format=FileFormat.PARQUET
    )
    for batch in batches_of(folder.table, [file]):
        yield ours(pa.Table.from_batches([batch]), columns)


def _mentioning(rows: Arrow, names: _Names) -> Arrow:
    found = pa.array([False] * rows.num_rows)
    for text in names.texts:
        for form in {text, json.dumps(text)[1:-1]}:
            for name in _TEXTS:
                found = pc.or_(found, pc.fill_null(pc.match_substring(rows[name], form), False))
    return found
