"""Backups apart from the stores on Azure: a locked vault of Azure Backup, and its second region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from aeterna.azure.backup_blobs import BlobBackup
from aeterna.azure.backup_postgres import WEEK_DAYS, PostgresBackup
from aeterna.azure.bucket import BlobBucket
from aeterna.azure.l1.data_protection_backup_vault import AzurermDataProtectionBackupVault
from aeterna.azure.l1.data_protection_backup_vault_customer_managed_key import (
    AzurermDataProtectionBackupVaultCustomerManagedKey,
)
from aeterna.azure.regions import require_pair
from aeterna.contracts.backup import BackupOutputs
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between
from aeterna.synth.app import Annotations
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.keys import AzureKey
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.backup import BackupSpec
    from aeterna.synth._cdk import ITerraformDependable

SHORTEST_VAULT = 2
LONGEST_VAULT = 50
SOFT_DELETE_DAYS = 14
"""How long a deleted backup can be brought back at no charge."""


class Server(Protocol):
    """A PostgreSQL server that can be backed up."""

    @property
    def id(self) -> Late:
        """Return its identifier."""
        ...

    @property
    def place(self) -> AzurePlace:
        """Return where it stands."""
        ...


@names_itself
class BackupVault(Construct):
    """A vault under the key, in three zones, that refuses to delete a backup before its time.

    Its lock can be taken off by whoever may change the vault; ``locked`` makes it one that nobody can ever take off
    again, Azure included. The vault uses the key by an identity of its own, which exists only once it does: nothing is
    put in before `ready`, when it may.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: BackupSpec,
        *,
        place: AzurePlace,
        key: AzureKey,
        locked: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        require_between("BackupSpec", "name", len(spec.name), (SHORTEST_VAULT, LONGEST_VAULT), "characters")
        kept = "Locked" if locked else "Unlocked"
        self._vault = AzurermDataProtectionBackupVault(
            self,
            "Resource",
            name=spec.name,
            location=place.location,
            resource_group_name=place.group_name,
            datastore_type="VaultStore",
            redundancy="ZoneRedundant",
            immutability=kept if spec.protected else "Disabled",
            soft_delete="On" if spec.protected else "Off",
            retention_duration_in_days=SOFT_DELETE_DAYS if spec.protected else None,
            identity={"type": "SystemAssigned"},
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
        )
        self.id, self.name = Late(self._vault.id), Late(self._vault.name)
        self.principal_id = Late(str(self._vault.identity[0].principal_id))
        use = key.grant(self, "UseKey", to=self.principal_id)
        encryption = AzurermDataProtectionBackupVaultCustomerManagedKey(
            self,
            "Encryption",
            data_protection_backup_vault_id=self._vault.id,
            key_vault_key_id=key.versionless_id,
            depends_on=use.ready,
        )
        self.ready: tuple[ITerraformDependable, ...] = (encryption,)
        self.outputs = BackupOutputs(vault=self.id)

    def copy_to_pair(self) -> None:
        """Keep every backup in the paired region as well, and let it be restored there at any time."""
        self._vault.replace("redundancy", "GeoRedundant")
        self._vault.replace("cross_region_restore_enabled", value=True)


@names_itself
class AzureBackup(Construct):
    """A vault, and what backs up the given stores into it.

    A PostgreSQL server is backed up every week, which is as often as Azure does it; for anything nearer the server
    itself restores to the second. A flat bucket is backed up every day. A hierarchical one this provider cannot back up
    (terraform-provider-azurerm#31156), which the synthesis says.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: BackupSpec,
        *,
        place: AzurePlace,
        key: AzureKey,
        protects: Sequence[Server | BlobBucket],
    ) -> None:
        super().__init__(scope, id_)
        if spec.keep_days < WEEK_DAYS:
            problem = f"{spec.keep_days} days, and Azure backs up a database every {WEEK_DAYS}: there would be none"
            raise InvalidSpecError("BackupSpec", "keep_days", problem, f"use at least {WEEK_DAYS} days")
        self.place = place
        self.vault = BackupVault(self, "Vault", spec, place=place, key=key)
        for number, store in enumerate(protects, start=1):
            if not isinstance(store, BlobBucket):
                PostgresBackup(self, f"Database{number}", spec, vault=self.vault, server=store)
            elif store.hierarchical:
                Annotations.of(self).add_warning(f"{store.node.path} is hierarchical and gets no backup in the vault")
            else:
                BlobBackup(self, f"Bucket{number}", spec, vault=self.vault, bucket=store)
        self.outputs = self.vault.outputs


@names_itself
class AzureBackupCopy(Construct):
    """The source's backups in the region that Azure pairs with its own, and a vault in the second region.

    Azure copies between vaults of no two regions of choice: the source becomes geo-redundant, and its backups can be
    restored in the paired region, under the source's key. The vault made here waits, under a key of its region, for
    what is promoted there.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: BackupSpec,
        *,
        source: AzureBackup,
        place: AzurePlace,
        key: AzureKey,
    ) -> None:
        super().__init__(scope, id_)
        require_pair("AzureBackupCopy", "source", source.place.location, "use a region that has a pair")
        source.vault.copy_to_pair()
        self.vault = BackupVault(self, "Vault", spec, place=place, key=key)
        self.outputs = self.vault.outputs
