"""What was counted while secrets were handed over, as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import CollectorRegistry, Metric

    from aeterna.secrets.domain.handed import Handed


class HandedMetrics(Collector):
    """Reads the counts when it is scraped."""

    def __init__(self, registry: CollectorRegistry, counts: Handed) -> None:
        self._counts = counts
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Return everything that was counted until now."""
        counts = self._counts
        yield GaugeMetricFamily("aeterna_secrets_files", "Files of secrets that there are now.", counts.files)
        yield _counter("file_switches", "Times that the files were replaced, in one step.", counts.switches)
        yield _counter("render_failures", "Files that could not be made of new secrets.", counts.render_failures)
        yield _counter("folder_failures", "Times that the folder could not be written to.", counts.folder_failures)
        notices = CounterMetricFamily("aeterna_secrets_notices", "Signals and calls by outcome.", labels=("outcome",))
        notices.add_metric(("told",), counts.notices)
        notices.add_metric(("failed",), counts.notice_failures)
        yield notices
        yield _counter("socket_answers", "Secrets given out over the socket.", counts.answers)
        yield _counter("socket_peers_refused", "Requests of users that secrets are not for.", counts.peers_refused)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry would otherwise collect once to learn the names."""
        return ()


def _counter(name: str, documentation: str, value: int) -> Metric:
    return CounterMetricFamily(f"aeterna_secrets_{name}", documentation, value)
