"""What the sidecar's workers counted, as Prometheus reads it: whichever worker is asked answers for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from aeterna.policy.domain import tally as tallies

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prometheus_client import CollectorRegistry, Metric

    from aeterna.policy.domain.tally import Tally
    from aeterna.service.clock import Clock


class DecisionMetrics(Collector):
    """Reads the tallies when it is scraped, so that counting costs a decision next to nothing."""

    def __init__(self, registry: CollectorRegistry, workers: Sequence[Tally], *, steady: Clock) -> None:
        """Take the tallies of all workers, in the order of their numbers."""
        self._workers = workers
        self._steady = steady
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Return everything that was counted until now."""
        yield self._decisions()
        yield self._evaluations()
        yield _counter("doubts", "Denies because something was unclear.", self._total(tallies.DOUBTS))
        yield _counter("audited_decisions", "Decisions given to the log.", self._total(tallies.AUDITED))
        yield _counter("unaudited_decisions", "Decisions that the log had no room for.", self._total(tallies.UNAUDITED))
        yield _counter("malformed_questions", "Requests that were no evaluation.", self._total(tallies.MALFORMED))
        looks = CounterMetricFamily("aeterna_policy_editions", "Publications looked into.", labels=("outcome",))
        looks.add_metric(("adopted",), self._total(tallies.ADOPTED))
        looks.add_metric(("refused",), self._total(tallies.REFUSED))
        yield looks
        yield from self._in_use()

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry would otherwise collect once to learn the names."""
        return ()

    def _total(self, place: int) -> int:
        return tallies.total(self._workers, place)

    def _decisions(self) -> Metric:
        family = CounterMetricFamily(
            "aeterna_policy_decisions", "Decisions by outcome and origin.", labels=("decision", "source")
        )
        for kind, count in tallies.decisions(self._workers).items():
            family.add_metric(kind, count)
        return family

    def _evaluations(self) -> Metric:
        buckets, seconds = tallies.evaluations(self._workers)
        family = HistogramMetricFamily("aeterna_policy_evaluation_seconds", "Time of an evaluation by the policies.")
        family.add_metric(
            (), [("+Inf" if bound == float("inf") else str(bound), count) for bound, count in buckets], seconds
        )
        return family

    def _in_use(self) -> Iterable[Metric]:
        """Return what each worker uses: workers or replicas whose digests differ for long are a split fleet."""
        edition = GaugeMetricFamily(
            "aeterna_policy_edition_epoch", "Epoch of the edition in use.", labels=("worker", "digest")
        )
        age = GaugeMetricFamily(
            "aeterna_policy_edition_age_seconds", "Since the edition was confirmed.", labels=("worker",)
        )
        entries = GaugeMetricFamily("aeterna_policy_cache_entries", "Verdicts remembered.", labels=("worker",))
        now = self._steady()
        for number, worker in enumerate(self._workers):
            if worker.epoch:
                edition.add_metric((str(number), worker.digest), worker.epoch)
                age.add_metric((str(number),), worker.age(now))
                entries.add_metric((str(number),), worker.cached)
        return (edition, age, entries)


def _counter(name: str, documentation: str, value: int) -> Metric:
    family = CounterMetricFamily(f"aeterna_policy_{name}", documentation)
    family.add_metric((), value)
    return family
