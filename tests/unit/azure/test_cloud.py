"""What Azure as a cloud configures, and what it lets a cluster do at the stores."""

from __future__ import annotations

import pytest

from aeterna.azure.cloud import AZURE, Azure
from aeterna.azure.registry import ContainerRegistry
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.cluster import ClusterSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.network import NetworkSpec
from aeterna.contracts.registry import RegistrySpec
from aeterna.synth import testing
from aeterna.synth.app import TerraformStack
from aeterna.synth.testing import Document, Json, synthesized
from fixtures.resource_graph import graph_of, needed_by

TAGS = {"aeterna:environment": "prod"}


def stack_of(cloud: Azure) -> TerraformStack:
    stack = TerraformStack(testing.app(), "prod-data")
    cloud.prepare(stack, region="westeurope", tags=TAGS)
    return stack


def provider(document: Document) -> Json:
    (configured,) = document.json["provider"]["azurerm"]
    return configured


@pytest.fixture(scope="module")
def synthesis() -> Document:
    cloud = Azure("00000000-1111-2222-3333-444444444444", ("20.61.99.7/32",))
    stack = stack_of(cloud)
    key = cloud.key(stack, "Key", KeySpec(purpose="stores", environment="prod"))
    network = cloud.network(stack, "Network", NetworkSpec(name="prod"), key=key)
    cluster = cloud.cluster(stack, "Cluster", ClusterSpec(name="prod"), network=network, key=key)
    registry = cloud.registry(stack, "Registry", RegistrySpec(name="acme-prod"), network=network, key=key)
    cache = cloud.cache(stack, "Cache", CacheSpec(name="prod"), network=network, key=key)
    cloud.admit(stack, "Admission", cluster=cluster, stores=[cache, registry])
    assert isinstance(registry, ContainerRegistry)
    return synthesized(stack)


def test_a_new_subscription_learns_every_service_that_a_foundation_is_made_of(synthesis: Document) -> None:
    """Since its version 5 the provider registers none by itself, and each would be refused."""
    configured = provider(synthesis)
    made_of = {"Microsoft.ContainerService", "Microsoft.DBforPostgreSQL", "Microsoft.Cache", "Microsoft.KeyVault"}

    assert made_of <= set(configured["resource_providers_to_register"])
    assert configured["resource_provider_registrations"] == "none"


def test_nothing_is_purged_and_what_was_deleted_by_mistake_comes_back(synthesis: Document) -> None:
    (features,) = provider(synthesis)["features"]
    (vault,) = features["key_vault"]

    assert vault["purge_soft_delete_on_destroy"] is False
    assert vault["recover_soft_deleted_key_vaults"] is True
    assert features["resource_group"] == [{"prevent_deletion_if_contains_resources": True}]


def test_storage_is_opened_by_who_applies_and_never_by_a_key(synthesis: Document) -> None:
    assert provider(synthesis)["storage_use_azuread"] is True
    assert provider(synthesis)["subscription_id"] == "00000000-1111-2222-3333-444444444444"


def test_everything_that_takes_tags_carries_them(synthesis: Document) -> None:
    """The provider has no default tags of its own."""
    for kind in ("azurerm_resource_group", "azurerm_kubernetes_cluster", "azurerm_managed_redis", "azurerm_key_vault"):
        for resource in synthesis.resources(kind).values():
            assert resource["tags"].items() >= TAGS.items()


def test_each_stack_has_a_resource_group_of_its_name(synthesis: Document) -> None:
    assert synthesis.only("azurerm_resource_group")["name"] == "prod-data"


def test_only_the_pipelines_addresses_open_the_vault_in_which_it_makes_keys(synthesis: Document) -> None:
    assert synthesis.only("azurerm_key_vault")["network_acls"]["ip_rules"] == ["20.61.99.7"]


def test_nodes_pull_images_and_get_nothing_at_the_other_stores(synthesis: Document) -> None:
    admitted = {
        name: given
        for name, given in synthesis.resources("azurerm_role_assignment").items()
        if name.startswith("Admission")
    }

    assert {given["role_definition_name"] for given in admitted.values()} == {"AcrPull"}
    assert not synthesis.resources("azurerm_managed_redis_access_policy_assignment")
    (address,) = (f"azurerm_role_assignment.{name}" for name in admitted)
    assert any(
        found.startswith("azurerm_user_assigned_identity.Cluster_Identities_Nodes")
        for found in needed_by(graph_of(synthesis), address)
    )


def test_another_clouds_region_is_refused_before_anything_asks_azure() -> None:
    stack = TerraformStack(testing.app(), "prod")

    with pytest.raises(InvalidSpecError, match="region"):
        AZURE.prepare(stack, region="eu-west-1", tags={})
