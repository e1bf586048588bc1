"""Writing the rows of a snapshot: a few as one file, many as one kind of record a file, which is loaded fastest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import pyarrow.parquet
from pyiceberg.io import pyarrow as iceberg_arrow
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table.locations import load_location_provider
from pyiceberg.typedef import Record

from aeterna.graph.adapters.iceberg.layout import names_of, theirs
from aeterna.graph.domain.arrow import Arrow, pc, untyped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from pyiceberg.table import Table, Transaction
    from pyiceberg.table.metadata import TableMetadata

    from aeterna.graph.domain.rows import Rows

_LARGE: Final = 50_000  # rows; below, several files would cost more than they spare
_FILE_ROWS: Final = 1 << 20
_THREADS: Final = 2
# Ids come once, and digests too: a dictionary of them would be the column again.
_DISTINCT: Final = frozenset({"id", "digest"})
_DICTIONARY_BYTES: Final = 64 << 20  # a column that outgrows its dictionary is read back text by text
pq: Any = pyarrow.parquet  # Any: pyarrow ships no types


def append(table: Table, changes: Transaction, rows: Rows, properties: Mapping[str, str]) -> None:
    """Stage the rows as one snapshot; what was written is left behind when the transaction is not committed."""
    metadata = changes.table_metadata
    named = theirs(rows, metadata.schema())
    if rows.num_rows < _LARGE or not metadata.spec().is_unpartitioned():
        untyped(changes).append(named, snapshot_properties=dict(properties))
        return
    with changes.update_snapshot(snapshot_properties=dict(properties)).merge_append() as snapshot:
        for file in _written(table, metadata, named, snapshot.commit_uuid):
            snapshot.append_data_file(file)


def _written(table: Table, metadata: TableMetadata, rows: Arrow, commit: UUID) -> list[DataFile]:
    parts = [
        of_kind.slice(begin, _FILE_ROWS)
        for of_kind in _by_kind(rows, names_of(metadata.schema())["record"])
        for begin in range(0, of_kind.num_rows, _FILE_ROWS)
    ]
    locations = load_location_provider(metadata.location, metadata.properties)
    paths = [locations.new_data_location(f"{commit}-{number:05d}.parquet") for number in range(len(parts))]
    with ThreadPoolExecutor(_THREADS) as pool:
        files = [pool.submit(_file, table, metadata, path, part) for path, part in zip(paths, parts, strict=True)]
        return [file.result() for file in files]


def _by_kind(rows: Arrow, record: str) -> list[Arrow]:
    """Take the rows apart by what they are about, without a copy where each kind is in one piece already."""
    kinds = pc.unique(rows[record]).to_pylist()
    lengths = [pc.sum(pc.equal(rows[record], kind)).as_py() for kind in kinds]
    begins = [sum(lengths[:place]) for place in range(len(kinds))]
    pieces = [rows.slice(begin, length) for begin, length in zip(begins, lengths, strict=True)]
    if all(pc.all(pc.equal(piece[record], kind)).as_py() for piece, kind in zip(pieces, kinds, strict=True)):
        return pieces
    return [rows.filter(pc.equal(rows[record], kind)) for kind in kinds]


def _file(table: Table, metadata: TableMetadata, path: str, rows: Arrow) -> DataFile:
    schema = metadata.schema()
    names = names_of(schema)
    output = table.io.new_output(path)
    # Columns of others are not in the file: readers know them by id, and take what is missing for null.
    arrow: Arrow = untyped(iceberg_arrow).schema_to_pyarrow(schema.select(*names.values()))
    with output.create() as stream:
        writer = pq.ParquetWriter(
            stream,
            arrow,
            compression="zstd",
            use_dictionary=[name for ours, name in names.items() if ours not in _DISTINCT],
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
        )
        with writer:
            writer.write_table(rows.select(arrow.names).cast(arrow), row_group_size=_FILE_ROWS)
    statistics = untyped(iceberg_arrow).data_file_statistics_from_parquet_metadata(
        parquet_metadata=writer.writer.metadata,
        stats_columns=iceberg_arrow.compute_statistics_plan(schema, metadata.properties),
        parquet_column_mapping=iceberg_arrow.parquet_path_to_id_mapping(schema),
    )
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        file_size_in_bytes=len(output),
        sort_order_id=None,
        spec_id=metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )
