"""Configures the provider of a stack on Azure: what it registers, how it signs in to storage, what it never purges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.azure.l1.provider import AzurermProvider

if TYPE_CHECKING:
    from constructs import Construct

SERVICES = (
    "Microsoft.Authorization",
    "Microsoft.Cache",
    "Microsoft.Compute",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.DataProtection",
    "Microsoft.DBforPostgreSQL",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.KubernetesConfiguration",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.PolicyInsights",
    "Microsoft.Storage",
)
"""The services that a foundation is made of. A new subscription knows none of them, and the provider registers none by
itself since its version 5."""


def configure(scope: Construct, *, subscription_id: str | None) -> AzurermProvider:
    """Configure one provider below the scope. Credentials are whatever the environment of the one who applies offers.

    Without ``subscription_id`` it is the one that the environment names in ``ARM_SUBSCRIPTION_ID``.
    """
    return AzurermProvider(
        scope,
        "azurerm",
        subscription_id=subscription_id,
        resource_provider_registrations="none",
        resource_providers_to_register=SERVICES,
        # No account has a shared key that the provider could use.
        storage_use_azuread=True,
        features=[
            {
                "key_vault": [
                    {
                        # A purged key takes with it everything that was ever encrypted under it.
                        "purge_soft_delete_on_destroy": False,
                        "purge_soft_deleted_keys_on_destroy": False,
                        "recover_soft_deleted_key_vaults": True,
                        "recover_soft_deleted_keys": True,
                    }
                ],
                "postgresql_flexible_server": [{"restart_server_on_configuration_value_change": False}],
                "resource_group": [{"prevent_deletion_if_contains_resources": True}],
                # Accounts are closed to whoever applies: all that is asked of them goes through Azure's management.
                "storage": [{"data_plane_available": False}],
            }
        ],
    )
