"""The tables as Spark names them, and the statements on them. The columns are the graph's public layout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.spark.domain.catalogs import CATALOG

if TYPE_CHECKING:
    from datetime import datetime

NAMESPACE: Final = "aeterna"
DERIVED: Final = "aeterna_derived"  # apart from the tenants' tables, whose names are theirs to choose
COMMUNITIES_IN_CATALOG: Final = f"{DERIVED}.communities"
COMMUNITIES: Final = f"{CATALOG}.{COMMUNITIES_IN_CATALOG}"
COMMUNITIES_SCHEMA: Final = "tenant string, node string, community bigint, modularity double, seq bigint"
SHOW: Final = f"SHOW TABLES IN {CATALOG}.{NAMESPACE}"
SUMMARY: Final = (
    "SELECT tenant, count(*) AS nodes, count(DISTINCT community) AS communities, max(modularity) AS modularity "
    f"FROM {COMMUNITIES} GROUP BY tenant"
)
EXPIRED: Final = ("deleted_data_files_count", "deleted_manifest_files_count", "deleted_manifest_lists_count")
_TABLE: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,62}")

# What a row is about. The row with the highest seq wins for each; a session has one row for ever.
_IDENTITY: Final = ("record", "id", "source", "type", "target")
_COLUMNS: Final = ", ".join(_IDENTITY)
# A comparison with null is not true; as text, an identity equals itself.
_AS_TEXT: Final = "to_json(named_struct({}))".format(", ".join(f"'{column}', {column}" for column in _IDENTITY))


def is_tenants(table: str) -> bool:
    """Whether a table of the namespace can be a tenant's: layouts other than ours are left alone."""
    return _TABLE.fullmatch(table) is not None


def tenant_of(table: str) -> str:
    """Return the tenant whose table this is: "_" is no part of a tenant, "-" none of a table."""
    return table.replace("_", "-")


def table_of(tenant: str) -> str:
    """Return the name of the tenant's table."""
    return tenant.replace("-", "_")


def full_name(table: str) -> str:
    """Return the tenant's table as a statement names it."""
    return f"{CATALOG}.{NAMESPACE}.`{table}`"


def allow_appends(table: str) -> str:
    """Return the statement that lets sessions be committed while rows that they cannot touch are deleted."""
    return f"ALTER TABLE {full_name(table)} SET TBLPROPERTIES ('write.delete.isolation-level'='snapshot')"


def horizon(table: str, before: datetime) -> str:
    """Return the question for the last session that was committed before a time, 0 when none was."""
    return (
        f"SELECT coalesce(max(seq), 0) AS seq FROM {full_name(table)} "
        f"WHERE record = 'session' AND committed_at < TIMESTAMP '{before:%Y-%m-%d %H:%M:%S.%f}'"
    )


def note_floor(floor: int) -> str:
    """Return the statement after which snapshots say from which seq on they have every row."""
    return f"SET `{NOTE}`=`{floor}`"


def delete_superseded(table: str, floor: int) -> str:
    """Return the statement that deletes each row that a later one had replaced by the session ``floor``.

    Every state from there on can still be rebuilt. Tombstones stay, and so does every session's row.
    """
    name = full_name(table)
    superseded = (
        f"SELECT {_AS_TEXT} AS identity, seq, "
        f"row_number() OVER (PARTITION BY {_COLUMNS} ORDER BY seq DESC) AS age "
        f"FROM {name} WHERE record <> 'session' AND seq <= {floor}"
    )
    return (
        f"DELETE FROM {name} WHERE record <> 'session' AND seq <= {floor} AND "
        f"named_struct('i', {_AS_TEXT}, 's', seq) IN "
        f"(SELECT named_struct('i', identity, 's', seq) FROM ({superseded}) WHERE age > 1)"
    )


def rewrite(table: str) -> str:
    """Return the call that writes few sorted files for many; the rows stay the same, so appends go on beside it."""
    return (
        f"CALL {CATALOG}.system.rewrite_data_files(table => '{CATALOG}.{NAMESPACE}.{table}', strategy => 'sort', "
        f"sort_order => '{', '.join((*_IDENTITY, 'seq'))}', options => map('rewrite-all', 'true'))"
    )


def size(table: str) -> str:
    """Return the question for the number of files and rows, which is in the metadata."""
    return f"SELECT count(*) AS files, coalesce(sum(record_count), 0) AS rows FROM {full_name(table)}.files"


def expire(name: str, older_than: datetime, keep: int) -> str:
    """Return the call that forgets snapshots and deletes the files that no other one needs; tags keep theirs."""
    return (
        f"CALL {CATALOG}.system.expire_snapshots(table => '{CATALOG}.{name}', "
        f"older_than => TIMESTAMP '{older_than:%Y-%m-%d %H:%M:%S.%f}', retain_last => {keep})"
    )


def remove_orphans(table: str, older_than: datetime) -> str:
    """Return the call that deletes files that no snapshot names; Iceberg refuses an age below a day."""
    return (
        f"CALL {CATALOG}.system.remove_orphan_files(table => '{CATALOG}.{NAMESPACE}.{table}', "
        f"older_than => TIMESTAMP '{older_than:%Y-%m-%d %H:%M:%S.%f}')"
    )


def living(table: str, snapshot: int) -> str:
    """Return the question for a graph's edges with their weights, and its nodes with no target, at a snapshot.

    A weight is the number in the property ``weight`` where that is positive, else 1.
    """
    at = f"{full_name(table)} VERSION AS OF {snapshot}"
    latest = (
        f"SELECT *, row_number() OVER (PARTITION BY {_COLUMNS} ORDER BY seq DESC) AS age "
        f"FROM {at} WHERE record IN ('node', 'edge')"
    )
    weight = "CAST(get_json_object(properties, '$.weight') AS DOUBLE)"
    return (
        f"SELECT '{tenant_of(table)}' AS tenant, coalesce(source, id) AS source, target, "
        f"CASE WHEN {weight} > 0 AND {weight} < double('Infinity') THEN {weight} ELSE 1D END AS weight, "
        f"(SELECT max(seq) FROM {at}) AS seq FROM ({latest}) WHERE age = 1 AND op = 'upsert'"
    )


def head(table: str) -> str:
    """Return the question for the snapshot that is current."""
    return f"SELECT snapshot_id FROM {full_name(table)}.refs WHERE name = 'main'"


def snapshots(table: str) -> str:
    """Return the question for every snapshot and its summary."""
    return (
        "SELECT snapshot_id, parent_id, unix_millis(committed_at) AS committed_ms, "
        f"operation, summary FROM {full_name(table)}.snapshots"
    )


def refs(table: str) -> str:
    """Return the question for the snapshots that branches and tags name."""
    return f"SELECT DISTINCT snapshot_id FROM {full_name(table)}.refs"


def nothing_of(table: str) -> str:
    """Return the question whose answer has the table's columns and no row."""
    return f"SELECT * FROM {full_name(table)} WHERE false"


NOTE: Final = "spark.sql.iceberg.snapshot-property.aeterna.floor"
FORGET_NOTE: Final = f"RESET `{NOTE}`"
MAKE_DERIVED: Final = f"CREATE NAMESPACE IF NOT EXISTS {CATALOG}.{DERIVED}"
MAKE_COMMUNITIES: Final = (
    f"CREATE TABLE IF NOT EXISTS {COMMUNITIES} "
    "(tenant STRING NOT NULL, node STRING NOT NULL, community BIGINT NOT NULL, modularity DOUBLE, seq BIGINT NOT NULL) "
    "USING iceberg PARTITIONED BY (tenant) "
    # Bounds of node ids would outlive an erasure in the manifests.
    "TBLPROPERTIES ('format-version'='2', 'write.metadata.metrics.default'='none')"
)
