"""Our layout in a table that others may change: columns are known by their field ids, and the layout by its version.

Iceberg gives each column an id for ever. Whoever renames, moves or relaxes one of ours, or adds columns of their own,
changes names and positions but no id, so nothing here relies on names or positions. Only a column of ours that is gone
cannot be made up for: such a table is refused until its schema is set back, rather than written with holes.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, GreaterThan, LessThanOrEqual

from aeterna.graph.adapters.iceberg.transaction import transaction
from aeterna.graph.adapters.iceberg.translation import translated_commit
from aeterna.graph.domain.arrow import Table as ArrowTable
from aeterna.graph.domain.arrow import pa, pc, untyped
from aeterna.graph.domain.rows import LAYOUT_VERSION, ROW_SCHEMA
from aeterna.graph.errors import CommitConflictError, LayoutUnsupportedError, SnapshotNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata

    from aeterna.graph.domain.identifiers import SnapshotId
    from aeterna.graph.domain.rows import Rows

LAYOUT: Final = "aeterna.layout"
LAYOUT_FIELDS: Final[Mapping[str, int]] = MappingProxyType(
    {name: number for number, name in enumerate(ROW_SCHEMA.names, start=1)}
)
TABLE_PROPERTIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        LAYOUT: str(LAYOUT_VERSION),
        "format-version": "2",
        # Without these the cost of a commit grows with the number of commits before it.
        "commit.manifest-merge.enabled": "true",
        "commit.manifest.min-count-to-merge": "20",
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "5",
        "write.parquet.compression-codec": "zstd",
        # Statistics of long texts cost metadata and prune nothing.
        "write.metadata.metrics.default": "none",
        "write.metadata.metrics.column.seq": "full",
        "write.metadata.metrics.column.record": "full",
    }
)
_ATTEMPTS: Final = 5


def require_known(metadata: TableMetadata) -> None:
    """Raise `LayoutUnsupportedError` for a table of a layout that is newer than this program."""
    if (version := _version(metadata)) is None or version > LAYOUT_VERSION:
        raise LayoutUnsupportedError(f"the layout is {metadata.properties.get(LAYOUT)!r}, known is {LAYOUT_VERSION}")


def upgraded(table: Table, load: Callable[[], Table | None]) -> Table:
    """Bring an older layout up to ours where it is; return the table, which is the given one when nothing was to do.

    Several processes may do so at once: each step says what shall be so and nothing about what is, and whoever is
    refused looks again. ``load`` gives the table anew. Raise `StorageError` and `LayoutUnsupportedError`.
    """
    for _ in range(_ATTEMPTS):
        require_known(table.metadata)
        if _version(table.metadata) == LAYOUT_VERSION:
            return table
        missing = {key: value for key, value in TABLE_PROPERTIES.items() if key not in table.properties}
        missing.pop("format-version", None)  # no property of a table that exists
        try:
            with translated_commit("upgrade the layout"):
                # Layout 2 has more kinds of records and keys of summaries than 1, and the same columns.
                return transaction(table).set_properties({**missing, LAYOUT: str(LAYOUT_VERSION)}).commit_transaction()
        except CommitConflictError:
            table = load() or table
    raise CommitConflictError("upgrade the layout", f"other writers won {_ATTEMPTS} times")


def names_of(schema: Schema) -> Mapping[str, str]:
    """Return what each of our columns is called in a schema; raise `LayoutUnsupportedError` when one is gone."""
    present = {field.field_id: field.name for field in schema.fields}
    gone = [name for name, number in LAYOUT_FIELDS.items() if number not in present]
    if gone:
        raise LayoutUnsupportedError(f"the schema has no column with the id of {', '.join(gone)}")
    return {name: present[number] for name, number in LAYOUT_FIELDS.items()}


def ours(found: ArrowTable, schema: Schema) -> Rows:
    """Return what was read with a schema as rows; columns of others are left out."""
    names = names_of(schema)
    return pa.table({name: found[names[name]] for name in ROW_SCHEMA.names}).cast(ROW_SCHEMA)


def theirs(rows: Rows, schema: Schema) -> ArrowTable:
    """Return rows under the names that a schema has for them; columns of others are left empty."""
    names = names_of(schema)
    return untyped(rows).rename_columns([names[name] for name in ROW_SCHEMA.names])


def schema_at(table: Table, snapshot: SnapshotId) -> Schema:
    """Return the schema that a snapshot was written with; raise `SnapshotNotFoundError`."""
    found = table.snapshot_by_id(snapshot)
    if found is None:
        raise SnapshotNotFoundError(str(snapshot))
    return table.schemas().get(found.schema_id or 0, table.schema())


def read(table: Table, to: SnapshotId, *, after: int = 0, up_to: int | None = None) -> Rows:
    """Read the rows of a snapshot with a seq behind ``after`` and not behind ``up_to``, whatever columns are called."""
    schema = schema_at(table, to)
    seq = names_of(schema)["seq"]
    wanted: BooleanExpression = untyped(GreaterThan)(seq, after) if after else AlwaysTrue()
    if up_to is not None:
        wanted = And(wanted, untyped(LessThanOrEqual)(seq, up_to))
    # The bounds of seq in the manifests leave out files that are not wanted. pyiceberg evaluates them with today's
    # names and reads with the snapshot's: where the two differ, all is read and then left out.
    prunes = names_of(table.schema())["seq"] == seq
    columns = tuple(names_of(schema).values())
    scan = table.scan(row_filter=wanted if prunes else AlwaysTrue(), selected_fields=columns, snapshot_id=to)
    rows = ours(untyped(scan).to_arrow(), schema)
    if prunes:
        return rows
    within = pc.greater(rows["seq"], after)
    return rows.filter(within if up_to is None else pc.and_(within, pc.less_equal(rows["seq"], up_to)))


def _version(metadata: TableMetadata) -> int | None:
    """Return the layout's number; None when it is none that we could have written."""
    text = metadata.properties.get(LAYOUT, "1")
    return int(text) if text.isdecimal() and int(text) > 0 else None
