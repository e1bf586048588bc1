"""What the keeper's feed comes to, as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from aeterna.policy.domain.feeding import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client import CollectorRegistry, Metric

    from aeterna.policy.domain.feeding import FeedState


class FeedMetrics(Collector):
    """Reads the feed's state when it is scraped; in the keeper's process alone."""

    def __init__(self, registry: CollectorRegistry, state: FeedState, *, state_faults: Callable[[], int]) -> None:
        """Take how often the disk refused what was to be kept."""
        self._state = state
        self._state_faults = state_faults
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Return everything that is known now."""
        state = self._state
        outcomes = CounterMetricFamily(
            "aeterna_policy_feed", "Bundles that the feed brought, or not.", labels=("outcome",)
        )
        for outcome in OUTCOMES:
            outcomes.add_metric((outcome,), state.outcomes[outcome])
        yield outcomes
        refusal = GaugeMetricFamily(
            "aeterna_policy_feed_refusal", "1 while something stands between the feed and its use.", labels=("code",)
        )
        if state.refusal is not None:
            refusal.add_metric((state.refusal.code,), 1)
        yield refusal
        yield GaugeMetricFamily(
            "aeterna_policy_feed_success_timestamp_seconds",
            "When the feed was last known to be in step; 0 for never.",
            value=state.succeeded_at,
        )
        yield CounterMetricFamily(
            "aeterna_policy_staged_changes", "Changes that were pushed.", value=state.staged_changes
        )
        yield GaugeMetricFamily("aeterna_policy_staged_files", "Files in the staged set.", value=state.staged_files)
        yield CounterMetricFamily(
            "aeterna_policy_state_faults",
            "Times the disk refused to keep what is in force.",
            value=self._state_faults(),
        )

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry would otherwise collect once to learn the names."""
        return ()
