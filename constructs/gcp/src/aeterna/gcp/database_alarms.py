"""What people are told of a database: that it is down, busy, nearly full, or has no connection left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.gcp.alarm import PERCENT, SHORT, Alarm, share

if TYPE_CHECKING:
    from aeterna.contracts.alerts import AlertsSpec

METRICS = "cloudsql.googleapis.com/database"
BYTES_A_GIB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a server can go: what its disk may grow to, and how many connections it takes."""

    gib: int
    connections: int


def database_alarms(database_id: str, spec: AlertsSpec, *, limits: Limits | None) -> tuple[Alarm, ...]:
    """Return the alarms on one server; ``database_id`` is its project and its name, joined by a colon.

    A disk that grows by itself is always nearly full: what counts is how far it may grow.
    """
    this = f'resource.type="cloudsql_database" AND resource.labels.database_id="{database_id}"'
    basic = (
        Alarm(
            name="down",
            says="is down",
            metric=f"{METRICS}/up",
            resource=this,
            threshold=1,
            below=True,
            aligner="ALIGN_MAX",
            lasting=SHORT,
            critical=True,
        ),
        Alarm(
            name="busy",
            says="is busy",
            metric=f"{METRICS}/cpu/utilization",
            resource=this,
            threshold=share(spec.busy_percent),
        ),
    )
    if limits is None:
        metric = f"{METRICS}/disk/utilization"
        full = Alarm(name="full", says="is full", metric=metric, resource=this, threshold=share(spec.full_percent))
        return (*basic, full)
    grown = Alarm(
        name="full",
        says="has almost grown to its limit",
        metric=f"{METRICS}/disk/bytes_used",
        resource=this,
        threshold=limits.gib * BYTES_A_GIB * spec.full_percent // PERCENT,
    )
    connected = Alarm(
        name="connections",
        says="has few connections left",
        metric=f"{METRICS}/postgresql/num_backends",
        resource=this,
        threshold=limits.connections * spec.full_percent // PERCENT,
        reducer="REDUCE_SUM",  # the service counts them by database
        lasting=SHORT,
    )
    return (*basic, grown, connected)
