"""What backs up the stores on Azure, apart from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aeterna.azure.backup import AzureBackup, AzureBackupCopy, BackupVault
from aeterna.azure.bucket import BlobBucket
from aeterna.contracts.backup import BackupSpec
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.errors import InvalidSpecError
from fixtures.azure_stack import AzureStack, SecondRegion, Server, named, roles

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

SPEC = BackupSpec(name="prod-backup", hour=5, keep_days=14)


def backed_up(spec: BackupSpec = SPEC, *, hierarchical: bool = False) -> tuple[AzureStack, AzureBackup]:
    stack = AzureStack()
    bucket = BlobBucket(
        stack,
        "Bucket",
        BucketSpec(name="acme-graph"),
        place=stack.place,
        key=stack.key,
        network=stack.network,
        hierarchical=hierarchical,
    )
    protects = [Server(stack.place), bucket]
    return stack, AzureBackup(stack, "Backup", spec, place=stack.place, key=stack.key, protects=protects)


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack, _ = backed_up()
    return stack.document()


def test_nobody_deletes_a_backup_before_its_time(synthesis: Document) -> None:
    vault = synthesis.only("azurerm_data_protection_backup_vault")

    assert vault["immutability"] == "Unlocked"
    assert (vault["soft_delete"], vault["retention_duration_in_days"]) == ("On", 14)
    assert vault["lifecycle"]["prevent_destroy"]


def test_a_lock_that_nobody_can_take_off_again_is_only_made_when_asked_for() -> None:
    stack = AzureStack()
    BackupVault(stack, "Vault", SPEC, place=stack.place, key=stack.key, locked=True)

    assert stack.document().only("azurerm_data_protection_backup_vault")["immutability"] == "Locked"


def test_nothing_is_put_into_the_vault_before_the_key_encrypts_it(synthesis: Document) -> None:
    encryption = synthesis.only("azurerm_data_protection_backup_vault_customer_managed_key")
    (name,) = synthesis.resources("azurerm_data_protection_backup_vault_customer_managed_key")

    assert any("time_sleep" in waited for waited in encryption["depends_on"])
    for kind in ("postgresql_flexible_server", "blob_storage"):
        policy = synthesis.only(f"azurerm_data_protection_backup_policy_{kind}")
        assert any(name in waited for waited in policy["depends_on"])


def test_the_vault_uses_its_key_and_no_other(synthesis: Document) -> None:
    use = named(roles(synthesis), "UseKey")

    assert use["role_definition_name"] == "Key Vault Crypto Service Encryption User"
    assert use["principal_id"].endswith(".identity[0].principal_id}")


def test_the_vault_may_back_up_a_store_before_it_is_told_to(synthesis: Document) -> None:
    """Azure checks the vault's roles when protection is configured, and fails it for good."""
    expected = {
        "Database1_Read": "Reader",
        "Database1_BackUp": "PostgreSQL Flexible Server Long Term Retention Backup Role",
        "Bucket2_BackUp": "Storage Account Backup Contributor",
    }
    found = {part: named(roles(synthesis), part)["role_definition_name"] for part in expected}

    assert found == expected
    for kind in ("postgresql_flexible_server", "blob_storage"):
        instance = synthesis.only(f"azurerm_data_protection_backup_instance_{kind}")
        assert any("time_sleep" in waited for waited in instance["depends_on"])


def test_a_database_is_backed_up_every_week_and_kept_so_long(synthesis: Document) -> None:
    policy = synthesis.only("azurerm_data_protection_backup_policy_postgresql_flexible_server")

    assert policy["backup_repeating_time_intervals"] == ["R/2026-01-04T05:00:00+00:00/P1W"]
    assert policy["default_retention_rule"]["life_cycle"] == [{"data_store_type": "VaultStore", "duration": "P14D"}]


def test_a_flat_bucket_is_backed_up_into_the_vault_and_no_lock_is_put_on_it(synthesis: Document) -> None:
    """The operational kind of backup locks the account, and a destroy then stumbles over it."""
    policy = synthesis.only("azurerm_data_protection_backup_policy_blob_storage")

    assert policy["vault_default_retention_duration"] == "P14D"
    assert "operational_default_retention_duration" not in policy


def test_the_backup_service_is_let_at_a_bucket_only_where_it_backs_one_up(synthesis: Document) -> None:
    stack, _ = backed_up(hierarchical=True)

    untouched = stack.document().only("azurerm_storage_account")

    assert synthesis.only("azurerm_storage_account")["cross_tenant_replication_enabled"] is True
    assert untouched["cross_tenant_replication_enabled"] is False


def test_a_hierarchical_bucket_is_left_out_and_the_synthesis_says_so() -> None:
    stack, backup = backed_up(hierarchical=True)

    (said,) = (entry.data for entry in backup.node.metadata)

    assert "gets no backup" in str(said)
    assert not stack.document().resources("azurerm_data_protection_backup_instance_blob_storage")


def test_backups_that_would_be_gone_before_the_next_are_refused() -> None:
    with pytest.raises(InvalidSpecError, match="at least 7 days"):
        backed_up(replace(SPEC, keep_days=6))


def test_a_name_of_one_letter_is_refused_as_azure_refuses_it() -> None:
    with pytest.raises(InvalidSpecError, match="use 2 to 50 characters"):
        backed_up(replace(SPEC, name="a"))


def test_a_vault_without_protection_can_be_destroyed() -> None:
    stack, _ = backed_up(replace(SPEC, protected=False))

    vault = stack.document().only("azurerm_data_protection_backup_vault")

    assert (vault["immutability"], vault["soft_delete"]) == ("Disabled", "Off")
    assert "prevent_destroy" not in vault.get("lifecycle", {})


def test_backups_are_kept_in_the_paired_region_too_and_can_be_restored_there() -> None:
    stack, backup = backed_up()
    second = SecondRegion(stack)
    AzureBackupCopy(stack, "Copy", SPEC, source=backup, place=second.place, key=second.key)

    vaults = stack.document().resources("azurerm_data_protection_backup_vault")

    first = named(vaults, "Backup_Vault")
    assert (first["redundancy"], first["cross_region_restore_enabled"]) == ("GeoRedundant", True)
    assert named(vaults, "Copy_Vault")["location"] == "northeurope"
