"""The job: compact each tenant's table, expire its snapshots, remove orphans, and compute everybody's communities."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial, reduce
from typing import TYPE_CHECKING, Any, Final

from aeterna.spark.domain import tables
from aeterna.spark.domain.history import LAST_SEQ, TableSnapshot, expirable_before, restamp
from aeterna.spark.errors import CommitLostError, UnknownTenantError
from aeterna.spark.ports import GroupedMap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aeterna.spark.ports import Frame, Spark

log = logging.getLogger(__name__)

_ATTEMPTS: Final = 5
TASKS: Final = ("compact", "expire", "orphans", "communities")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do, to whom, and how much history to leave."""

    now: datetime
    tasks: frozenset[str]
    tenants: frozenset[str]  # none: all of them
    history_from: datetime  # states since then can still be rebuilt from the rows
    expire_before: datetime
    keep_snapshots: int
    orphans_before: datetime
    grouped: GroupedMap  # a tenant's graph to its communities


@dataclass(slots=True, kw_only=True)
class Report:
    """What was done to one tenant's table."""

    tenant: str
    files_before: int = 0
    files_after: int = 0
    rows_before: int = 0
    rows_after: int = 0
    deleted_files: int = 0
    orphans: int = 0
    nodes: int = 0
    communities: int = 0
    modularity: float | None = None
    lost: list[str] = field(default_factory=list[str])  # tasks that other writers did not let through


def run(spark: Spark, plan: Plan, stopwatch: Callable[[], float] = time.monotonic) -> dict[str, Any]:
    """Do what is planned and return a report as JSON: seconds for each task, and a line for each tenant."""
    chosen = _tables(spark, plan.tenants)
    reports = {table: Report(tenant=tables.tenant_of(table)) for table in chosen}
    seconds: dict[str, float] = {}

    def timed(task: str, work: Callable[[], object]) -> None:
        if task in plan.tasks:
            begun = stopwatch()
            work()
            seconds[task] = round(stopwatch() - begun, 2)

    def each(task: str, work: Callable[[str, Report], None]) -> None:
        for table, report in reports.items():
            try:
                work(table, report)
            except CommitLostError:
                # A tenant that is too busy now must not keep the others waiting.
                report.lost.append(task)

    timed("compact", lambda: each("compact", partial(_compact, spark, plan)))
    timed("expire", lambda: each("expire", partial(_expire, spark, plan)))
    timed("orphans", lambda: each("orphans", partial(_remove_orphans, spark, plan)))
    timed("communities", lambda: _find_communities(spark, plan, reports))
    return {"seconds": seconds, "tenants": [asdict(report) for report in reports.values()]}


def _tables(spark: Spark, tenants: frozenset[str]) -> list[str]:
    names = (str(row["tableName"]) for row in spark.sql(tables.SHOW).collect())
    found = {name for name in names if tables.is_tenants(name)}
    for tenant in sorted(tenants):
        if tables.table_of(tenant) not in found:
            raise UnknownTenantError(tenant)
    return sorted({tables.table_of(tenant) for tenant in tenants} or found)


def _compact(spark: Spark, plan: Plan, table: str, report: Report) -> None:
    report.files_before, report.rows_before = _size(spark, table)
    (row,) = spark.sql(tables.horizon(table, plan.history_from)).collect()
    _insist(spark, tables.allow_appends(table))
    spark.sql(tables.note_floor(int(row["seq"])))
    try:
        _insist(spark, tables.delete_superseded(table, int(row["seq"])))
    finally:
        spark.sql(tables.FORGET_NOTE)
    if _size(spark, table)[0] > 1:
        _insist(spark, tables.rewrite(table))
    _stamp(spark, table)
    report.files_after, report.rows_after = _size(spark, table)


def _stamp(spark: Spark, table: str) -> None:
    """Say again on top of Spark's snapshots which session is the last, unless a newer one has said so by itself."""
    head = _head(spark, table)
    summary = restamp(_snapshots(spark, table), head)
    if head is not None and summary is not None:
        try:
            spark.stamp(table, int(summary[LAST_SEQ]), head, summary)
        except CommitLostError:
            log.info("spark.stamp_unneeded")


def _snapshots(spark: Spark, table: str) -> list[TableSnapshot]:
    return [
        TableSnapshot(
            id=row["snapshot_id"],
            parent=row["parent_id"],
            committed_ms=row["committed_ms"],
            operation=row["operation"],
            summary=row["summary"],
        )
        for row in spark.sql(tables.snapshots(table)).collect()
    ]


def _insist(spark: Spark, statement: str) -> Frame:
    """Run a statement again when another writer was first: our tables forbid Iceberg to do so by itself.

    A session's append must not be put on another parent than the one that it was checked against, and the table's
    property for that speaks to every engine.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return spark.sql(statement)
        except CommitLostError:
            log.info("spark.commit_lost")
    return spark.sql(statement)


def _size(spark: Spark, table: str) -> tuple[int, int]:
    (row,) = spark.sql(tables.size(table)).collect()
    return int(row["files"]), int(row["rows"])


def _expire(spark: Spark, plan: Plan, table: str, report: Report) -> None:
    snapshots = _snapshots(spark, table)
    refs = [row["snapshot_id"] for row in spark.sql(tables.refs(table)).collect()]
    before = expirable_before(snapshots, refs, plan.expire_before)
    (row,) = _insist(spark, tables.expire(f"{tables.NAMESPACE}.{table}", before, plan.keep_snapshots)).collect()
    report.deleted_files = sum(int(row[name] or 0) for name in tables.EXPIRED)


def _remove_orphans(spark: Spark, plan: Plan, table: str, report: Report) -> None:
    report.orphans = len(spark.sql(tables.remove_orphans(table, plan.orphans_before)).collect())


def _find_communities(spark: Spark, plan: Plan, reports: dict[str, Report]) -> None:
    spark.sql(tables.MAKE_DERIVED)
    spark.sql(tables.MAKE_COMMUNITIES)
    heads = {table: _head(spark, table) for table in reports}
    graphs = [spark.sql(tables.living(table, head)) for table, head in heads.items() if head is not None]
    if not graphs:
        return
    everybody = reduce(lambda one, other: one.unionByName(other), graphs)
    found = everybody.groupBy("tenant").applyInArrow(plan.grouped, tables.COMMUNITIES_SCHEMA)
    found.writeTo(tables.COMMUNITIES).overwritePartitions()
    # What was computed before names nodes that may have been erased since.
    spark.sql(tables.expire(tables.COMMUNITIES_IN_CATALOG, plan.now, 1))
    by_tenant = {report.tenant: report for report in reports.values()}
    for row in spark.sql(tables.SUMMARY).collect():
        if (report := by_tenant.get(row["tenant"])) is not None:
            report.nodes, report.communities = int(row["nodes"]), int(row["communities"])
            report.modularity = row["modularity"]


def _head(spark: Spark, table: str) -> int | None:
    rows: Sequence[Any] = spark.sql(tables.head(table)).collect()
    return int(rows[0]["snapshot_id"]) if rows else None
