"""What the nodes of a GKE cluster are, read from what Terraform would be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.cluster import ClusterSpec, NodePoolSpec, Taint, TaintEffect
from fixtures.gcp_stack import GoogleStack, named, waits_for

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

SPEC = ClusterSpec(
    name="prod",
    pools=(
        NodePoolSpec(name="general"),
        NodePoolSpec(
            name="batch",
            machines=("c4a-standard-8",),
            fewest=1,
            most=4,
            labels={"work": "batch"},
            taints=(Taint(key="work", value="batch", effect=TaintEffect.NO_EXECUTE),),
        ),
    ),
)


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = GoogleStack()
    stack.made_cluster(SPEC)
    return stack.document()


@pytest.fixture(scope="module")
def general(synthesis: Document) -> Json:
    return named(synthesis.resources("google_container_node_pool"), "general")


@pytest.fixture(scope="module")
def batch(synthesis: Document) -> Json:
    return named(synthesis.resources("google_container_node_pool"), "batch")


def test_every_disk_of_a_node_is_under_the_customers_key(general: Json, synthesis: Document) -> None:
    assert "data.google_kms_crypto_key" in general["node_config"]["boot_disk_kms_key"]
    grant = named(synthesis.resources("google_kms_crypto_key_iam_member"), "DisksKeyUse")
    assert "@compute-system." in grant["member"]
    assert waits_for(general, "DisksKeyUse")


def test_nodes_run_as_an_account_of_their_own_that_may_do_no_more_than_a_node_has_to(
    general: Json, synthesis: Document
) -> None:
    """The project's default account may edit the whole project."""
    account = named(synthesis.resources("google_service_account"), "Nodes")
    roles = [
        grant["role"]
        for grant in synthesis.resources("google_project_iam_member").values()
        if "Nodes" in grant["member"]
    ]

    assert account["account_id"] == "prod-nodes"
    assert "Cluster_Nodes" in general["node_config"]["service_account"]
    assert roles == ["roles/container.defaultNodeServiceAccount"]


def test_a_pod_cannot_take_its_nodes_account_from_the_metadata_service(general: Json) -> None:
    config = general["node_config"]

    assert config["workload_metadata_config"] == {"mode": "GKE_METADATA"}
    assert config["metadata"] == {"disable-legacy-endpoints": "true"}
    assert config["kubelet_config"]["insecure_kubelet_readonly_port_enabled"] == "FALSE"


def test_a_pod_gets_no_more_of_its_nodes_processors_than_its_limit(general: Json) -> None:
    """The provider turns that off for whoever says anything else to the kubelet and leaves it out."""
    assert general["node_config"]["kubelet_config"]["cpu_cfs_quota"] is True


def test_nodes_boot_only_what_was_signed(general: Json) -> None:
    assert general["node_config"]["shielded_instance_config"] == {
        "enable_secure_boot": True,
        "enable_integrity_monitoring": True,
    }


def test_the_bounds_of_a_pool_count_its_nodes_in_all_zones_together(general: Json) -> None:
    """The provider's plain bounds count each zone: three to nine would be nine to twenty-seven."""
    assert general["autoscaling"] == {
        "total_min_node_count": 3,
        "total_max_node_count": 9,
        "location_policy": "BALANCED",
    }
    assert general["initial_node_count"] == 1


def test_the_size_of_a_pool_is_the_autoscalers_after_the_first_apply(general: Json) -> None:
    """A change of the first count replaces the pool."""
    assert general["lifecycle"]["ignore_changes"] == ["initial_node_count"]


def test_a_pool_is_replaced_by_one_that_is_there_already(general: Json) -> None:
    assert general["lifecycle"]["create_before_destroy"] is True
    assert general["name_prefix"] == "general-"
    assert "name" not in general


def test_nodes_are_repaired_and_upgraded_one_at_a_time_with_none_missing(general: Json) -> None:
    assert general["management"] == {"auto_repair": True, "auto_upgrade": True}
    assert general["upgrade_settings"] == {"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0}


def test_nodes_have_no_public_address(general: Json) -> None:
    assert general["network_config"]["enable_private_nodes"] is True


def test_a_pool_without_a_machine_has_four_processors_and_a_disk_that_the_machine_takes(
    general: Json, batch: Json
) -> None:
    """Machines of the fourth generation take no Persistent Disk, and older ones not always a Hyperdisk."""
    assert general["node_config"]["machine_type"] == "n2-standard-4"
    assert general["node_config"]["disk_type"] == "pd-balanced"
    assert batch["node_config"]["disk_type"] == "hyperdisk-balanced"


def test_arm_nodes_have_the_taints_of_the_spec_and_no_other(batch: Json, general: Json) -> None:
    """GKE adds one by itself that keeps every pod off which does not ask for the architecture."""
    config = batch["node_config"]

    assert config["taint_config"] == {"architecture_taint_behavior": "NONE"}
    assert config["taint"] == [{"key": "work", "value": "batch", "effect": "NO_EXECUTE"}]
    assert config["labels"] == {"work": "batch"}
    assert "taint_config" not in general["node_config"]
