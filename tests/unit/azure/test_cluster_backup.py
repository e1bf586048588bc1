"""What backs up a cluster's own contents on Azure, for those who keep something there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aeterna.azure.backup import BackupVault
from aeterna.azure.cluster_backup import AksBackup
from aeterna.azure.scanning import ImageScanning
from aeterna.contracts.backup import BackupSpec
from aeterna.contracts.late import Late
from fixtures.azure_stack import AzureStack, named, roles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.synth._cdk import ITerraformDependable
    from aeterna.synth.testing import Document

SPEC = BackupSpec(name="prod-backup", every_hours=6, hour=5)


class Cluster:
    """A cluster as its backup sees it."""

    def __init__(self) -> None:
        self.id = Late("/subscriptions/0/cluster")
        self.plane_principal_id = Late("plane")
        self.ready: Sequence[ITerraformDependable] = ()


def backed_up(spec: BackupSpec = SPEC) -> Document:
    stack = AzureStack()
    vault = BackupVault(stack, "Vault", spec, place=stack.place, key=stack.key)
    AksBackup(
        stack,
        "Backup",
        spec,
        place=stack.place,
        key=stack.key,
        network=stack.network,
        cluster=Cluster(),
        vault=vault,
    )
    return stack.document()


@pytest.fixture(scope="module")
def synthesis() -> Document:
    return backed_up()


def test_the_vault_and_the_cluster_have_their_roles_before_a_backup_is_configured(synthesis: Document) -> None:
    """Azure checks them when protection is configured, and fails it for good."""
    instance = synthesis.only("azurerm_data_protection_backup_instance_kubernetes_cluster")
    binding = synthesis.only("azurerm_kubernetes_cluster_trusted_access_role_binding")
    given = {part: named(roles(synthesis), part)["role_definition_name"] for part in ("ReadCluster", "MakeSnapshots")}

    assert given == {"ReadCluster": "Reader", "MakeSnapshots": "Contributor"}
    assert binding["roles"] == ["Microsoft.DataProtection/backupVaults/backup-operator"]
    assert sum("time_sleep" in waited for waited in instance["depends_on"]) == 4
    assert any("trusted_access" in waited for waited in instance["depends_on"])


def test_the_extension_signs_in_with_an_identity_and_inside_the_network(synthesis: Document) -> None:
    """The account has no key that opens it, and nobody outside the network reaches it."""
    extension = synthesis.only("azurerm_kubernetes_cluster_extension")
    account = synthesis.only("azurerm_storage_account")

    assert extension["configuration_settings"]["configuration.backupStorageLocation.config.useAAD"] == "true"
    assert account["shared_access_key_enabled"] is False
    assert account["public_network_access_enabled"] is False
    assert any("azurerm_private_endpoint" in waited for waited in extension["depends_on"])
    assert "azurerm_storage_account." in named(roles(synthesis), "WriteStore")["scope"]


@pytest.mark.parametrize(("wanted", "taken"), [(6, "PT6H"), (1, "PT4H"), (24, "P1D")])
def test_a_cluster_is_backed_up_as_often_as_asked_or_as_azure_does(wanted: int, taken: str) -> None:
    policy = backed_up(replace(SPEC, every_hours=wanted)).only(
        "azurerm_data_protection_backup_policy_kubernetes_cluster"
    )

    assert policy["backup_repeating_time_intervals"] == [f"R/2026-01-04T05:00:00+00:00/{taken}"]


def test_scanning_is_a_setting_of_the_subscription_that_only_its_owner_makes() -> None:
    stack = AzureStack()
    ImageScanning(stack, "Scanning")

    plan = stack.document().only("azurerm_security_center_subscription_pricing")

    assert (plan["tier"], plan["resource_type"]) == ("Standard", "Containers")
