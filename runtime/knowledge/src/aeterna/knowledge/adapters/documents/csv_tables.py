"""Reads CSV: tables of nodes and of edges; any other table is plain text."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.adapters.documents.refusals import RefusedError
from aeterna.knowledge.domain.tables import TableRefusedError, is_table_of_graph, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.knowledge.domain.tables import Row, Table

MEDIA_TYPE: Final = "text/csv"
MAX_COLUMNS: Final = 1_000
MAX_ROWS: Final = 100_000
_DELIMITERS: Final = ",;\t|"


def read_csv(text: str, name: str) -> Table | None:
    """Return the table, or None where its columns are not those of nodes or edges; raise `RefusedError`."""
    header = text[: text.find("\n") + 1] or text
    delimiter = max(_DELIMITERS, key=header.count)
    if header.count(delimiter) >= MAX_COLUMNS:
        raise RefusedError(f"has more than {MAX_COLUMNS} columns")
    rows = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    try:
        first = next(rows, None) or []
        columns = [column.strip() for column in first]
        if not is_table_of_graph(columns):
            return None
        return table_of(columns, _rows(columns, rows), media_type=MEDIA_TYPE, title=name)
    except csv.Error as problem:
        raise RefusedError(f"is no CSV from line {rows.line_num} on: {problem}") from problem
    except TableRefusedError as problem:
        raise RefusedError(str(problem)) from problem


def _lines(text: str) -> Iterator[str]:
    # Not str.splitlines: a cell may hold what Unicode calls the end of a line.
    at = 0
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        yield text[at:end]
        at = end


def _rows(columns: list[str], rows: Iterator[list[str]]) -> Iterator[Row]:
    number = 0
    for cells in rows:
        if not cells:
            continue
        number += 1
        if number > MAX_ROWS:
            raise RefusedError(f"has more than {MAX_ROWS} rows; cut it into several documents")
        if len(cells) != len(columns):
            raise RefusedError(f"has {len(cells)} cells in row {number}, and {len(columns)} columns")
        yield dict(zip(columns, cells, strict=True))
