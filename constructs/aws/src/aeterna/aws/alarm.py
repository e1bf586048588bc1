"""What is watched on AWS: the metrics of databases, caches and clusters that tell of trouble before users do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from aeterna.aws.cache import ElastiCacheValkey
    from aeterna.aws.cluster import EksCluster
    from aeterna.aws.database import RdsPostgres
    from aeterna.contracts.alerts import AlertsSpec

GIB = 2**30
BYTES_A_CONNECTION = 9_531_392
MOST_CONNECTIONS = 5000
"""RDS allows a connection for so many bytes of memory, and never more than this (RDS User Guide, "Maximum number of
database connections")."""

LAG_BYTES = GIB
"""How much log a copy may be behind the server: at a usual load, minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of CloudWatch, and the value at which it is bad news once it has lasted."""

    id_: str
    """Names the alarm apart from the others of the same thing; part of its name and address."""
    description: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    threshold: float
    statistic: Literal["Average", "Maximum", "Minimum", "Sum"] = "Average"
    above: bool = True
    """Whether a value above the threshold is bad, rather than one below it."""
    missing: Literal["breaching", "notBreaching"] = "notBreaching"
    """What it means that nothing is reported."""


def of_database(database: RdsPostgres, spec: AlertsSpec) -> tuple[Metric, ...]:
    """Return what is watched of a server; what depends on its size only where the size is known."""
    dimensions = {"DBInstanceIdentifier": database.identifier}

    def metric(id_: str, name: str, threshold: float, description: str, *, above: bool = True) -> Metric:
        return Metric(
            id_=id_,
            description=description,
            namespace="AWS/RDS",
            name=name,
            dimensions=dimensions,
            threshold=threshold,
            above=above,
        )

    watched = [
        metric("Busy", "CPUUtilization", spec.busy_percent, "The processors are busy"),
        metric("Behind", "OldestReplicationSlotLag", LAG_BYTES, "A copy is behind"),
    ]
    size = database.size
    if size is not None:
        free = size.storage_gib * GIB * (100 - spec.full_percent) // 100
        room = min(size.memory_gib * GIB // BYTES_A_CONNECTION, MOST_CONNECTIONS) * spec.full_percent // 100
        watched += [
            metric("Full", "FreeStorageSpace", free, "The disk fills up", above=False),
            metric("Crowded", "DatabaseConnections", room, "Connections run out"),
        ]
    return tuple(watched)


def of_cache(cache: ElastiCacheValkey, spec: AlertsSpec) -> tuple[Metric, ...]:
    """Return what is watched of each node: the service reports none of it for the group as a whole."""

    def metric(node: int, id_: str, name: str, threshold: float, description: str) -> Metric:
        return Metric(
            id_=f"{id_}{node}",
            description=f"{description}, node {node}",
            namespace="AWS/ElastiCache",
            name=name,
            dimensions={"CacheClusterId": f"{cache.group_id}-{node:03}"},
            threshold=threshold,
        )

    return tuple(
        each
        for node in range(1, cache.nodes + 1)
        for each in (
            metric(node, "Busy", "EngineCPUUtilization", spec.busy_percent, "The engine is busy"),
            metric(node, "Full", "DatabaseMemoryUsagePercentage", spec.full_percent, "The memory fills up"),
            metric(node, "Evicting", "Evictions", 0, "Values are thrown out to make room"),
        )
    )


def of_cluster(cluster: EksCluster, spec: AlertsSpec) -> tuple[Metric, ...]:
    """Return what is watched of a cluster without an agent in it: EKS's own metrics, and those of each pool's machines.

    The pools of a cluster that is only looked up are not known.
    """
    waiting = Metric(
        id_="Waiting",
        description="Pods wait for a node that has room",
        namespace="AWS/EKS",
        name="scheduler_pending_pods_UNSCHEDULABLE",
        dimensions={"ClusterName": cluster.outputs.name},
        threshold=0,
        # The only statistic that EKS documents for it.
        statistic="Sum",
    )
    watched = [waiting]
    for pool, group in cluster.scaling_groups.items():
        dimensions = {"AutoScalingGroupName": group}
        watched += [
            Metric(
                id_=f"Failed-{pool}",
                description=f"A node of {pool} fails its checks",
                namespace="AWS/EC2",
                name="StatusCheckFailed",
                dimensions=dimensions,
                threshold=0,
                statistic="Maximum",
            ),
            Metric(
                id_=f"Busy-{pool}",
                description=f"The nodes of {pool} are busy",
                namespace="AWS/EC2",
                name="CPUUtilization",
                dimensions=dimensions,
                threshold=spec.busy_percent,
            ),
        ]
    return tuple(watched)
