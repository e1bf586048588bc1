"""The relay's numbers for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import CollectorRegistry, Metric

    from aeterna.relay.domain.tally import Tally


class RelayMetrics(Collector):
    """Shows a tally."""

    def __init__(self, registry: CollectorRegistry, tally: Tally) -> None:
        self._tally = tally
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Return what is counted now."""
        tally = self._tally
        yield GaugeMetricFamily("aeterna_relay_cache_up", "Whether the cache answers.", float(tally.up))
        yield GaugeMetricFamily("aeterna_relay_connections", "Clients that are relayed now.", tally.open)
        yield GaugeMetricFamily(
            "aeterna_relay_login_ends_timestamp_seconds",
            "When the login of the newest connection ends.",
            tally.login_ends,
        )
        refused = CounterMetricFamily("aeterna_relay_refused", "Clients that were not relayed, by why.", labels=["why"])
        for why, count in tally.refused.items():
            refused.add_metric([why], count)
        yield refused
        ended = CounterMetricFamily("aeterna_relay_ended", "Clients that were relayed, by who ended it.", labels=["by"])
        for by, count in tally.ended.items():
            ended.add_metric([by], count)
        yield ended
        carried = CounterMetricFamily("aeterna_relay_bytes", "Bytes that went through.", labels=["direction"])
        carried.add_metric(["to_cache"], tally.sent_bytes)
        carried.add_metric(["to_client"], tally.received_bytes)
        yield carried

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry would otherwise collect once to learn the names."""
        return ()
