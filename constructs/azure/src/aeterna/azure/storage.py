"""What every storage account has in common: the customer's key, no shared secret, and a closed door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.storage_account import AzurermStorageAccount
from aeterna.azure.l1.storage_management_policy import AzurermStorageManagementPolicy
from aeterna.azure.runners import allowed
from aeterna.contracts.late import Late
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.azure.keys import AzureKey
    from aeterna.azure.l1.storage_account import AzurermStorageAccountBlobPropertiesBlock
    from aeterna.azure.place import AzurePlace

WITHIN_REGION = "ZRS"
"""A copy in each of three zones."""
WITH_PAIR = "RAGZRS"
"""The same, and a copy in the paired region that can be read at any time."""
LONGEST_RECOVERABLE = 365
"""Days: the longest that Azure keeps what was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSpec:
    """How one account differs from the next.

    - ``name`` is the account's, unique in all of Azure; see `aeterna.azure.names.account_name`.
    - ``recoverable_days`` is how long what was deleted can be brought back.
    - ``versions`` keeps what was overwritten as well, and a record of every change. Not with ``hierarchical``.
    - ``hierarchical`` makes directories real. It can never be changed. Default: off.
    - ``runners`` are the public blocks that reach it. Default: None, which closes it to everyone outside the network;
      an empty tuple lets in the services that Azure trusts, and nobody else.
    - ``protected`` refuses to destroy it. Default: on.
    """

    name: str
    recoverable_days: int
    versions: bool = False
    hierarchical: bool = False
    runners: tuple[str, ...] | None = None
    protected: bool = True


@names_itself
class StorageAccount(Construct):
    """An account encrypted twice, the outer time under the customer's key, and opened by roles alone."""

    def __init__(self, scope: Construct, id_: str, spec: AccountSpec, *, place: AzurePlace, key: AzureKey) -> None:
        super().__init__(scope, id_)
        user = key.identity_for(self, "KeyUser", place=place)
        self._account = AzurermStorageAccount(
            self,
            "Resource",
            name=spec.name,
            location=place.location,
            resource_group_name=place.group_name,
            account_kind="StorageV2",
            account_tier="Standard",
            account_replication_type=WITHIN_REGION,
            is_hns_enabled=spec.hierarchical,
            min_tls_version="TLS1_2",
            https_traffic_only_enabled=True,
            infrastructure_encryption_enabled=True,
            # The provider reads the account's two secret keys into the state all the same. They open nothing.
            shared_access_key_enabled=False,
            default_to_oauth_authentication=True,
            allow_nested_items_to_be_public=False,
            cross_tenant_replication_enabled=False,
            local_user_enabled=False,
            sftp_enabled=False,
            public_network_access_enabled=spec.runners is not None,
            network_rules={
                "default_action": "Deny",
                "bypass": ["AzureServices"],
                "ip_rules": list(allowed("AccountSpec", spec.runners or ())),
            },
            identity={"type": "UserAssigned", "identity_ids": [user.id]},
            # Without a version, so that the account follows a rotation by itself.
            customer_managed_key={"key_vault_key_id": key.versionless_id, "user_assigned_identity_id": user.id},
            blob_properties=_blobs(spec),
            depends_on=user.ready,
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
        )
        self.id, self.name = Late(self._account.id), Late(self._account.name)
        self.blob_host = Late(self._account.primary_blob_host)
        self.dfs_host = Late(self._account.primary_dfs_host)
        self.paired_dfs_host = Late(self._account.secondary_dfs_host)
        """Where the copy in the paired region is read; empty until there is one."""

    def forget_versions(self, scope: Construct, id_: str, *, days: int) -> None:
        """Delete each version of an object so many days after it was made."""
        AzurermStorageManagementPolicy(
            scope,
            id_,
            storage_account_id=self.id,
            rule=[
                {
                    "name": "forget",
                    "enabled": True,
                    "filters": {"blob_types": ["blockBlob"]},
                    "actions": {"version": {"delete_after_days_since_creation": days}},
                }
            ],
        )

    def copy_to_pair(self) -> None:
        """Have Azure keep a copy in the paired region, which it brings up to date within minutes."""
        self._account.replace("account_replication_type", WITH_PAIR)

    def admit_backup_service(self) -> None:
        """Let Azure Backup copy from the account: it does so by replication into a tenant of its own."""
        self._account.replace("cross_tenant_replication_enabled", value=True)


def _blobs(spec: AccountSpec) -> AzurermStorageAccountBlobPropertiesBlock:
    kept: AzurermStorageAccountBlobPropertiesBlock = {
        "delete_retention_policy": {"days": spec.recoverable_days},
        "container_delete_retention_policy": {"days": spec.recoverable_days},
    }
    if spec.versions:
        kept["versioning_enabled"] = True
        kept["change_feed_enabled"] = True
    return kept
