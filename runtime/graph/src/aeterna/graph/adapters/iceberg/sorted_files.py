"""Sorted rows as data files: one kind of record in a file, in the shape in which a state is loaded fastest."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pyarrow.parquet
from pyiceberg.io import pyarrow as iceberg_arrow
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import Table
from pyiceberg.table.locations import load_location_provider
from pyiceberg.typedef import Record

from aeterna.graph.adapters.iceberg.streaming import row_schema
from aeterna.graph.domain.arrow import Arrow, pa, pc, untyped

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

COMPACTED: Final = "compacted-"  # begins the name of every file that a compaction wrote
FILE_ROWS: Final = 4 << 20
ROW_GROUP_ROWS: Final = 1 << 20
_ROW_GROUP_BYTES: Final = 64 << 20  # of memory: what is held before it is written
_FILE_BYTES: Final = 512 << 20
_DICTIONARIES: Final = (
    *("record", "op", "seq", "session", "committed_at", "subject", "kind", "source", "type", "target", "properties"),
)
pq: Any = pyarrow.parquet  # Any: pyarrow ships no types


@dataclass(slots=True, kw_only=True)
class SortedFiles:
    """Writes one stream of sorted rows; ``written`` are its files, whether or not it came to its end."""

    table: Table
    names: Mapping[str, str]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    written: list[DataFile] = field(default_factory=list[DataFile])
    paths: list[str] = field(default_factory=list[str])  # those that are not finished included

    def write(self, batches: Iterable[Arrow]) -> None:
        """Write every batch; each must be sorted by record and so must all of them together."""
        group: list[Arrow] = []
        rows = size = 0
        file: _OpenFile | None = None
        for record, batch in self._by_record(batches):
            other = file is not None and (file.record != record or file.is_full)
            if group and (other or rows >= ROW_GROUP_ROWS or size >= _ROW_GROUP_BYTES):
                self._flush(file, group)
                group, rows, size = [], 0, 0
            if file is None or file.record != record or file.is_full:
                self._finish(file)
                file = self._opened(record)
            group.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
        self._flush(file, group)
        self._finish(file)

    def _by_record(self, batches: Iterable[Arrow]) -> Generator[tuple[str, Arrow]]:
        for batch in batches:
            encoded = pc.run_end_encode(batch[self.names["record"]])
            begin = 0
            for record, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
                yield record, batch.slice(begin, end - begin)
                begin = end

    def _opened(self, record: str) -> _OpenFile:
        metadata = self.table.metadata
        location = load_location_provider(metadata.location, metadata.properties)
        path = location.new_data_location(f"{COMPACTED}{self.id}-{len(self.paths):05d}-{record}.parquet")
        self.paths.append(path)
        return _OpenFile(self.table, path, record, [self.names[name] for name in _DICTIONARIES])

    def _flush(self, file: _OpenFile | None, group: list[Arrow]) -> None:
        if file is not None and group:
            file.write(group)

    def _finish(self, file: _OpenFile | None) -> None:
        if file is not None:
            self.written.append(file.finished())


class _OpenFile:
    """One Parquet file that is being written."""

    def __init__(self, table: Table, path: str, record: str, dictionaries: list[str]) -> None:
        self.record = record
        self._table = table
        self._output = table.io.new_output(path)
        self._schema = row_schema(table)
        self._stream: Any = self._output.create()  # Any: pyarrow writes to it, and says not what it asks for
        self._rows = self._bytes = 0
        self._writer = pq.ParquetWriter(
            self._stream,
            self._schema,
            compression="zstd",
            compression_level=3,
            use_dictionary=dictionaries,
            dictionary_pagesize_limit=64 << 20,
            data_page_size=1 << 20,
            store_decimal_as_integer=True,
        )

    @property
    def is_full(self) -> bool:
        return self._rows >= FILE_ROWS or self._bytes >= _FILE_BYTES

    def write(self, group: list[Arrow]) -> None:
        """Write the batches as one row group."""
        rows = pa.Table.from_batches(group).cast(self._schema)
        self._writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)
        self._rows, self._bytes = self._rows + rows.num_rows, self._bytes + rows.nbytes

    def finished(self) -> DataFile:
        """Close the file and describe it."""
        self._writer.close()
        self._stream.close()
        metadata = self._table.metadata
        schema = metadata.schema()
        statistics = untyped(iceberg_arrow).data_file_statistics_from_parquet_metadata(
            parquet_metadata=self._writer.writer.metadata,
            stats_columns=iceberg_arrow.compute_statistics_plan(schema, metadata.properties),
            parquet_column_mapping=iceberg_arrow.parquet_path_to_id_mapping(schema),
        )
        return DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=self._output.location,
            file_format=FileFormat.PARQUET,
            partition=Record(),
            file_size_in_bytes=len(self._output),
            sort_order_id=None,
            spec_id=metadata.default_spec_id,
            equality_ids=None,
            key_metadata=None,
            **statistics.to_serialized_dict(),
        )
