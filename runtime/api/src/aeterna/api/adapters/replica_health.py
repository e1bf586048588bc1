"""How far this replica is behind: as a metric, and as a reason to get no requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Gauge

from aeterna.graph.domain.identifiers import tenant_hash
from aeterna.service.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from prometheus_client import CollectorRegistry

    from aeterna.graph.usecases.replica import Lag, Replica


def measured(replica: Replica, registry: CollectorRegistry) -> None:
    """Keep the lag as a gauge. No label names a tenant: their number has no bound."""

    def seconds() -> float:
        lag = replica.lag()
        return lag.behind_for.total_seconds() if lag else 0.0

    Gauge(
        "aeterna_graph_replica_lag_seconds",
        "How long the open graph that is furthest behind has not shown a session that is known to be committed.",
        registry=registry,
    ).set_function(seconds)


def following(lag: Callable[[], Lag | None], bound: timedelta) -> None:
    """Raise `NotReadyError` when an open graph has been behind for longer than the bound."""
    found = lag()
    if found is not None and found.behind_for > bound:
        raise NotReadyError(
            {
                "tenant_hash": tenant_hash(found.tenant),
                "behind_seconds": round(found.behind_for.total_seconds(), 1),
                "missing_sessions": found.missing,
                "cause": found.reason,
            }
        )
