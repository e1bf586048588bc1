"""What people are told of a cluster: that a node is gone, or that the nodes are busy or full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.azure.alarm import Alarm, Severity

if TYPE_CHECKING:
    from aeterna.contracts.alerts import AlertsSpec

METRICS = "Microsoft.ContainerService/managedClusters"


def cluster_alarms(spec: AlertsSpec) -> tuple[Alarm, ...]:
    """Return the alarms on the nodes of one cluster."""
    return (
        Alarm(
            name="cluster-node-gone",
            namespace=METRICS,
            metric="kube_node_status_condition",
            threshold=0,
            severity=Severity.ERROR,
            dimensions={"condition": ("Ready",), "status2": ("NotReady", "Unknown")},
        ),
        Alarm(name="cluster-busy", namespace=METRICS, metric="node_cpu_usage_percentage", threshold=spec.busy_percent),
        Alarm(
            name="cluster-memory",
            namespace=METRICS,
            metric="node_memory_working_set_percentage",
            threshold=spec.full_percent,
        ),
        Alarm(name="cluster-full", namespace=METRICS, metric="node_disk_usage_percentage", threshold=spec.full_percent),
    )
