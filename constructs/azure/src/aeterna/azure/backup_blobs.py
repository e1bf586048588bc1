"""Backups of a flat bucket into a vault, once the vault may make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.data_protection_backup_instance_blob_storage import (
    AzurermDataProtectionBackupInstanceBlobStorage,
)
from aeterna.azure.l1.data_protection_backup_policy_blob_storage import AzurermDataProtectionBackupPolicyBlobStorage
from aeterna.azure.roles import Granted
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.azure.backup import BackupVault
    from aeterna.azure.bucket import BlobBucket
    from aeterna.contracts.backup import BackupSpec

BACK_UP = "Storage Account Backup Contributor"
DAY = "2026-01-04"
"""Any day of the past: what repeats begins there."""


@names_itself
class BlobBackup(Construct):
    """One bucket's daily backup into the vault: of what was written through the blob endpoint, and no other.

    Not the kind that Azure calls operational: that one stays in the account itself, and puts a lock on it that a
    destroy stumbles over (terraform-provider-azurerm#28961).
    """

    def __init__(self, scope: Construct, id_: str, spec: BackupSpec, *, vault: BackupVault, bucket: BlobBucket) -> None:
        super().__init__(scope, id_)
        bucket.store.admit_backup_service()
        back_up = Granted(self, "BackUp", role=BACK_UP, on=bucket.store.id, to=vault.principal_id)
        policy = AzurermDataProtectionBackupPolicyBlobStorage(
            self,
            "Policy",
            name=f"{spec.name}-bucket",
            vault_id=vault.id,
            backup_repeating_time_intervals=[f"R/{DAY}T{spec.hour:02}:00:00+00:00/P1D"],
            time_zone="UTC",
            vault_default_retention_duration=f"P{spec.keep_days}D",
            depends_on=vault.ready,
        )
        AzurermDataProtectionBackupInstanceBlobStorage(
            self,
            "Resource",
            name=f"{spec.name}-bucket",
            location=bucket.place.location,
            vault_id=vault.id,
            storage_account_id=bucket.store.id,
            storage_account_container_names=[bucket.filesystem],
            backup_policy_id=policy.id,
            depends_on=back_up.ready,
        )
