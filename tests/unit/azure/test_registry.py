"""What a registry of images on Azure is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from aeterna.azure.registry import ContainerRegistry
from aeterna.contracts.late import Late
from aeterna.contracts.registry import RegistrySpec
from fixtures.azure_stack import AzureStack, named, roles

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

LONGEST = 40


def deployed(spec: RegistrySpec) -> Document:
    stack = AzureStack()
    registry = ContainerRegistry(stack, "Registry", spec, place=stack.place, key=stack.key, network=stack.network)
    registry.grant_to(stack, "Pull", principal_id=Late("kubelet"), name=Late("kubelet"))
    return stack.document()


@pytest.fixture(scope="module")
def synthesis() -> Document:
    return deployed(RegistrySpec(name="acme-prod"))


def test_no_password_and_nobody_unknown_opens_the_registry(synthesis: Document) -> None:
    registry = synthesis.only("azurerm_container_registry")

    assert registry["admin_enabled"] is False
    assert registry["anonymous_pull_enabled"] is False
    assert registry["public_network_access_enabled"] is False
    assert registry["export_policy_enabled"] is False


def test_the_network_reaches_it(synthesis: Document) -> None:
    endpoint = synthesis.only("azurerm_private_endpoint")

    assert endpoint["private_service_connection"]["subresource_names"] == ["registry"]


def test_it_is_made_under_the_key_once_its_identity_may_use_it(synthesis: Document) -> None:
    """A registry gets a key when it is made, or never."""
    registry = synthesis.only("azurerm_container_registry")
    (encryption,) = registry["encryption"]

    assert encryption["key_vault_key_id"].endswith(".versionless_id}")
    assert any("time_sleep" in waited for waited in registry["depends_on"])
    assert registry["sku"] == "Premium"


def test_it_stands_in_every_zone_and_forgets_images_without_a_tag(synthesis: Document) -> None:
    registry = synthesis.only("azurerm_container_registry")

    assert registry["zone_redundancy_enabled"] is True
    assert registry["retention_policy_in_days"] == 14


def test_nodes_may_pull_and_not_push(synthesis: Document) -> None:
    grant = named(roles(synthesis), "Pull")

    assert grant["role_definition_name"] == "AcrPull"
    assert "azurerm_container_registry." in grant["scope"]


@pytest.mark.parametrize("name", ["acme", "a" * LONGEST, "acme-prod"])
def test_any_name_makes_one_of_letters_and_digits_that_is_this_subscriptions(name: str) -> None:
    made = deployed(RegistrySpec(name=name)).only("azurerm_container_registry")["name"]

    beginning, expression = made.split("${", 1)
    assert re.fullmatch(r"[a-z0-9]+", beginning)
    assert len(beginning) + 8 <= 50
    assert "subscription_id" in expression
