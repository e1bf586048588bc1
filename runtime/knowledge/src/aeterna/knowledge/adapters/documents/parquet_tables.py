"""Reads Parquet: tables of nodes and of edges, and what Microsoft's GraphRAG writes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, cast

import pyarrow  # noqa: ICN001 - `pa` is the name without types
import pyarrow.parquet

from aeterna.knowledge.adapters.documents.graphrag_output import graphrag_table
from aeterna.knowledge.adapters.documents.refusals import RefusedError
from aeterna.knowledge.domain.tables import table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.knowledge.domain.tables import Row, Table

# Any: pyarrow has no types.
pa: Any = pyarrow
pq: Any = pyarrow.parquet

MEDIA_TYPE: Final = "application/vnd.apache.parquet"
MAX_COLUMNS: Final = 1_000
MAX_ROWS: Final = 100_000
MAX_DECOMPRESSED_BYTES: Final = 256 * 1024 * 1024
_BATCH_ROWS: Final = 1_024


def read_parquet(content: bytes, name: str) -> Table:
    """Return the table; raise `RefusedError`, and what a file declares is believed only where it is too much."""
    try:
        file = pq.ParquetFile(
            pa.BufferReader(content), thrift_string_size_limit=1 << 24, thrift_container_size_limit=1 << 20
        )
        _refuse_bombs(file.metadata)
        columns = file.schema_arrow.names
        rows = _rows(file)
        return graphrag_table(columns, rows, name) or table_of(columns, rows, media_type=MEDIA_TYPE, title=name)
    except (pa.ArrowException, OSError, ValueError) as problem:
        if isinstance(problem, RefusedError):
            raise
        raise RefusedError(f"is no Parquet that can be read: {str(problem)[:200]}") from problem


def _refuse_bombs(metadata: Any) -> None:  # noqa: ANN401 - see pq
    if metadata.num_columns > MAX_COLUMNS:
        raise RefusedError(f"has more than {MAX_COLUMNS} columns")
    if metadata.num_rows > MAX_ROWS:
        raise RefusedError(f"has {metadata.num_rows} rows, at most {MAX_ROWS} are read; cut it into several documents")
    size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if size > MAX_DECOMPRESSED_BYTES:
        raise RefusedError(f"unpacks to {size} bytes, at most {MAX_DECOMPRESSED_BYTES} are read")


def _rows(file: Any) -> Iterator[Row]:  # noqa: ANN401 - see pq
    count = size = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
        count += batch.num_rows
        size += batch.nbytes
        # What is declared may be a lie.
        if count > MAX_ROWS or size > MAX_DECOMPRESSED_BYTES:
            raise RefusedError(f"has more than {MAX_ROWS} rows or unpacks to more than {MAX_DECOMPRESSED_BYTES} bytes")
        for row in batch.to_pylist():
            yield {name: _json(value) for name, value in row.items()}


def _json(value: Any) -> Any:  # noqa: ANN401 - whatever Arrow has
    """Return a cell as JSON: dates as ISO 8601, bytes and decimals as text."""
    match value:
        case None | bool() | int() | float():
            # NaN is how tables say that nothing is there.
            return None if isinstance(value, float) and not math.isfinite(value) else value
        case str():
            return value.replace("\0", "\ufffd")  # no database keeps it in a text
        case list():
            return [_json(item) for item in cast("list[Any]", value)]
        case dict():
            return {_json(str(key)): _json(item) for key, item in cast("dict[Any, Any]", value).items()}
        case bytes():
            return value.hex()
        case _:
            return value.isoformat() if hasattr(value, "isoformat") else str(value)
