"""Erasures that are not done yet, as Prometheus metrics: a promise to a person that is late must be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Gauge

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from aeterna.graph.usecases.erasure_jobs import ErasureJobs


def erasures_measured(jobs: ErasureJobs, registry: CollectorRegistry) -> None:
    """Tell of the jobs in the registry, as of the moment at which it is asked."""
    pending = Gauge(
        "aeterna_graph_erasures_pending", "Tenants with an erasure that is not done yet.", registry=registry
    )
    oldest = Gauge(
        "aeterna_graph_erasure_oldest_seconds", "For how long the oldest erasure is not done.", registry=registry
    )
    pending.set_function(lambda: jobs.pending)
    oldest.set_function(lambda: jobs.oldest_seconds)
