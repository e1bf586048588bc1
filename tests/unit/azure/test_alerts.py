"""Which alarms there are on Azure, and whom they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.azure.alerts import AzureAlerts
from aeterna.azure.cache import ManagedRedis
from aeterna.azure.cluster import AksCluster
from aeterna.azure.database import FlexiblePostgres
from aeterna.contracts.alerts import AlertsSpec
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.cluster import ClusterSpec
from aeterna.contracts.database import DatabaseSpec
from fixtures.azure_network_stack import AzureNetworkStack

if TYPE_CHECKING:
    from aeterna.synth.testing import Document


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = AzureNetworkStack()
    watched = [
        AksCluster(stack, "Cluster", ClusterSpec(name="prod"), **stack.around),
        FlexiblePostgres(stack, "Database", DatabaseSpec(name="prod"), **stack.around),
        ManagedRedis(stack, "Cache", CacheSpec(name="prod"), **stack.around),
    ]
    spec = AlertsSpec(name="production-of-acme", emails=("ops@example.com", "night@example.com"), full_percent=70)
    AzureAlerts(stack, "Alerts", spec, place=stack.place, watches=watched)
    return stack.document()


def test_every_alarm_tells_the_group_that_everybody_is_in(synthesis: Document) -> None:
    group = synthesis.only("azurerm_monitor_action_group")

    assert [each["email_address"] for each in group["email_receiver"]] == ["ops@example.com", "night@example.com"]
    for alarm in synthesis.resources("azurerm_monitor_metric_alert").values():
        assert [action["action_group_id"] for action in alarm["action"]] == [
            f"${{azurerm_monitor_action_group.{name}.id}}"
            for name in synthesis.resources("azurerm_monitor_action_group")
        ]


def test_a_short_name_fits_what_a_text_message_may_call_its_sender(synthesis: Document) -> None:
    assert synthesis.only("azurerm_monitor_action_group")["short_name"] == "production-o"


def test_things_of_one_name_have_alarms_of_their_own(synthesis: Document) -> None:
    names = [alarm["name"] for alarm in synthesis.resources("azurerm_monitor_metric_alert").values()]

    assert len(names) == len(set(names)) == 11


def test_a_lost_node_a_full_disk_and_a_dead_server_are_noticed(synthesis: Document) -> None:
    criteria = {
        criterion["metric_name"]: criterion
        for alarm in synthesis.resources("azurerm_monitor_metric_alert").values()
        for criterion in alarm["criteria"]
    }

    (condition, status) = criteria["kube_node_status_condition"]["dimension"]
    assert (condition["values"], status["values"]) == (["Ready"], ["NotReady", "Unknown"])
    assert criteria["storage_percent"]["threshold"] == 70
    assert (criteria["is_db_alive"]["operator"], criteria["is_db_alive"]["threshold"]) == ("LessThan", 1)
