"""Change feeds as Prometheus metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class PrometheusFeedObserver:
    """A `FeedObserver` that counts. No label names a tenant: their number has no bound."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge("aeterna_graph_feeds", "Change feeds that are open.", registry=registry)
        self._bytes = Counter("aeterna_graph_feed_bytes", "Bytes of changes that readers took.", registry=registry)
        self._ends = Counter(
            "aeterna_graph_feed_errors", "Feeds that ended by an error, by code.", ("code",), registry=registry
        )

    def opened(self) -> None:
        """Note a feed that begins."""
        self._open.inc()

    def closed(self) -> None:
        """Note a feed that ends."""
        self._open.dec()

    def taken(self, size: int) -> None:
        """Note bytes that a reader took."""
        self._bytes.inc(size)

    def failed(self, code: str) -> None:
        """Note the error that ended a feed."""
        self._ends.labels(code).inc()
