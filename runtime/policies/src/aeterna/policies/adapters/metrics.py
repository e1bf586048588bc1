"""The administration's own Prometheus metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import CollectorRegistry, Metric

    from aeterna.policies.usecases.replicas import Replicas


class PolicyMetrics:
    """Counts changes and their outcomes: ``done``, ``repeated``, or the code of the error."""

    def __init__(self, registry: CollectorRegistry, replicas: Replicas) -> None:
        self._changes = Counter(
            "aeterna_policies_changes",
            "Proposals, deployments and rollbacks, by what came of them.",
            ("act", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "aeterna_policies_change_seconds",
            "Time of a proposal, a deployment or a rollback, the analysis included.",
            ("act",),
            buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0),
            registry=registry,
        )
        registry.register(_ReplicaCollector(replicas))

    def changed(self, act: str, outcome: str, seconds: float) -> None:
        """Note a change that was asked for."""
        self._changes.labels(act, outcome).inc()
        self._seconds.labels(act).observe(seconds)


class _ReplicaCollector(Collector):
    """Counts replicas when it is asked, since they leave by saying nothing."""

    def __init__(self, replicas: Replicas) -> None:
        self._replicas = replicas

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        by_digest = self._replicas.by_digest()
        replicas = GaugeMetricFamily(
            "aeterna_policies_replicas",
            "Replicas that asked this process for their bundle lately, by the digest that they have.",
            labels=["digest"],
        )
        for digest, count in by_digest.items():
            replicas.add_metric([digest], count)
        yield replicas
        yield GaugeMetricFamily(
            "aeterna_policies_replica_digests",
            "How many digests those replicas have between them: more than 1 for long is a fleet that came apart.",
            value=len(by_digest),
        )
