"""What people are told of a cluster: that its nodes are busy or full, or that one is not there any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.gcp.alarm import SHORT, Alarm, LoggedEvent, share

if TYPE_CHECKING:
    from aeterna.contracts.alerts import AlertsSpec
    from aeterna.contracts.late import Late

HALF_OF_THE_TIME = 0.5
NOT_READY = "(?i)(false|unknown)"
"""In any case: a filter that also meets the state of a healthy node would tell people of every node, for ever."""


def cluster_alarms(spec: AlertsSpec, *, project: Late, location: str, name: str) -> tuple[Alarm, ...]:
    """Return the alarms on the nodes of one cluster."""
    of_project = f'resource.type="k8s_node" AND resource.labels.project_id="{project}"'
    each = f'{of_project} AND resource.labels.location="{location}" AND resource.labels.cluster_name="{name}"'
    not_ready = f'metric.labels.status=monitoring.regex.full_match("{NOT_READY}")'
    return (
        Alarm(
            name="busy",
            says="has busy nodes",
            metric="kubernetes.io/node/cpu/allocatable_utilization",
            resource=each,
            threshold=share(spec.busy_percent),
        ),
        Alarm(
            name="memory",
            says="has nodes whose memory is full",
            metric="kubernetes.io/node/memory/allocatable_utilization",
            resource=f'{each} AND metric.labels.memory_type="non-evictable"',
            threshold=share(spec.full_percent),
        ),
        Alarm(
            name="not-ready",
            says="has a node that is not ready",
            metric="kubernetes.io/node/status_condition",
            resource=f'{each} AND metric.labels.condition="Ready" AND {not_ready}',
            aligner="ALIGN_FRACTION_TRUE",
            threshold=HALF_OF_THE_TIME,
            lasting=SHORT,
            critical=True,
        ),
    )


def emergency_use(email: str) -> LoggedEvent:
    """Return the event that a cluster's emergency account changes something, which nobody should do unseen."""
    return LoggedEvent(
        name="emergency",
        says="is changed by its emergency account",
        entries=f'resource.type="k8s_cluster" AND protoPayload.authenticationInfo.principalEmail="{email}"',
    )
