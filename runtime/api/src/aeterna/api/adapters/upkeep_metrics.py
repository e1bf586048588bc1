"""Upkeep as Prometheus metrics and log lines."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Histogram

from aeterna.graph.domain.identifiers import tenant_hash
from aeterna.graph.domain.upkeep import Collected, Compacted, Expired

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.upkeep import TaskReport

log = logging.getLogger(__name__)

_SECONDS: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0, 1800.0)


class PrometheusUpkeepObserver:
    """An `UpkeepObserver` that counts and logs. No label names a tenant: their number has no bound."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tasks = Counter(
            "aeterna_graph_upkeep_tasks",
            "Tasks of upkeep, by what came of them.",
            ("task", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "aeterna_graph_upkeep_seconds",
            "Time of one task of upkeep.",
            ("task",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._rewritten = Counter(
            "aeterna_graph_compaction_bytes", "Bytes that compaction read and wrote.", ("way",), registry=registry
        )
        self._expired = Counter("aeterna_graph_expired_snapshots", "Snapshots that expired.", registry=registry)
        self._files = Counter("aeterna_graph_collected_files", "Unreachable files deleted.", registry=registry)
        self._bytes = Counter("aeterna_graph_collected_bytes", "Bytes of those files.", registry=registry)

    def done(self, tenant: TenantId, report: TaskReport) -> None:
        """Note what one task did; a dry run did nothing."""
        if report.dry_run:
            return
        self._tasks.labels(report.task, report.error or "done").inc()
        self._seconds.labels(report.task).observe(report.seconds)
        match report.outcome:
            case Compacted(bytes_before=read, bytes_after=written):
                self._rewritten.labels("read").inc(read)
                self._rewritten.labels("written").inc(written)
            case Expired(expired=expired):
                self._expired.inc(expired)
            case Collected(files=files, bytes=size):
                self._files.inc(files)
                self._bytes.inc(size)
            case _:
                pass
        figures = dataclasses.asdict(report.outcome) if report.outcome else {}
        log.info(
            "graph.upkeep",
            extra={
                "task": report.task,
                "tenant_hash": tenant_hash(tenant),
                "seconds": round(report.seconds, 3),
                "error": report.error,
                "figures": {name: str(value) for name, value in figures.items()},
            },
        )
