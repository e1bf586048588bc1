"""The limits of Azure's names (Azure Resource Manager, "Naming rules and restrictions for Azure resources")."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Name

_NETWORK: Final = r"[a-zA-Z0-9](?:[\w.-]*\w)?"
"""A letter or digit, then words with dots and hyphens, ending in a word's character."""
_HYPHENS: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"


def _named(longest: int, pattern: str = _NETWORK, *, shortest: int = 1) -> tuple[Name, ...]:
    return (Name(path="name", longest=longest, shortest=shortest, pattern=pattern),)


NAMES: Final = {
    "azurerm_container_registry": _named(50, r"[a-zA-Z0-9]+", shortest=5),
    "azurerm_data_protection_backup_vault": _named(50, r"[a-zA-Z][a-zA-Z0-9-]*", shortest=2),
    "azurerm_disk_encryption_set": _named(80, r"[\w-]+"),
    "azurerm_eventhub_namespace": _named(50, r"[a-zA-Z](?:[a-zA-Z0-9-]*[a-zA-Z0-9])", shortest=6),
    "azurerm_federated_identity_credential": _named(120, r"[a-zA-Z0-9][\w-]*", shortest=3),
    "azurerm_key_vault": _named(24, r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]*[a-zA-Z0-9]", shortest=3),
    "azurerm_key_vault_key": _named(127, r"[a-zA-Z0-9-]+"),
    "azurerm_key_vault_secret": _named(127, r"[a-zA-Z0-9-]+"),
    "azurerm_kubernetes_cluster": (
        *_named(63, r"[a-zA-Z0-9](?:[\w-]*[a-zA-Z0-9])?"),
        Name(path="default_node_pool.name", longest=12, pattern=r"[a-z][a-z0-9]*"),
    ),
    "azurerm_kubernetes_cluster_node_pool": _named(12, r"[a-z][a-z0-9]*"),
    "azurerm_log_analytics_workspace": _named(63, _HYPHENS, shortest=4),
    "azurerm_managed_redis": _named(60, r"(?!.*--)[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"),
    "azurerm_nat_gateway": _named(80),
    "azurerm_network_security_group": _named(80),
    "azurerm_network_security_rule": _named(80),
    "azurerm_postgresql_flexible_server": _named(63, r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", shortest=3),
    "azurerm_postgresql_flexible_server_database": _named(63, r"[\w-]+"),
    "azurerm_private_dns_zone_virtual_network_link": _named(80),
    "azurerm_private_endpoint": _named(64),
    "azurerm_public_ip": _named(80),
    "azurerm_resource_group": _named(90, r"[\w().-]*[\w()-]"),
    "azurerm_route_table": _named(80),
    "azurerm_storage_account": _named(24, r"[a-z0-9]+", shortest=3),
    "azurerm_storage_container": _named(63, r"\$?(?!.*--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", shortest=3),
    "azurerm_storage_data_lake_gen2_filesystem": _named(63, r"(?!.*--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", shortest=3),
    "azurerm_subnet": _named(80),
    "azurerm_user_assigned_identity": _named(128, r"[a-zA-Z0-9][\w-]*", shortest=3),
    "azurerm_virtual_network": _named(64, _NETWORK, shortest=2),
}
