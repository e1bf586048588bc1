"""Alarms of a foundation on AWS, and the topic that all of them speak to, encrypted under the customer's key."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.alarm import of_cache, of_cluster, of_database
from aeterna.aws.cache import ElastiCacheValkey
from aeterna.aws.cluster import EksCluster
from aeterna.aws.database import RdsPostgres
from aeterna.aws.l1.cloudwatch_metric_alarm import AwsCloudwatchMetricAlarm
from aeterna.aws.l1.sns_topic import AwsSnsTopic
from aeterna.aws.l1.sns_topic_policy import AwsSnsTopicPolicy
from aeterna.aws.l1.sns_topic_subscription import AwsSnsTopicSubscription
from aeterna.aws.policy_document import EVERYONE, Condition, Principal, Statement, document
from aeterna.contracts.alerts import AlertsOutputs
from aeterna.contracts.late import Late
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.aws.alarm import Metric
    from aeterna.aws.keys import AwsKey
    from aeterna.contracts.alerts import AlertsSpec

PERIOD_SECONDS = 300
PERIODS = 3
"""Three times five minutes: a quarter of an hour, which one busy moment is not."""

Watched: TypeAlias = EksCluster | RdsPostgres | ElastiCacheValkey


@names_itself
class CloudWatchAlerts(Construct):
    """An alarm on each metric that matters of what is watched, and one topic for all of them.

    Everyone who is told by mail has to confirm it once. Only alarms of this account whose names begin with the spec's
    may speak to the topic.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: AlertsSpec, *, key: AwsKey, watches: Sequence[Watched]
    ) -> None:
        super().__init__(scope, id_)
        self._spec = spec
        key.allow_alarms(spec.name)
        self._topic = self._channel(key)
        for watched in watches:
            for metric in _metrics(watched, spec):
                self._alarm(watched.node.id, metric)
        for position, email in enumerate(spec.emails):
            AwsSnsTopicSubscription(
                self, f"Email{position}", topic_arn=self._topic.arn, protocol="email", endpoint=email
            )
        self.outputs = AlertsOutputs(channel=Late(self._topic.arn))

    def _channel(self, key: AwsKey) -> AwsSnsTopic:
        name = self._spec.name
        topic = AwsSnsTopic(self, "Resource", name=f"{name}-alerts", kms_master_key_id=key.arn, tags={"Name": name})
        account = Account(self, "Account")
        alarms = Statement(
            sid="AlarmsSpeak",
            actions=("sns:Publish",),
            resources=(topic.arn,),
            principals=(Principal(kind="Service", identifiers=("cloudwatch.amazonaws.com",)),),
            conditions=(
                Condition(test="StringEquals", variable="aws:SourceAccount", values=(account.id,)),
                Condition(
                    test="ArnLike",
                    variable="aws:SourceArn",
                    values=(account.arn("cloudwatch", f"alarm:{name}-*"),),
                ),
            ),
        )
        plain = Statement(
            sid="DenyPlainHttp",
            effect="Deny",
            actions=("sns:Publish",),
            resources=(topic.arn,),
            principals=(EVERYONE,),
            conditions=(Condition(test="Bool", variable="aws:SecureTransport", values=("false",)),),
        )
        AwsSnsTopicPolicy(self, "Policy", arn=topic.arn, policy=document([alarms, plain]))
        return topic

    def _alarm(self, of: str, metric: Metric) -> None:
        name = f"{self._spec.name}-{of}-{metric.id_}"
        AwsCloudwatchMetricAlarm(
            self,
            f"{of}{metric.id_}",
            alarm_name=name,
            alarm_description=metric.description,
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=metric.dimensions,
            statistic=metric.statistic,
            comparison_operator="GreaterThanThreshold" if metric.above else "LessThanThreshold",
            threshold=metric.threshold,
            period=PERIOD_SECONDS,
            evaluation_periods=PERIODS,
            treat_missing_data=metric.missing,
            alarm_actions=[self._topic.arn],
            ok_actions=[self._topic.arn],
            tags={"Name": name},
        )


def _metrics(watched: Watched, spec: AlertsSpec) -> tuple[Metric, ...]:
    match watched:
        case RdsPostgres():
            return of_database(watched, spec)
        case ElastiCacheValkey():
            return of_cache(watched, spec)
        case EksCluster():
            return of_cluster(watched, spec)
