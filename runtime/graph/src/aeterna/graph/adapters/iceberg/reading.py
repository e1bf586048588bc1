"""Reading all of a snapshot for a lens: only the columns that a kind of record has, several files at a time.

Data files are read as what they are, Parquet whose columns carry Iceberg's field ids. Whatever needs more than that,
as a file of another format or one with deletes of its own, is left to pyiceberg.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import pyarrow.parquet
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.manifest import FileFormat

from aeterna.graph.adapters.iceberg.layout import LAYOUT_FIELDS, names_of, ours, schema_at
from aeterna.graph.domain.arrow import Arrow, Table, pa, pc, untyped
from aeterna.graph.domain.parts import COLUMNS, EDGES, NODES, OTHERS, SESSIONS, Parts, parts_of
from aeterna.graph.domain.rows import ROW_SCHEMA

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.schema import Schema
    from pyiceberg.table import FileScanTask
    from pyiceberg.table import Table as IcebergTable

    from aeterna.graph.domain.identifiers import SnapshotId

_THREADS: Final = 8  # small files are waiting, not work
_LARGE: Final = 20_000  # rows; the threads of Arrow are busy with one such file
_BARE: Final = 4  # bytes: a column of properties that takes less for each row repeats a few texts
# Texts of which many rows have the same one: they are never made one by one.
_REPEATED: Final = ("record", "op", "kind", "source", "type", "target")
pq: Any = pyarrow.parquet  # Any: pyarrow ships no types


def read_parts(table: IcebergTable, to: SnapshotId, *, up_to: int | None = None) -> Parts:
    """Read the rows of a snapshot, those with a seq behind ``up_to`` left out; raise `SnapshotNotFoundError`."""
    schema = schema_at(table, to)
    tasks = [
        task for task in table.scan(snapshot_id=to).plan_files() if up_to is None or _least_seq(task.file) <= up_to
    ]
    found: dict[str, list[Table]] = {record: [] for record in COLUMNS}
    mixed: list[Table] = []
    small: list[FileScanTask] = []
    for task in tasks:
        record = _record(task.file)
        if not _is_plain(task):
            mixed.append(_by_pyiceberg(table, schema, task))
        elif record in COLUMNS and task.file.record_count >= _LARGE:
            found[record].append(_read(table, schema, task, COLUMNS[record], large=True))
        else:
            small.append(task)
    with ThreadPoolExecutor(_THREADS) as pool:
        columns = tuple(ROW_SCHEMA.names)
        found_small = [pool.submit(_read, table, schema, task, columns, large=False) for task in small]
        mixed += [each.result() for each in found_small]
    rest = parts_of(_combined(mixed))
    return Parts(
        nodes=_until(up_to, _joined([*found["node"], rest.nodes], NODES)),
        edges=_until(up_to, _joined([*found["edge"], rest.edges], EDGES)),
        sessions=_until(up_to, _joined([*found["session"], rest.sessions], SESSIONS)),
        others=_until(up_to, _joined([rest.others], OTHERS)),
    )


def _until(up_to: int | None, rows: Table) -> Table:
    if up_to is None or rows.num_rows == 0 or pc.max(rows["seq"]).as_py() <= up_to:
        return rows
    return rows.filter(pc.less_equal(rows["seq"], up_to))


def _least_seq(file: DataFile) -> int:
    """Return the least seq that the file may hold."""
    least = file.lower_bounds.get(LAYOUT_FIELDS["seq"]) if file.lower_bounds else None
    return 0 if least is None else int.from_bytes(least, "little", signed=True)


def _record(file: DataFile) -> str:
    """Return what all rows of the file are about, "" when they are about several things."""
    field = LAYOUT_FIELDS["record"]
    least, most = (bounds.get(field) if bounds else None for bounds in (file.lower_bounds, file.upper_bounds))
    return least.decode() if least is not None and least == most else ""


def _is_plain(task: FileScanTask) -> bool:
    return task.file.file_format == FileFormat.PARQUET and not task.delete_files


def _by_pyiceberg(table: IcebergTable, schema: Schema, task: FileScanTask) -> Table:
    projected = schema.select(*names_of(schema).values())
    scan = untyped(ArrowScan)(table.metadata, table.io, projected, AlwaysTrue())
    return ours(scan.to_table([task]), schema)


def _read(table: IcebergTable, schema: Schema, task: FileScanTask, columns: tuple[str, ...], *, large: bool) -> Table:
    """Read columns of a file; what repeats in a large one is read as a dictionary."""
    with table.io.new_input(task.file.file_path).open() as source:
        footer = pq.read_metadata(source)
        arrow = footer.schema.to_arrow_schema()
        names = {_field_id(field): field.name for field in arrow}
        if any(LAYOUT_FIELDS[column] not in names for column in columns):
            # Written by somebody who leaves columns out, or does not number them.
            return _by_pyiceberg(table, schema, task).select(columns)
        wanted = [names[LAYOUT_FIELDS[column]] for column in columns]
        pairs = zip(wanted, columns, strict=True)
        encoded = [name for name, column in pairs if large and _is_repeated(column, name, footer)]
        parquet = pq.ParquetFile(source, metadata=footer, read_dictionary=encoded, pre_buffer=True)
        return parquet.read(columns=wanted, use_threads=large).select(wanted).rename_columns(columns)


def _field_id(field: Arrow) -> int:
    """Return the id of a column in Iceberg, -1 when it has none."""
    return int(field.metadata.get(b"PARQUET:field_id", -1)) if field.metadata else -1


def _is_repeated(column: str, name: str, footer: Arrow) -> bool:
    if column != "properties":
        return column in _REPEATED
    place = footer.schema.names.index(name)
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    return sum(group.column(place).total_uncompressed_size for group in groups) < _BARE * footer.num_rows


def _combined(tables: list[Table]) -> Table:
    """Put small tables into one piece, so that what follows is not done once for each of them."""
    together = pa.concat_tables([ROW_SCHEMA.empty_table(), *tables], promote_options="permissive")
    return together.cast(ROW_SCHEMA).combine_chunks()


def _joined(tables: list[Table], columns: tuple[str, ...]) -> Table:
    """Put tables behind each other; each column is encoded, or plain, as most of its rows are."""
    return pa.table({column: _one([untyped(table[column]) for table in tables], column) for column in columns})


def _one(parts: list[Arrow], name: str) -> Arrow:
    rows = sum(len(part) for part in parts)
    encoded = sum(len(part) for part in parts if pa.types.is_dictionary(part.type))
    plain = ROW_SCHEMA.field(name).type
    alike = [_encoded(part) if encoded * 2 > rows else part.cast(plain) for part in parts]
    return pa.chunked_array([chunk for part in alike for chunk in part.chunks], type=alike[0].type)


def _encoded(column: Arrow) -> Arrow:
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
