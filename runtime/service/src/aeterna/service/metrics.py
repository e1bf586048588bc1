"""The registry of a process's metrics, with those that every process has and those of asking the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from aeterna.enforcement.breaker import State
from aeterna.enforcement.errors import Doubt

if TYPE_CHECKING:
    from typing import Literal

_BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


def new_registry() -> CollectorRegistry:
    """Return a registry with the metrics of the process; a service adds its own to it.

    Not the library's global one: two applications in one process, as in tests, would share their counts.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class EnforcementMetrics:
    """Prometheus metrics of a service's questions to its decision point; an ``Observer`` of the enforcement point."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "aeterna_enforcement_question_seconds",
            "Time to an answer of the decision point, by what it was.",
            ("decision",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._remembered = Counter(
            "aeterna_enforcement_remembered", "Questions answered from memory.", registry=registry
        )
        self._unavailable = Counter(
            "aeterna_enforcement_unavailable", "Questions without a decision, by why.", ("doubt",), registry=registry
        )
        self._circuit = Gauge(
            "aeterna_enforcement_circuit",
            "1 for the state that the circuit breaker is in.",
            ("state",),
            registry=registry,
        )
        self._stream = Gauge(
            "aeterna_enforcement_epoch_stream",
            "Whether the epoch stream is live, so that decisions are remembered.",
            registry=registry,
        )
        for doubt in Doubt:
            self._unavailable.labels(doubt.value)
        self.circuit(State.CLOSED)

    def asked(self, outcome: Literal["permit", "deny"], seconds: float) -> None:
        """Note a question that the decision point answered, and how long that took."""
        self._seconds.labels(outcome).observe(seconds)

    def remembered(self) -> None:
        """Note a question that was answered from memory."""
        self._remembered.inc()

    def unavailable(self, doubt: Doubt) -> None:
        """Note a question without a decision."""
        self._unavailable.labels(doubt.value).inc()

    def circuit(self, state: State) -> None:
        """Note the state of the circuit breaker."""
        for one in State:
            self._circuit.labels(one.value).set(one is state)

    def stream(self, live: bool) -> None:  # noqa: FBT001 - as the protocol
        """Note that the epoch stream began or ended."""
        self._stream.set(live)
