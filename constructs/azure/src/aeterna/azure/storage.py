"""What every storage account has in common: the customer's key, no shared secret, and a closed door."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from constructs import Construct

from aeterna.azure.l1.storage_account import AzurermStorageAccount
from aeterna.azure.names import account_name
from aeterna.azure.runners import allowed
from aeterna.contracts.late import Late
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.keys import AzureKey
    from aeterna.azure.l1.storage_account import AzurermStorageAccountBlobPropertiesBlock
    from aeterna.azure.place import AzurePlace
    from aeterna.synth._cdk import ITerraformDependable

WITHIN_REGION = "ZRS"
"""A copy in each of three zones."""
WITH_PAIR = "RAGZRS"
"""The same, and a copy in the paired region that can be read at any time."""


class Uses(TypedDict, total=False):
    """What differs from one account to the next."""

    hierarchical: bool
    """Whether directories are real. It can never be changed."""
    shared_keys: bool
    """Whether its two secret keys open it, for a service that knows nothing else. Default: no."""
    runners: Sequence[str] | None
    """Who reaches it from outside the network; None closes it to everyone outside."""
    protect: bool


class StorageAccount(Construct):
    """An account encrypted twice, the outer time under the customer's key, and opened by roles alone.

    ``name`` is any name that is unique in the world; `account_name` makes the account's of it. ``blobs`` is how long
    what was overwritten or deleted is kept.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        place: AzurePlace,
        key: AzureKey,
        blobs: AzurermStorageAccountBlobPropertiesBlock,
        **uses: Unpack[Uses],
    ) -> None:
        super().__init__(scope, id_)
        user = key.identity_for(self, "KeyUser", place=place)
        runners = uses.get("runners")
        self.account = AzurermStorageAccount(
            self,
            "Resource",
            name=account_name(name),
            location=place.location,
            resource_group_name=place.group_name,
            account_kind="StorageV2",
            account_tier="Standard",
            account_replication_type=WITHIN_REGION,
            is_hns_enabled=uses.get("hierarchical", False),
            min_tls_version="TLS1_2",
            https_traffic_only_enabled=True,
            infrastructure_encryption_enabled=True,
            shared_access_key_enabled=uses.get("shared_keys", False),
            default_to_oauth_authentication=True,
            allow_nested_items_to_be_public=False,
            cross_tenant_replication_enabled=False,
            local_user_enabled=False,
            sftp_enabled=False,
            public_network_access_enabled=runners is not None,
            network_rules={
                "default_action": "Deny",
                "bypass": ["AzureServices"],
                "ip_rules": list(allowed("StorageAccount", runners or ())),
            },
            identity={"type": "UserAssigned", "identity_ids": [user.id]},
            # Without a version, so that the account follows a rotation by itself.
            customer_managed_key={"key_vault_key_id": key.versionless_id, "user_assigned_identity_id": user.id},
            blob_properties=blobs,
            depends_on=user.ready,
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=uses.get("protect", True))),
        )
        self.id, self.name = Late(self.account.id), Late(self.account.name)
        self.ready: tuple[ITerraformDependable, ...] = (self.account,)
