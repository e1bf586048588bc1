"""What people are told of on Google Cloud, read from what Terraform would be given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.alerts import AlertsSpec
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.database import DatabaseSpec
from aeterna.gcp.alerts import GcpAlerts
from aeterna.synth.app import TerraformOutput
from fixtures.gcp_stack import GoogleStack, named, waits_for

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

SPEC = AlertsSpec(name="prod", emails=("ops@example.com",), busy_percent=80, full_percent=90)


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = GoogleStack()
    database = stack.database(DatabaseSpec(name="threads", most_storage_gib=1000))
    cache = stack.cache(CacheSpec(name="policy"))
    alerts = GcpAlerts(
        stack, "Alerts", SPEC, place=stack.place, key=stack.key, watches=[stack.cluster(), database, cache]
    )
    TerraformOutput(stack, "channel", value=alerts.outputs.channel)
    return stack.document()


@pytest.fixture(scope="module")
def policies(synthesis: Document) -> dict[str, Json]:
    found = synthesis.resources("google_monitoring_alert_policy").values()
    return {policy["display_name"]: policy["conditions"][0]["condition_threshold"] for policy in found}


def test_everything_that_is_watched_is_watched_for_what_brings_it_down(policies: dict[str, Json]) -> None:
    assert set(policies) == {
        "prod: policy is busy",
        "prod: policy is full",
        "prod: prod has a node that is not ready",
        "prod: prod has busy nodes",
        "prod: prod has nodes whose memory is full",
        "prod: threads has almost grown to its limit",
        "prod: threads has few connections left",
        "prod: threads is busy",
        "prod: threads is down",
    }


def test_a_database_and_a_cache_of_one_name_are_told_apart() -> None:
    """Their services do not mind, and whoever is called at night has to know which one it is."""
    stack = GoogleStack()
    watches = [stack.database(DatabaseSpec(name="prod")), stack.cache(CacheSpec(name="prod"))]
    GcpAlerts(stack, "Alerts", SPEC, place=stack.place, key=stack.key, watches=watches)

    told = [each["display_name"] for each in stack.document().resources("google_monitoring_alert_policy").values()]

    assert {"prod: prod is busy", "prod: prod-Cache is busy"} <= set(told)


def test_thresholds_are_those_of_the_spec(policies: dict[str, Json]) -> None:
    assert policies["prod: threads is busy"]["threshold_value"] == 0.8
    assert policies["prod: policy is full"]["threshold_value"] == 0.9
    assert policies["prod: threads is busy"]["duration"] == "900s"


def test_a_disk_that_grows_by_itself_is_measured_against_what_it_may_grow_to(policies: dict[str, Json]) -> None:
    """It is always nearly full of what it has now."""
    grown = policies["prod: threads has almost grown to its limit"]

    assert grown["threshold_value"] == 900 * 2**30
    assert "disk/bytes_used" in grown["filter"]


def test_connections_are_counted_over_all_databases_of_a_server(policies: dict[str, Json]) -> None:
    """The service counts them by database, and none alone reaches the limit of all."""
    connected = policies["prod: threads has few connections left"]

    assert connected["aggregations"][0]["cross_series_reducer"] == "REDUCE_SUM"


def test_each_alarm_is_of_one_thing_and_of_no_other_in_the_project(policies: dict[str, Json]) -> None:
    for name, condition in policies.items():
        words = condition["filter"]

        assert "resource.type=" in words, name
        assert 'instance_id="policy"' in words or "database_id=" in words or 'cluster_name="prod"' in words, name


def test_every_alarm_goes_to_the_topic_and_to_the_people(synthesis: Document) -> None:
    policies = synthesis.resources("google_monitoring_alert_policy").values()
    channels = synthesis.resources("google_monitoring_notification_channel").values()

    assert sorted(channel["type"] for channel in channels) == ["email", "pubsub"]
    assert {len(policy["notification_channels"]) for policy in policies} == {2}


def test_the_topic_is_under_the_key_and_stays_in_the_keys_region(synthesis: Document) -> None:
    topic = synthesis.only("google_pubsub_topic")

    assert "data.google_kms_crypto_key" in topic["kms_key_name"]
    assert topic["message_storage_policy"]["allowed_persistence_regions"] == ["europe-west4"]
    assert waits_for(topic, "KeyUse")
    assert synthesis.outputs()["channel"]["value"].startswith("${google_pubsub_topic.")


def test_monitorings_account_which_comes_with_the_channel_may_publish_to_this_topic_alone(synthesis: Document) -> None:
    """Before a project has its first channel to a topic there is no such account, and a grant to it is refused."""
    grant = synthesis.only("google_pubsub_topic_iam_member")

    assert "@gcp-sa-monitoring-notification." in grant["member"]
    assert waits_for(grant, "ChannelKnown")


def test_no_alarm_is_on_before_monitoring_may_publish_it(synthesis: Document) -> None:
    """A topic that does not take its messages is silent, and nobody notices."""
    policies = synthesis.resources("google_monitoring_alert_policy").values()

    assert all(waits_for(policy, "PublisherKnown") for policy in policies)


def test_a_healthy_node_is_no_alarm_however_its_state_is_spelt(policies: dict[str, Json]) -> None:
    """All that is not exactly "True" would meet the state "true" as well, of every node and at every moment."""
    (words,) = re.findall(r'full_match\("(.*?)"\)', policies["prod: prod has a node that is not ready"]["filter"])

    met = {state for state in ("True", "true", "False", "false", "Unknown", "unknown") if re.fullmatch(words, state)}

    assert met == {"False", "false", "Unknown", "unknown"}


def test_people_are_told_at_once_when_the_emergency_account_changes_something() -> None:
    """Its use is recorded in any case, and a record is read by somebody who looks for it."""
    stack = GoogleStack()
    GcpAlerts(stack, "Alerts", SPEC, place=stack.place, key=stack.key, watches=[stack.made_cluster()])

    policy = named(stack.document().resources("google_monitoring_alert_policy"), "prod-emergency")

    assert "BreakGlass" in policy["conditions"][0]["condition_matched_log"]["filter"]
    assert policy["severity"] == "CRITICAL"
    assert policy["alert_strategy"]["notification_rate_limit"]["period"] == "3600s"
