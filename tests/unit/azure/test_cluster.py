"""What a cluster on AKS is, read from what Terraform would be given."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aeterna.azure.access import ADMINISTRATOR, ADMINISTRATOR_GUID
from aeterna.azure.cluster import AksCluster, nodes_group
from aeterna.azure.nodes import MACHINE, temporary_name
from aeterna.azure.place import AzurePlace
from aeterna.contracts.cluster import GENERAL, ClusterSpec, NodePoolSpec, Taint, TaintEffect
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.network import Egress
from aeterna.synth.app import TerraformOutput
from fixtures.azure_network_stack import PERSON, AzureNetworkStack
from fixtures.resource_graph import graph_of, needed_by

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

OTHER = PERSON.replace("1", "9")
TAINTED = NodePoolSpec(name="batch", taints=(Taint(key="only", value="batch"),))
SPEC = ClusterSpec(name="prod", pools=(TAINTED, GENERAL), administrators=(PERSON,), break_glass=(OTHER,))


def made(spec: ClusterSpec = SPEC) -> tuple[AksCluster, Document]:
    stack = AzureNetworkStack()
    cluster = AksCluster(stack, "Cluster", spec, **stack.around)
    for name in ("endpoint", "certificate_authority", "issuer"):
        TerraformOutput(stack, name, value=getattr(cluster.outputs, name))
    return cluster, stack.document()


@pytest.fixture(scope="module")
def synthesis() -> Document:
    return made()[1]


@pytest.fixture(scope="module")
def plane(synthesis: Document) -> Json:
    return synthesis.only("azurerm_kubernetes_cluster")


def assignments(synthesis: Document) -> set[tuple[str, str]]:
    """Return the roles of the cluster's own identity, each with what it is on."""
    (plane_identity,) = (
        f"${{azurerm_user_assigned_identity.{name}.principal_id}}"
        for name, made in synthesis.resources("azurerm_user_assigned_identity").items()
        if made["name"] == "prod_plane"
    )
    return {
        (given["role_definition_name"], re.sub(r"\W*\$\{(\w+)\..*?\.(\w+)\}", r"\1.\2", given["scope"]))
        for given in synthesis.resources("azurerm_role_assignment").values()
        if given["principal_id"] == plane_identity
    }


def test_the_api_has_an_address_in_the_network_and_none_outside(plane: Json) -> None:
    assert plane["private_cluster_enabled"] is True
    assert plane["private_cluster_public_fqdn_enabled"] is False
    assert plane["api_server_access_profile"]["virtual_network_integration_enabled"] is True
    assert plane["run_command_enabled"] is False


def test_the_api_has_its_name_in_a_zone_of_the_regions_own(plane: Json, synthesis: Document) -> None:
    """Azure refuses any other, that of a private link too, and the choice can never be changed."""
    (name,) = (
        name
        for name, zone in synthesis.resources("azurerm_private_dns_zone").items()
        if zone["name"] == "private.westeurope.azmk8s.io"
    )

    assert plane["private_dns_zone_id"] == f"${{azurerm_private_dns_zone.{name}.id}}"


def test_nobody_signs_in_with_a_certificate_of_the_cluster(plane: Json) -> None:
    """Switching local accounts off without roles of Entra ID locks everybody out."""
    assert plane["local_account_disabled"] is True
    assert plane["azure_active_directory_role_based_access_control"]["azure_rbac_enabled"] is True


def test_the_clusters_identity_has_every_right_before_the_cluster_is_made(synthesis: Document) -> None:
    """Made without them, it can publish no internal address and open no secret (terraform-azurerm-aks#178)."""
    graph = graph_of(synthesis)
    (address,) = (found for found in graph if found.startswith("azurerm_kubernetes_cluster."))
    needed = needed_by(graph, address)

    rights = {found for found in graph if found.startswith("azurerm_role_assignment.Cluster_Identities")}

    assert len(rights) == 8
    assert rights <= needed
    assert {found for found in graph if found.startswith("time_sleep.Cluster_Identities")} <= needed


def test_the_clusters_identity_has_no_right_beyond_what_it_needs(synthesis: Document) -> None:
    assert assignments(synthesis) == {
        ("Network Contributor", "azurerm_subnet.id"),
        ("Private DNS Zone Contributor", "azurerm_virtual_network.id"),
        ("Private DNS Zone Contributor", "azurerm_private_dns_zone.id"),
        ("Managed Identity Operator", "azurerm_user_assigned_identity.id"),
        ("Reader", "azurerm_disk_encryption_set.id"),
        ("Key Vault Crypto User", "azurerm_key_vault_key.resource_versionless_id"),
        ("Key Vault Contributor", "azurerm_key_vault.id"),
    }


def test_secrets_are_encrypted_through_a_vault_that_is_closed_to_the_internet(plane: Json) -> None:
    """A vault behind a firewall is reached only through a private way, which needs the API in the network."""
    service = plane["key_management_service"]

    assert service["key_vault_network_access"] == "Private"
    assert re.fullmatch(r"\$\{azurerm_key_vault_key\.\w+\.id\}", service["key_vault_key_id"])


def test_disks_follow_a_rotation_of_the_key(plane: Json, synthesis: Document) -> None:
    """With a version in its identifier, a set of disks stays at that version for ever."""
    disks = synthesis.only("azurerm_disk_encryption_set")

    assert disks["key_vault_key_id"].endswith(".versionless_id}")
    assert disks["auto_key_rotation_enabled"] is True
    assert plane["disk_encryption_set_id"].startswith("${azurerm_disk_encryption_set.")
    assert plane["default_node_pool"]["host_encryption_enabled"] is True


def test_traffic_leaves_by_the_networks_gateway_and_pods_take_none_of_its_addresses(plane: Json) -> None:
    """The balancer's own translation runs out of ports; the data plane demands an overlay."""
    traffic = plane["network_profile"]

    assert traffic["outbound_type"] == "userAssignedNATGateway"
    assert (traffic["network_plugin"], traffic["network_plugin_mode"]) == ("azure", "overlay")
    assert (traffic["network_data_plane"], traffic["network_policy"]) == ("cilium", "cilium")
    assert traffic["dns_service_ip"] == "172.20.0.10"


def test_a_network_without_a_way_out_gets_a_cluster_without_one() -> None:
    stack = AzureNetworkStack()
    stack.network.egress = Egress.NONE
    AksCluster(stack, "Cluster", SPEC, **stack.around)

    plane = stack.document().only("azurerm_kubernetes_cluster")

    assert plane["network_profile"]["outbound_type"] == "none"
    assert plane["bootstrap_profile"] == {"artifact_source": "Cache"}


def test_workloads_can_prove_who_they_are(plane: Json) -> None:
    assert plane["oidc_issuer_enabled"] is True
    assert plane["workload_identity_enabled"] is True


def test_the_pool_of_the_clusters_own_parts_is_the_first_without_taints(plane: Json, synthesis: Document) -> None:
    """Azure takes no taint on it, whichever comes first in the spec."""
    other = synthesis.only("azurerm_kubernetes_cluster_node_pool")

    assert plane["default_node_pool"]["name"] == "general"
    assert other["name"] == "batch"
    assert other["node_taints"] == ["only=batch:NoSchedule"]


def test_applying_again_neither_drains_nodes_nor_stops_at_a_new_machine(plane: Json, synthesis: Document) -> None:
    """The size is the autoscaler's, and a pool can be replaced only through another one."""
    other = synthesis.only("azurerm_kubernetes_cluster_node_pool")

    assert "default_node_pool[0].node_count" in plane["lifecycle"]["ignore_changes"]
    assert other["lifecycle"]["ignore_changes"] == ["node_count"]
    assert plane["default_node_pool"]["temporary_name_for_rotation"] == "generaltmp"
    assert other["temporary_name_for_rotation"] == "batchtmp"


def test_a_raised_version_reaches_the_control_plane_and_every_pool(plane: Json, synthesis: Document) -> None:
    """Ignoring changes of the version would make the spec's mean nothing after the first apply."""
    other = synthesis.only("azurerm_kubernetes_cluster_node_pool")

    assert {plane["kubernetes_version"], plane["default_node_pool"]["orchestrator_version"]} == {
        other["orchestrator_version"]
    }
    assert not {"kubernetes_version"} & set(plane["lifecycle"]["ignore_changes"])


def test_whoever_applies_next_does_not_take_the_first_ones_rights(synthesis: Document) -> None:
    deployer = {
        name: given
        for name, given in synthesis.resources("azurerm_role_assignment").items()
        if name.startswith("Cluster_Access_Deployer")
    }

    assert len(deployer) == 2
    assert all(given["lifecycle"]["ignore_changes"] == ["principal_id"] for given in deployer.values())


def test_an_emergency_gives_the_administrators_role_and_no_other(synthesis: Document) -> None:
    """Standing rights would make the emergency role one more administrator, that nobody logs."""
    given = [each for each in synthesis.resources("azurerm_role_assignment").values() if each["principal_id"] == OTHER]

    assert ADMINISTRATOR not in {each["role_definition_name"] for each in given}
    (delegated,) = (each for each in given if "condition" in each)
    assert delegated["role_definition_name"] == "Role Based Access Control Administrator"
    assert delegated["condition"].count(ADMINISTRATOR_GUID) == 2
    assert delegated["scope"].startswith("${azurerm_kubernetes_cluster.")


@pytest.mark.parametrize(
    "spec",
    [
        ClusterSpec(name="prod", deployer="ada@example.com"),
        ClusterSpec(name="prod", administrators=("ada@example.com",)),
        ClusterSpec(name="prod", break_glass=("ada@example.com",)),
    ],
    ids=["deployer", "administrator", "emergency"],
)
def test_a_principal_that_is_no_object_of_the_directory_is_refused(spec: ClusterSpec) -> None:
    with pytest.raises(InvalidSpecError, match="object ID"):
        made(spec)


def test_control_plane_logs_are_kept_under_the_customers_key(synthesis: Document) -> None:
    (setting,) = synthesis.resources("azurerm_monitor_diagnostic_setting").values()
    store = re.fullmatch(r"\$\{azurerm_storage_account\.(\w+)\.id\}", setting["storage_account_id"])

    assert store is not None
    assert "customer_managed_key" in synthesis.resources("azurerm_storage_account")[store[1]]
    assert {"kube-audit", "guard"} <= {log["category"] for log in setting["enabled_log"]}
    assert "log_analytics_workspace_id" not in setting


def test_no_credential_is_told(synthesis: Document) -> None:
    outputs = synthesis.outputs()

    assert "kube_config" not in outputs["endpoint"]["value"]
    assert "nonsensitive(" in outputs["certificate_authority"]["value"]
    assert "cluster_ca_certificate" in outputs["certificate_authority"]["value"]


@pytest.mark.parametrize(
    ("pools", "problem"),
    [
        ((TAINTED,), "leave one pool untainted"),
        ((replace(GENERAL, name="two-words"),), "lower-case letters and digits"),
        ((replace(GENERAL, machines=("Standard_D4ds_v5", "Standard_D8ds_v5")),), "a pool of its own"),
        ((replace(GENERAL, machines=("m7i.xlarge",)),), "Standard_D4ds_v5"),
        ((replace(GENERAL, name="workersone1"), replace(GENERAL, name="workersone2")), "first nine letters"),
        ((replace(GENERAL, name="a"), replace(GENERAL, name="atmp")), "first nine letters"),
    ],
    ids=[
        "only tainted pools",
        "a hyphen",
        "two machines",
        "a machine of EC2",
        "one temporary name",
        "a temporary name taken",
    ],
)
def test_pools_that_azure_would_refuse_are_refused_with_a_remedy(pools: tuple[NodePoolSpec, ...], problem: str) -> None:
    with pytest.raises(InvalidSpecError, match=problem):
        made(ClusterSpec(name="prod", pools=pools))


def test_a_soft_taint_is_refused_too_because_azure_takes_none_at_all() -> None:
    soft = Taint(key="prefer", value="others", effect=TaintEffect.PREFER_NO_SCHEDULE)

    with pytest.raises(InvalidSpecError, match="leave one pool untainted"):
        made(ClusterSpec(name="prod", pools=(replace(GENERAL, taints=(soft,)),)))


def test_the_group_that_aks_makes_for_the_nodes_has_a_name_that_fits() -> None:
    """AKS makes it of three names, and refuses the cluster when it gets more than 80 characters."""
    stack = AzureNetworkStack()
    far = AzurePlace(stack, "Far", location="germanywestcentral", name="e" * 60)

    name = nodes_group("c" * 40, far)

    assert len(name) <= 80
    assert nodes_group("prod", stack.place) == "rg-customer-prod-nodes"


def test_the_longest_name_of_a_pool_has_a_temporary_one_that_fits() -> None:
    assert temporary_name(replace(GENERAL, name="abcdefghijkl")) == "abcdefghitmp"
    assert MACHINE.startswith("Standard_")


@pytest.mark.parametrize(
    "block", ["10.0.64.0/20", "10.244.0.0/20", "172.31.0.0/16"], ids=["the network's", "the pods'", "AKS's own"]
)
def test_services_whose_addresses_are_taken_are_refused(block: str) -> None:
    with pytest.raises(InvalidSpecError, match="overlaps"):
        made(ClusterSpec(name="prod", service_cidr=block))


def test_an_existing_cluster_is_only_looked_up() -> None:
    stack = AzureNetworkStack()
    cluster = AksCluster.existing(stack, "Cluster", name="theirs", group="rg-theirs", place=stack.place)
    TerraformOutput(stack, "issuer", value=cluster.outputs.issuer)

    synthesis = stack.document()

    assert not synthesis.resources("azurerm_kubernetes_cluster")
    (looked_up,) = synthesis.data("azurerm_kubernetes_cluster").values()
    assert (looked_up["name"], looked_up["resource_group_name"]) == ("theirs", "rg-theirs")
    assert synthesis.outputs()["issuer"]["value"].startswith("${data.azurerm_kubernetes_cluster.")
