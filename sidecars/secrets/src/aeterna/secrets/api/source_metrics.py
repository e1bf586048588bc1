"""What was counted while secrets were kept, and how long each may still be used, as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from prometheus_client import CollectorRegistry, Metric

    from aeterna.secrets.domain.counts import Counts
    from aeterna.secrets.domain.moment import Moment
    from aeterna.secrets.usecases.holdings import Holdings
    from aeterna.secrets.usecases.keeping import SourceKeeper


class SourceMetrics(Collector):
    """Reads the counts when it is scraped."""

    def __init__(
        self,
        registry: CollectorRegistry,
        counts: Counts,
        holdings: Holdings,
        keepers: Sequence[SourceKeeper],
        *,
        now: Callable[[], Moment],
    ) -> None:
        self._counts = counts
        self._holdings = holdings
        self._keepers = keepers
        self._now = now
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Return everything that was counted until now."""
        yield from self._terms()
        done = CounterMetricFamily(
            "aeterna_secrets_source_operations",
            "What a source did: login, login_renewal, fetch, lease_renewal or revocation.",
            labels=("source", "kind"),
        )
        for (source, kind), count in self._counts.done.items():
            done.add_metric((source, kind), count)
        yield done
        failures = CounterMetricFamily(
            "aeterna_secrets_failures", "What failed, by source (or files) and code.", labels=("source", "code")
        )
        for labels, count in self._counts.failures.items():
            failures.add_metric(labels, count)
        yield failures
        withdrawals = CounterMetricFamily(
            "aeterna_secrets_withdrawals", "Secrets that were taken away without another.", labels=("name",)
        )
        for name in sorted(self._holdings.names):
            withdrawals.add_metric((name,), self._counts.withdrawals[name])
        yield withdrawals

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry would otherwise collect once to learn the names."""
        return ()

    def _terms(self) -> Iterable[Metric]:
        held = GaugeMetricFamily("aeterna_secrets_held", "Whether a secret can be used now.", labels=("name",))
        left = GaugeMetricFamily(
            "aeterna_secrets_lease_remaining_seconds", "How long a leased secret may still be used.", labels=("name",)
        )
        now, missing = self._now(), self._holdings.missing
        for name in sorted(self._holdings.names):
            held.add_metric((name,), name not in missing)
            ends = self._holdings.ends(name)
            if ends is not None:
                left.add_metric((name,), now.until(ends))
        yield held
        yield left
        login = GaugeMetricFamily(
            "aeterna_secrets_login_remaining_seconds", "How long a login may still be used.", labels=("source",)
        )
        for keeper in self._keepers:
            if keeper.login_ends is not None:
                login.add_metric((keeper.source,), now.until(keeper.login_ends))
        yield login
