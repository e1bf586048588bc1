"""Counts notifications for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

from aeterna.threads.domain.push import Reason

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from aeterna.threads.domain.push import Backlog


class PushMetrics:
    """A `PushObserver`; the backlog is the whole store's and each replica shows it, so take the maximum of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._delivered = Counter(
            "aeterna_threads_push_delivered", "Notifications that their receivers took.", registry=registry
        )
        self._failed = Counter(
            "aeterna_threads_push_failed", "Attempts to deliver that will be made again.", registry=registry
        )
        self._dead = Counter(
            "aeterna_threads_push_dead", "Notifications that became dead letters.", ("reason",), registry=registry
        )
        self._waiting = Gauge(
            "aeterna_threads_push_waiting", "Notifications still to be delivered, of all replicas.", registry=registry
        )
        self._oldest = Gauge(
            "aeterna_threads_push_oldest_seconds", "How long the oldest of them has waited.", registry=registry
        )
        for reason in Reason:
            self._dead.labels(reason.value)

    def delivered(self) -> None:
        """See `PushObserver.delivered`."""
        self._delivered.inc()

    def failed(self) -> None:
        """See `PushObserver.failed`."""
        self._failed.inc()

    def died(self, reason: Reason, count: int = 1) -> None:
        """See `PushObserver.died`."""
        self._dead.labels(reason.value).inc(count)

    def backlog(self, backlog: Backlog) -> None:
        """See `PushObserver.backlog`."""
        self._waiting.set(backlog.waiting)
        self._oldest.set(backlog.oldest.total_seconds())
