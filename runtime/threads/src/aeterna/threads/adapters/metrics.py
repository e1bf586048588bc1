"""The thread store's own Prometheus metrics; their names are a contract, listed in docs/guide/threads-operation.md."""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from aeterna.threads.domain.task import Kind, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from prometheus_client import CollectorRegistry, Metric

    from aeterna.postgres.pool import Pool

WRITTEN: Final = "written"
REPEATED: Final = "repeated"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def _summed(pools: Sequence[Pool]) -> Tally[str]:
    """Return what the pools tell of themselves, together."""
    total = Tally[str]()
    for pool in pools:
        total.update(pool.get_stats())
    return total


class StoreMetrics:
    """Counts what is written, and who runs what.

    ``log`` is ``thread`` or ``task``; an ``outcome`` is ``written``, ``repeated`` or the code of the error.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.writes = Counter(
            "aeterna_threads_writes", "Writes to logs, by what came of them.", ("log", "outcome"), registry=registry
        )
        self.rows = Counter("aeterna_threads_rows", "Rows added to the logs of tasks.", ("kind",), registry=registry)
        self.batch = Histogram(
            "aeterna_threads_write_batch",
            "How many writes an agent's process sent together.",
            buckets=_SIZES,
            registry=registry,
        )
        self.seconds = Histogram(
            "aeterna_threads_write_seconds",
            "Time until the writes of one call were durable or refused, the wait for others to share with included.",
            ("log",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.states = Counter(
            "aeterna_threads_task_states", "Tasks that came into a state.", ("state",), registry=registry
        )
        self.leases = Counter(
            "aeterna_threads_leases",
            "Leases won: first ones, and those taken over after another attempt.",
            ("how",),
            registry=registry,
        )
        self.lost = Counter(
            "aeterna_threads_leases_lost", "Writes of runners whose lease was not theirs any more.", registry=registry
        )
        self.removed = Counter(
            "aeterna_threads_removed", "What cleanup removed, by kind of thing.", ("kind",), registry=registry
        )
        self.erasures = Counter(
            "aeterna_threads_erasures", "Erasures that cleanup advanced, by how far.", ("outcome",), registry=registry
        )
        for state in State:
            self.states.labels(state.value)
        for kind in Kind:
            self.rows.labels(kind.value)
        for how in ("first", "taken_over"):
            self.leases.labels(how)

    def cleaned(self, counts: Mapping[str, int], erasures: Mapping[str, int]) -> None:
        """Note what a round of cleanup did."""
        for kind, count in counts.items():
            self.removed.labels(kind).inc(count)
        for outcome, count in erasures.items():
            self.erasures.labels(outcome).inc(count)


class Sampled(Collector):
    """What is looked at when it is asked for: open streams, wakes, and the use of connections."""

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        pools: Mapping[str, Sequence[Pool]],
        streams: Mapping[str, Callable[[], int]],
        wakes: Mapping[str, int],
    ) -> None:
        """Take pools by what they are for, counts of streams by what they tell of, and of wakes by what they are."""
        self._pools = pools
        self._streams = streams
        self._wakes = wakes
        registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Say nothing before the pools are open."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Look."""
        streams = GaugeMetricFamily("aeterna_threads_streams", "Open event streams.", labels=["of"])
        for name, count in self._streams.items():
            streams.add_metric([name], count())
        yield streams
        wakes = CounterMetricFamily(
            "aeterna_threads_wakes", "Notifications between processes, by what became of them.", labels=["what"]
        )
        for name, number in self._wakes.items():
            wakes.add_metric([name], number)
        yield wakes
        yield from self._connections()

    def _connections(self) -> Iterable[Metric]:
        found = {name: _summed(pools) for name, pools in self._pools.items()}
        for metric, key, text in (
            ("connections", "pool_size", "Connections to the database."),
            ("connections_idle", "pool_available", "Those that nobody uses."),
            ("connections_wanted", "requests_waiting", "Requests that wait for one now."),
        ):
            gauge = GaugeMetricFamily(f"aeterna_threads_pool_{metric}", text, labels=["pool"])
            for name, stats in found.items():
                gauge.add_metric([name], stats[key])
            yield gauge
        for metric, key, text in (
            ("requests", "requests_num", "Requests for a connection."),
            ("timeouts", "requests_errors", "Requests that got none in time."),
            ("connections_failed", "connections_errors", "Connections that could not be made."),
            ("connections_lost", "connections_lost", "Connections that were found dead."),
        ):
            counter = CounterMetricFamily(f"aeterna_threads_pool_{metric}", text, labels=["pool"])
            for name, stats in found.items():
                counter.add_metric([name], stats[key])
            yield counter
