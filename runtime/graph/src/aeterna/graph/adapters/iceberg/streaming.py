"""The rows of data files as a stream in the table's present schema, a batch at a time however large a file is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow.parquet
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io import pyarrow as iceberg_arrow
from pyiceberg.schema import prune_columns
from pyiceberg.table import FileScanTask

from aeterna.graph.domain.arrow import Arrow, pa, untyped

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

BATCH_ROWS: Final = 1 << 16
pq: Any = pyarrow.parquet  # Any: pyarrow ships no types
arrow: Any = untyped(iceberg_arrow)  # Any: most of it names pyarrow's


def batches_of(table: Table, files: Iterable[DataFile]) -> Generator[Arrow]:
    """Yield record batches of every file, in the table's schema.

    pyiceberg's own scan holds whole files in memory; so it is asked only for a file of which another engine deleted
    rows.
    """
    schema, target = table.schema(), row_schema(table)
    deletes = _deletes(table)
    for file in files:
        if file.file_path in deletes:
            scan = arrow.ArrowScan(table.metadata, table.io, schema, AlwaysTrue())
            for batch in scan.to_record_batches([FileScanTask(file, deletes[file.file_path])]):
                yield batch.cast(target)
            continue
        with table.io.new_input(file.file_path).open() as stream:
            parquet = pq.ParquetFile(stream)
            stored = arrow.pyarrow_to_schema(
                parquet.schema_arrow, table.metadata.name_mapping(), downcast_ns_timestamp_to_us=True
            )
            wanted = prune_columns(stored, schema.field_ids, select_full_types=False)
            names = [field.name for field in wanted.fields]
            for batch in parquet.iter_batches(BATCH_ROWS, columns=names):
                yield arrow._to_requested_schema(  # noqa: SLF001 - nothing public applies schema evolution to a batch
                    schema, wanted, batch, downcast_ns_timestamp_to_us=True, allow_timestamp_tz_mismatch=True
                ).cast(target)


def row_schema(table: Table) -> Arrow:
    """Return the Arrow schema of the table's rows, field ids included, with the short texts that appends write too."""
    fields = [
        field.with_type(pa.string()) if pa.types.is_large_string(field.type) else field
        for field in arrow.schema_to_pyarrow(table.schema())
    ]
    return pa.schema(fields)


def _deletes(table: Table) -> dict[str, set[DataFile]]:
    """Return the delete files by the data file that they concern; our own writes make none."""
    snapshot = table.current_snapshot()
    if snapshot is None or not any(manifest.content for manifest in snapshot.manifests(table.io)):
        return {}
    return {task.file.file_path: task.delete_files for task in table.scan().plan_files() if task.delete_files}
