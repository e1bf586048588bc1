"""Backups of what runs in a cluster, by Azure Backup for AKS, for customers who keep something there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from aeterna.azure.l1.data_protection_backup_instance_kubernetes_cluster import (
    AzurermDataProtectionBackupInstanceKubernetesCluster,
)
from aeterna.azure.l1.data_protection_backup_policy_kubernetes_cluster import (
    AzurermDataProtectionBackupPolicyKubernetesCluster,
)
from aeterna.azure.l1.kubernetes_cluster_extension import AzurermKubernetesClusterExtension
from aeterna.azure.l1.kubernetes_cluster_trusted_access_role_binding import (
    AzurermKubernetesClusterTrustedAccessRoleBinding,
)
from aeterna.azure.l1.storage_container import AzurermStorageContainer
from aeterna.azure.roles import Granted
from aeterna.azure.storage import AccountSpec, StorageAccount
from aeterna.azure.worldwide import worldwide_account
from aeterna.contracts.late import Late
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.backup import BackupVault
    from aeterna.azure.keys import AzureKey
    from aeterna.azure.network import AzureNetwork
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.backup import BackupSpec
    from aeterna.synth._cdk import ITerraformDependable

EXTENSION = "Microsoft.DataProtection.Kubernetes"
TRUSTED = "Microsoft.DataProtection/backupVaults/backup-operator"
MOST_OFTEN = 4
"""Hours: Azure Backup takes a cluster no more often."""
HOURS_A_DAY = 24
DAY = "2026-01-04"
"""Any day of the past: what repeats begins there."""
RECOVERABLE_DAYS = 7


class BackedUpCluster(Protocol):
    """A cluster whose control plane has an identity of its own."""

    @property
    def id(self) -> Late:
        """Return its identifier."""
        ...

    @property
    def plane_principal_id(self) -> Late:
        """Return the principal of its control plane, which makes the snapshots."""
        ...

    @property
    def ready(self) -> Sequence[ITerraformDependable]:
        """Return what something that is put into it waits for."""
        ...


@names_itself
class AksBackup(Construct):
    """Every namespace of a cluster, with its volumes, in snapshots beside it and in an account under the key.

    The platform keeps nothing in its cluster, so that a foundation has none of this. The extension in the cluster signs
    in to the account with an identity, as no key opens it, and reaches it inside the network. A cluster that exists
    already has to have a system-assigned identity.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: BackupSpec,
        *,
        place: AzurePlace,
        key: AzureKey,
        network: AzureNetwork,
        cluster: BackedUpCluster,
        vault: BackupVault,
    ) -> None:
        super().__init__(scope, id_)
        rights = [
            *self._extension(spec, place=place, key=key, network=network, cluster=cluster),
            *self._rights(place=place, cluster=cluster, vault=vault),
        ]
        policy = AzurermDataProtectionBackupPolicyKubernetesCluster(
            self,
            "Policy",
            name=f"{spec.name}-cluster",
            resource_group_name=place.group_name,
            vault_name=vault.name,
            backup_repeating_time_intervals=[f"R/{DAY}T{spec.hour:02}:00:00+00:00/{_interval(spec)}"],
            time_zone="UTC",
            default_retention_rule={
                "life_cycle": [{"data_store_type": "OperationalStore", "duration": f"P{spec.keep_days}D"}]
            },
            depends_on=vault.ready,
        )
        AzurermDataProtectionBackupInstanceKubernetesCluster(
            self,
            "Resource",
            name=f"{spec.name}-cluster",
            location=place.location,
            vault_id=vault.id,
            kubernetes_cluster_id=cluster.id,
            snapshot_resource_group_name=place.group_name,
            backup_policy_id=policy.id,
            backup_datasource_parameters={
                "cluster_scoped_resources_enabled": True,
                "volume_snapshot_enabled": True,
            },
            depends_on=rights,
        )

    def _extension(
        self, spec: BackupSpec, *, place: AzurePlace, key: AzureKey, network: AzureNetwork, cluster: BackedUpCluster
    ) -> Sequence[ITerraformDependable]:
        account = AccountSpec(
            name=worldwide_account(f"{spec.name}-cluster", place=place),
            recoverable_days=RECOVERABLE_DAYS,
            protected=spec.protected,
        )
        store = StorageAccount(self, "Store", account, place=place, key=key)
        container = AzurermStorageContainer(
            self, "Container", name="cluster", storage_account_id=store.id, container_access_type="private"
        )
        way = network.private_endpoint(
            self, "Blob", target_id=store.id, subresource="blob", zone=network.zone("blob"), place=place
        )
        extension = AzurermKubernetesClusterExtension(
            self,
            "Extension",
            name="azure-aks-backup",
            cluster_id=cluster.id,
            extension_type=EXTENSION,
            release_train="stable",
            release_namespace="dataprotection-microsoft",
            configuration_settings={
                "configuration.backupStorageLocation.bucket": container.name,
                "configuration.backupStorageLocation.config.resourceGroup": place.group_name,
                "configuration.backupStorageLocation.config.storageAccount": store.name,
                "configuration.backupStorageLocation.config.subscriptionId": place.subscription_id,
                "configuration.backupStorageLocation.config.storageAccountURI": f"https://{store.blob_host}/",
                # Without it the extension asks for the account's keys, which open nothing.
                "configuration.backupStorageLocation.config.useAAD": "true",
                "credentials.tenantId": place.tenant_id,
            },
            depends_on=[*cluster.ready, way],
        )
        identity = Late(str(extension.aks_assigned_identity[0].principal_id))
        store_role = "Storage Blob Data Contributor"
        return Granted(self, "WriteStore", role=store_role, on=store.id, to=identity).ready

    def _rights(
        self, *, place: AzurePlace, cluster: BackedUpCluster, vault: BackupVault
    ) -> Sequence[ITerraformDependable]:
        """Let the vault into the cluster and at the snapshots, and the cluster make them."""
        rights = {
            "ReadCluster": ("Reader", cluster.id, vault.principal_id),
            "ReadSnapshots": ("Reader", place.group_id, vault.principal_id),
            "MakeSnapshots": ("Contributor", place.group_id, cluster.plane_principal_id),
        }
        trusted = AzurermKubernetesClusterTrustedAccessRoleBinding(
            self,
            "Trust",
            name="backup",
            kubernetes_cluster_id=cluster.id,
            source_resource_id=vault.id,
            roles=[TRUSTED],
        )
        granted = [Granted(self, id_, role=role, on=on, to=to) for id_, (role, on, to) in rights.items()]
        return (trusted, *(waited for grant in granted for waited in grant.ready))


def _interval(spec: BackupSpec) -> str:
    """Return how often, in the notation of ISO 8601; a cloud that cannot do it as often takes the next longer one."""
    hours = max(spec.every_hours, MOST_OFTEN)
    return "P1D" if hours == HOURS_A_DAY else f"PT{hours}H"
