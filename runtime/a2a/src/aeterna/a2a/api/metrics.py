"""What is counted of the protocol's calls; the chassis counts requests and does not know what they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from aeterna.a2a.api.exchange import Binding


class CallMetrics:
    """Counts calls by binding, method and outcome; all three are bounded by the code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "aeterna_a2a_calls",
            "Calls of the protocol's methods; `outcome` is ok, a reason of the protocol, or a code of ours.",
            ("binding", "method", "outcome"),
            registry=registry,
        )

    def count(self, binding: Binding, method: str, outcome: str) -> None:
        """Count one call."""
        self._calls.labels(binding, method, outcome).inc()
