"""Alarms on Azure: an action group that tells people, and metric alerts on whatever is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.monitor_action_group import AzurermMonitorActionGroup
from aeterna.azure.l1.monitor_metric_alert import AzurermMonitorMetricAlert
from aeterna.contracts.alerts import AlertsOutputs
from aeterna.contracts.late import Late
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.alarm import Alarm, Watchable
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.alerts import AlertsSpec

EVERY = "PT5M"
OVER = "PT15M"
LONGEST_SHORT_NAME = 12
"""What the sender of a text message may be called."""


@names_itself
class AzureAlerts(Construct):
    """An action group, and one metric alert for each thing that each watched resource asks for.

    What an action group sends cannot be encrypted under a customer's key; it holds names and numbers, never data.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: AlertsSpec, *, place: AzurePlace, watches: Sequence[Watchable] = ()
    ) -> None:
        super().__init__(scope, id_)
        self._spec, self._place = spec, place
        self._group = AzurermMonitorActionGroup(
            self,
            "Resource",
            name=spec.name,
            short_name=spec.name[:LONGEST_SHORT_NAME].rstrip("-"),
            resource_group_name=place.group_name,
            email_receiver=[
                {"name": f"email-{number}", "email_address": email, "use_common_alert_schema": True}
                for number, email in enumerate(spec.emails, start=1)
            ]
            or None,
        )
        for watched in watches:
            for alarm in watched.alarms(spec):
                self._alert(watched, alarm)
        self.outputs = AlertsOutputs(channel=Late(self._group.id))

    def _alert(self, watched: Watchable, alarm: Alarm) -> None:
        AzurermMonitorMetricAlert(
            self,
            f"{watched.watched_name}-{alarm.name}",
            name=f"{self._spec.name}-{watched.watched_name}-{alarm.name}",
            resource_group_name=self._place.group_name,
            scopes=[watched.watched_id],
            severity=int(alarm.severity),
            frequency=EVERY,
            window_size=OVER,
            auto_mitigate=True,
            criteria=[
                {
                    "metric_namespace": alarm.namespace,
                    "metric_name": alarm.metric,
                    "aggregation": alarm.aggregation,
                    "operator": alarm.operator,
                    "threshold": alarm.threshold,
                    "dimension": [
                        {"name": name, "operator": "Include", "values": list(values)}
                        for name, values in alarm.dimensions.items()
                    ]
                    or None,
                }
            ],
            action=[{"action_group_id": self._group.id}],
        )
