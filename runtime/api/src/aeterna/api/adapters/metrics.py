"""Commits as Prometheus metrics."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Histogram

if TYPE_CHECKING:
    from collections.abc import Generator

    from prometheus_client import CollectorRegistry

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.ports import CommitObserver, CommitTrace

_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SESSIONS: Final = (1, 2, 4, 8, 16, 32, 64)


class PrometheusCommitObserver:
    """A `CommitObserver` that measures what another one watches. No label names a tenant: their number has no bound."""

    def __init__(self, inner: CommitObserver, registry: CollectorRegistry) -> None:
        self._inner = inner
        self._seconds = Histogram(
            "aeterna_graph_commit_seconds",
            "Time of one group commit, retries included.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._sessions = Histogram(
            "aeterna_graph_commit_sessions",
            "Sessions that were committed together.",
            buckets=_SESSIONS,
            registry=registry,
        )
        self._rows = Counter("aeterna_graph_commit_rows", "Rows that were committed.", registry=registry)
        self._retries = Counter(
            "aeterna_graph_commit_retries", "Commits tried again because another writer won.", registry=registry
        )
        self._queued = Histogram(
            "aeterna_graph_commit_queue_seconds",
            "Time that a session waited until its group's commit began.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._leased = Histogram(
            "aeterna_graph_commit_lease_seconds",
            "Time that a group's commit waited for the lease on writing the tenant.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._turned_away = Counter(
            "aeterna_graph_sessions_turned_away",
            "Sessions that were not queued, by code.",
            ("code",),
            registry=registry,
        )
        self._errors = Counter(
            "aeterna_graph_commit_errors", "Commits that failed, by code.", ("code",), registry=registry
        )

    @contextlib.contextmanager
    def commit(self, tenant: TenantId) -> Generator[CommitTrace]:
        """Watch one commit; what the trace holds at the end is what happened."""
        begun = time.perf_counter()
        with self._inner.commit(tenant) as trace:
            try:
                yield trace
            finally:
                self._record(trace, time.perf_counter() - begun)

    def turned_away(self, tenant: TenantId, code: str) -> None:
        """Count a session that was not queued."""
        self._inner.turned_away(tenant, code)
        self._turned_away.labels(code).inc()

    def _record(self, trace: CommitTrace, seconds: float) -> None:
        self._seconds.observe(seconds)
        self._leased.observe(trace.lease_seconds)
        for waited in trace.queue_seconds:
            self._queued.observe(waited)
        self._retries.inc(trace.retries)
        if trace.error is not None:
            self._errors.labels(trace.error).inc()
        elif trace.snapshot_id is not None:
            self._sessions.observe(trace.sessions)
            self._rows.inc(trace.rows)
