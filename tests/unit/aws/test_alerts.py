"""What is watched on AWS, when an alarm goes off, and who may hear and speak."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from aeterna.aws.alerts import CloudWatchAlerts
from aeterna.aws.cache import ElastiCacheValkey
from aeterna.aws.cluster import EksCluster
from aeterna.aws.database import ExistingDatabase, RdsPostgres
from aeterna.contracts.alerts import AlertsSpec
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.cluster import ClusterSpec
from aeterna.contracts.database import DatabaseSpec
from fixtures.customer_stack import CustomerStack
from fixtures.iam_documents import Found, statements

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

GIB = 2**30


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = CustomerStack()
    network, key = stack.network, stack.key
    cluster = EksCluster(stack, "Cluster", ClusterSpec(name="prod"), network=network, key=key)
    database = RdsPostgres(stack, "Threads", DatabaseSpec(name="threads"), network=network, key=key)
    cache = ElastiCacheValkey(stack, "Policy", CacheSpec(name="policy"), network=network, key=key)
    spec = AlertsSpec(name="prod", emails=("ops@example.com",))
    CloudWatchAlerts(stack, "Alerts", spec, key=key, watches=[cluster, database, cache])
    return stack.document()


def alarms(document: Document) -> dict[str, Json]:
    return {alarm["alarm_name"]: alarm for alarm in document.resources("aws_cloudwatch_metric_alarm").values()}


def said(document: Document, of: str) -> dict[str, Found]:
    return {found.statement["Sid"]: found for found in statements(document, of=of)}


def test_each_kind_of_trouble_has_an_alarm_that_says_what_it_is_about(synthesis: Document) -> None:
    assert set(alarms(synthesis)) == {
        "prod-Cluster-Waiting",
        "prod-Cluster-Failed-general",
        "prod-Cluster-Busy-general",
        "prod-Threads-Busy",
        "prod-Threads-Behind",
        "prod-Threads-Full",
        "prod-Threads-Crowded",
        *(f"prod-Policy-{kind}{node}" for kind in ("Busy", "Full", "Evicting") for node in (1, 2)),
    }


def test_trouble_has_to_last_a_quarter_of_an_hour(synthesis: Document) -> None:
    assert {(alarm["period"], alarm["evaluation_periods"]) for alarm in alarms(synthesis).values()} == {(300, 3)}


def test_a_database_has_room_on_its_disk_and_for_connections_when_the_alarm_goes_off(synthesis: Document) -> None:
    """Free space falls, connections rise: an alarm the wrong way round would never go off."""
    found = alarms(synthesis)
    full, crowded = found["prod-Threads-Full"], found["prod-Threads-Crowded"]

    assert (full["comparison_operator"], full["threshold"]) == ("LessThanThreshold", 15 * GIB)
    assert (crowded["comparison_operator"], crowded["threshold"]) == ("GreaterThanThreshold", 765)


def test_a_cache_is_watched_node_by_node_as_the_service_reports_it(synthesis: Document) -> None:
    found = alarms(synthesis)

    nodes = [found[f"prod-Policy-Full{node}"]["dimensions"]["CacheClusterId"] for node in (1, 2)]
    assert [re.sub(r"\$\{.*\}", "group", node) for node in nodes] == ["group-001", "group-002"]


def test_a_node_that_fails_is_noticed_without_an_agent_in_the_cluster(synthesis: Document) -> None:
    failed = alarms(synthesis)["prod-Cluster-Failed-general"]

    assert (failed["namespace"], failed["metric_name"]) == ("AWS/EC2", "StatusCheckFailed")
    group = failed["dimensions"]["AutoScalingGroupName"]
    assert re.fullmatch(r"\$\{aws_eks_node_group\.[\w-]+\.resources\[0\]\.autoscaling_groups\[0\]\.name\}", group)


def test_pods_that_wait_are_counted_by_the_metric_and_statistic_that_eks_documents(synthesis: Document) -> None:
    waiting = alarms(synthesis)["prod-Cluster-Waiting"]

    assert (waiting["namespace"], waiting["metric_name"]) == ("AWS/EKS", "scheduler_pending_pods_UNSCHEDULABLE")
    assert (waiting["statistic"], waiting["threshold"]) == ("Sum", 0)


def test_every_alarm_is_sent_when_it_begins_and_when_it_is_over(synthesis: Document) -> None:
    (topic,) = synthesis.resources("aws_sns_topic")
    for alarm in alarms(synthesis).values():
        assert alarm["alarm_actions"] == alarm["ok_actions"] == [f"${{aws_sns_topic.{topic}.arn}}"]
    assert synthesis.only("aws_sns_topic_subscription")["endpoint"] == "ops@example.com"


def test_messages_are_under_the_customers_key_and_alarms_of_this_name_alone_may_use_it(synthesis: Document) -> None:
    """Without that grant an alarm goes off, the publication fails, and nobody hears of either."""
    (key,) = synthesis.resources("aws_kms_key")
    grant = said(synthesis, "aws_kms_key")["AlarmsProd"]

    assert synthesis.only("aws_sns_topic")["kms_master_key_id"] == f"${{aws_kms_key.{key}.arn}}"
    assert grant.statement["Principal"] == {"Service": ["cloudwatch.amazonaws.com"]}
    assert grant.conditions["ArnLike"]["aws:SourceArn"][0].endswith(":alarm:prod-*")
    assert "aws:SourceAccount" in grant.conditions["StringEquals"]


def test_only_alarms_of_this_account_and_name_speak_to_the_topic_and_only_over_tls(synthesis: Document) -> None:
    policy = said(synthesis, "aws_sns_topic_policy")

    speak, plain = policy["AlarmsSpeak"], policy["DenyPlainHttp"]
    assert speak.statement["Principal"] == {"Service": ["cloudwatch.amazonaws.com"]}
    assert speak.conditions["ArnLike"]["aws:SourceArn"][0].endswith(":alarm:prod-*")
    assert "aws:SourceAccount" in speak.conditions["StringEquals"]
    assert (plain.statement["Effect"], plain.statement["Principal"]) == ("Deny", "*")


def test_of_what_is_only_looked_up_what_depends_on_its_size_is_left_out() -> None:
    stack = CustomerStack()
    cluster = EksCluster.existing(stack, "Cluster", name="shared")
    database = RdsPostgres.existing(stack, "Threads", ExistingDatabase(identifier="shared"), key=stack.key)
    CloudWatchAlerts(stack, "Alerts", AlertsSpec(name="prod"), key=stack.key, watches=[cluster, database])

    assert set(alarms(stack.document())) == {"prod-Cluster-Waiting", "prod-Threads-Busy", "prod-Threads-Behind"}
