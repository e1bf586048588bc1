"""Alarms on Google Cloud: a topic under the key that every alarm goes to, and alerting policies on what is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.alerts import AlertsOutputs
from aeterna.contracts.late import Late
from aeterna.gcp.agents import Agent, service_agent
from aeterna.gcp.alarm import LoggedEvent
from aeterna.gcp.l1.monitoring_alert_policy import GoogleMonitoringAlertPolicy
from aeterna.gcp.l1.monitoring_notification_channel import GoogleMonitoringNotificationChannel
from aeterna.gcp.l1.pubsub_topic import GooglePubsubTopic
from aeterna.gcp.l1.pubsub_topic_iam_member import GooglePubsubTopicIamMember
from aeterna.gcp.waiting import settled
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.alerts import AlertsSpec
    from aeterna.gcp.alarm import Alarm, Watchable
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.l1.monitoring_alert_policy import GoogleMonitoringAlertPolicyConditionsConditionThresholdBlock
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

ALIGNED_OVER = "300s"
CLOSED_AFTER = "1800s"
ONCE_AN_HOUR = "3600s"
PUBLISH = "roles/pubsub.publisher"


@names_itself
class GcpAlerts(Construct):
    """One alerting policy for each thing that each watched construct asks to be told of.

    Every policy publishes to a topic, where your own systems subscribe, and writes to the people of the spec. What is
    in the topic is encrypted under the key; a mail is not.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: AlertsSpec,
        *,
        place: GcpPlace,
        key: GcpKey,
        watches: Sequence[Watchable] = (),
    ) -> None:
        super().__init__(scope, id_)
        key.require_at("AlertsSpec", place.region)
        self._spec = spec
        self._labels = place.labels
        self._service = place.service("monitoring")
        topic = self._topic(place, key)
        published = self._published(topic)
        self._channels = [published.id, *self._mailed()]
        self._heard = self._may_publish(topic, place, channel=published)
        named: set[str] = set()
        for watched in watches:
            # The first of a name keeps its alarms where they are when another thing of that name is appended.
            label = f"{watched.name}-{watched.node.id}" if watched.name in named else watched.name
            named.add(watched.name)
            for alarm in watched.alarms(spec):
                self._policy(watched.name, alarm, label=label)
        self.outputs = AlertsOutputs(channel=Late(topic.id))

    def _topic(self, place: GcpPlace, key: GcpKey) -> GooglePubsubTopic:
        usable = key.grant(self, "KeyUse", service_agent(place, Agent.PUBSUB), after=[place.service("pubsub")])
        return GooglePubsubTopic(
            self,
            "Resource",
            name=f"{self._spec.name}-alerts",
            kms_key_name=key.id,
            # The key is of one region, and so is what it encrypts.
            message_storage_policy={"allowed_persistence_regions": [place.region]},
            depends_on=[place.service("pubsub"), usable],
        )

    def _published(self, topic: GooglePubsubTopic) -> GoogleMonitoringNotificationChannel:
        return GoogleMonitoringNotificationChannel(
            self,
            "Published",
            display_name=f"{self._spec.name}: topic",
            type="pubsub",
            labels={"topic": topic.id},
            depends_on=[self._service],
        )

    def _may_publish(
        self, topic: GooglePubsubTopic, place: GcpPlace, *, channel: GoogleMonitoringNotificationChannel
    ) -> ITerraformDependable:
        """Let Cloud Monitoring speak to the topic. Its account is made with a project's first channel of this kind."""
        publisher = GooglePubsubTopicIamMember(
            self,
            "Publisher",
            topic=topic.name,
            role=PUBLISH,
            member=service_agent(place, Agent.MONITORING),
            depends_on=[settled(self, "ChannelKnown", after=[channel])],
        )
        return settled(self, "PublisherKnown", after=[publisher])

    def _mailed(self) -> list[str]:
        return [
            GoogleMonitoringNotificationChannel(
                self,
                f"Mailed{number}",
                display_name=f"{self._spec.name}: {email}",
                type="email",
                labels={"email_address": email},
                depends_on=[self._service],
            ).id
            for number, email in enumerate(self._spec.emails, start=1)
        ]

    def _policy(self, watched: str, asked: Alarm | LoggedEvent, *, label: str) -> ITerraformDependable:
        logged = isinstance(asked, LoggedEvent)
        return GoogleMonitoringAlertPolicy(
            self,
            f"{label}-{asked.name}",
            display_name=f"{self._spec.name}: {label} {asked.says}",
            combiner="OR",
            severity="CRITICAL" if logged or asked.critical else "WARNING",
            notification_channels=self._channels,
            alert_strategy={
                "auto_close": CLOSED_AFTER,
                "notification_rate_limit": {"period": ONCE_AN_HOUR} if logged else None,
            },
            conditions=[
                {"display_name": f"{label} {asked.says}", "condition_matched_log": {"filter": asked.entries}}
                if isinstance(asked, LoggedEvent)
                else {"display_name": f"{label} {asked.says}", "condition_threshold": _threshold(asked)}
            ],
            user_labels={**self._labels, "watches": watched},
            depends_on=[self._service, self._heard],
        )


def _threshold(alarm: Alarm) -> GoogleMonitoringAlertPolicyConditionsConditionThresholdBlock:
    return {
        "filter": f'metric.type="{alarm.metric}" AND {alarm.resource}',
        "comparison": "COMPARISON_LT" if alarm.below else "COMPARISON_GT",
        "threshold_value": alarm.threshold,
        "duration": alarm.lasting,
        "aggregations": [
            {
                "alignment_period": ALIGNED_OVER,
                "per_series_aligner": alarm.aligner,
                "cross_series_reducer": alarm.reducer,
            }
        ],
        "trigger": {"count": 1},
    }
