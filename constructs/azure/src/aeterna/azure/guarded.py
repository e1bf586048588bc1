"""Where Azure's resources say what the neutral rules ask about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.facts import Companion, Either, Setting, Topic, When
from aeterna.synth.rules.wanted import (
    FALSE,
    NOTHING,
    TRUE,
    at_least,
    key,
    none_of,
    one_of,
    present,
    without,
    zones,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.synth.rules.facts import Guarded, Requirement

WEEK: Final = at_least(7, "days")
MONTH: Final = at_least(30, "days")
KEY: Final = key()
CLIENTS: Final = without("0.0.0.0/0", "0.0.0.0", "::/0", words="the networks that may connect")  # noqa: S104 - refused
NEW_TLS: Final = one_of("TLS1_2", "TLS1_3", weaker="TLS1_0")
NEW_TLS_NUMBER: Final = one_of("1.2", "1.3", weaker="1.0")
DENIED: Final = one_of("Deny", weaker="Allow")
KEPT_STANDING: Final = (Setting(path="lifecycle.prevent_destroy", wants=TRUE),)
"""Azure has no protection of its own: a lock is removed by the same destroy. OpenTofu refuses instead."""
PRIMARY: Final = (When(path="create_mode", is_=none_of("Replica", words="a server of its own"), absent=True),)
"""A copy is as available as its own zone, and has the logins and backups of the server that it copies."""
FLAT: Final = (
    When(path="is_hns_enabled", is_=FALSE, absent=True),
    When(path="account_kind", is_=one_of("StorageV2", "BlobStorage", "BlockBlobStorage"), absent=True),
)
"""Storage without real directories; only there does Azure keep versions."""


def _beside(terraform_type: str, by: str) -> Companion:
    return Companion(type=terraform_type, by=by)


LOGGED: Final = (
    Setting(
        path="enabled_log",
        wants=present("the categories to keep"),
        on=_beside("azurerm_monitor_diagnostic_setting", "target_resource_id"),
    ),
)
LOGS_ARE_WRITTEN: Final = (
    _beside("azurerm_monitor_diagnostic_setting", "storage_account_id"),
    _beside("azurerm_network_watcher_flow_log", "storage_account_id"),
)
"""An account that only takes logs: nothing in it is overwritten, and it may go with what it tells of."""
CLOSED: Final = Setting(path="public_network_access_enabled", wants=FALSE)


def _closed_or(firewall: str) -> tuple[Requirement, ...]:
    """Return that a service has no public address, or one behind a firewall that denies by default."""
    return (Either((CLOSED, Setting(path=f"{firewall}.default_action", wants=DENIED))),)


_SERVER: Final[Guarded] = {
    Topic.STORE_KEY: (Setting(path="customer_managed_key.key_vault_key_id", wants=KEY),),
    Topic.BACKUP_KEY: (
        Setting(
            path="customer_managed_key.geo_backup_key_vault_key_id",
            wants=KEY,
            when=(When(path="geo_redundant_backup_enabled", is_=TRUE),),
        ),
    ),
    Topic.PRIVATE_STORE: (CLOSED,),
    Topic.ZONES: (
        Setting(path="high_availability.mode", wants=one_of("ZoneRedundant", weaker="SameZone"), when=PRIMARY),
    ),
    Topic.PROTECTION: KEPT_STANDING,
    Topic.BACKUPS: (Setting(path="backup_retention_days", wants=WEEK, when=PRIMARY),),
    Topic.STATIC_LOGIN: (
        Setting(path="authentication.password_auth_enabled", wants=FALSE, when=PRIMARY),
        Setting(path="administrator_password", wants=NOTHING, absent_is_right=True),
    ),
    Topic.IDENTITY_LOGIN: (Setting(path="authentication.active_directory_auth_enabled", wants=TRUE, when=PRIMARY),),
    Topic.LOGS: LOGGED,
}

_AKS: Final[Guarded] = {
    Topic.CLUSTER_KEY: (Setting(path="key_management_service.key_vault_key_id", wants=KEY),),
    Topic.DISK_KEY: (Setting(path="disk_encryption_set_id", wants=KEY),),
    Topic.PRIVATE_CLUSTER: (
        Setting(path="private_cluster_enabled", wants=TRUE),
        Setting(path="private_cluster_public_fqdn_enabled", wants=FALSE, absent_is_right=True),
    ),
    Topic.PRIVATE_MACHINE: (
        Setting(path="default_node_pool.node_public_ip_enabled", wants=FALSE, absent_is_right=True),
    ),
    Topic.CLIENTS: (
        Setting(path="api_server_access_profile?.authorized_ip_ranges", wants=CLIENTS, absent_is_right=True),
    ),
    Topic.ZONES: (
        Setting(path="default_node_pool.zones", wants=zones()),
        Setting(path="sku_tier", wants=one_of("Standard", "Premium", weaker="Free")),
    ),
    Topic.PROTECTION: KEPT_STANDING,
    Topic.WORKLOAD_IDENTITY: (
        Setting(path="oidc_issuer_enabled", wants=TRUE, absent_is_right=True),
        Setting(path="workload_identity_enabled", wants=TRUE),
    ),
    Topic.LOGS: LOGGED,
    Topic.UPGRADES: (
        Setting(path="automatic_upgrade_channel", wants=none_of("none", words="patch, stable or rapid")),
        Setting(
            path="node_os_upgrade_channel",
            wants=none_of("None", "Unmanaged", words="NodeImage or SecurityPatch"),
            absent_is_right=True,
        ),
    ),
}

_ACCOUNT: Final[Guarded] = {
    Topic.STORE_KEY: (
        Either(
            (
                Setting(path="customer_managed_key.key_vault_key_id", wants=KEY),
                Setting(
                    path="key_vault_key_id",
                    wants=KEY,
                    on=_beside("azurerm_storage_account_customer_managed_key", "storage_account_id"),
                ),
            )
        ),
    ),
    Topic.PRIVATE_STORE: (
        Either(
            (
                CLOSED,
                Setting(path="network_rules.default_action", wants=DENIED),
                Setting(
                    path="default_action",
                    wants=DENIED,
                    on=_beside("azurerm_storage_account_network_rules", "storage_account_id"),
                ),
            )
        ),
    ),
    Topic.PRIVATE_OBJECTS: (Setting(path="allow_nested_items_to_be_public", wants=FALSE),),
    Topic.TLS: (Setting(path="https_traffic_only_enabled", wants=TRUE, absent_is_right=True),),
    Topic.TLS_VERSION: (Setting(path="min_tls_version", wants=NEW_TLS, absent_is_right=True),),
    Topic.ZONES: (Setting(path="account_replication_type", wants=one_of("ZRS", "GZRS", "RAGZRS", weaker="LRS")),),
    Topic.PROTECTION: (Setting(path="lifecycle.prevent_destroy", wants=TRUE, unless=LOGS_ARE_WRITTEN),),
    Topic.KEPT: (
        Setting(path="blob_properties.delete_retention_policy.days", wants=WEEK),
        Setting(path="blob_properties.container_delete_retention_policy.days", wants=WEEK),
    ),
}

_REDIS_COPY: Final = (When(path="default_database.geo_replication_group_name"),)

_REDIS: Final[Guarded] = {
    Topic.STORE_KEY: (Setting(path="customer_managed_key.key_vault_key_id", wants=KEY),),
    Topic.PRIVATE_STORE: (Setting(path="public_network_access", wants=one_of("Disabled", weaker="Enabled")),),
    Topic.TLS: (
        Setting(
            path="default_database.client_protocol",
            wants=one_of("Encrypted", weaker="Plaintext"),
            absent_is_right=True,
        ),
    ),
    Topic.ZONES: (Setting(path="high_availability_enabled", wants=TRUE, absent_is_right=True),),
    Topic.STATIC_LOGIN: (
        Setting(path="default_database.access_keys_authentication_enabled", wants=FALSE, absent_is_right=True),
    ),
    Topic.BACKUPS: (
        Either(
            (
                Setting(
                    path="default_database.persistence_redis_database_backup_frequency",
                    wants=present("12h"),
                    when=_REDIS_COPY,
                ),
                Setting(
                    path="default_database.persistence_append_only_file_backup_frequency",
                    wants=present("1s"),
                    when=_REDIS_COPY,
                ),
            )
        ),
    ),
    Topic.LOGS: LOGGED,
}

_VAULT: Final[Guarded] = {
    Topic.PRIVATE_STORE: _closed_or("network_acls"),
    Topic.KEY_GRACE: (
        Setting(path="purge_protection_enabled", wants=TRUE),
        Setting(path="soft_delete_retention_days", wants=WEEK, absent_is_right=True),
    ),
}

_REGISTRY: Final[Guarded] = {
    Topic.STORE_KEY: (Setting(path="encryption.key_vault_key_id", wants=KEY),),
    Topic.PRIVATE_STORE: (CLOSED,),
    Topic.ZONES: (Setting(path="zone_redundancy_enabled", wants=TRUE),),
    Topic.STATIC_LOGIN: (
        Setting(path="admin_enabled", wants=FALSE, absent_is_right=True),
        Setting(path="anonymous_pull_enabled", wants=FALSE, absent_is_right=True),
    ),
}

_OF_CONFIGURATION: Final = "azurerm_postgresql_flexible_server_configuration"
_DISK: Final[Guarded] = {Topic.DISK_KEY: (Setting(path="disk_encryption_set_id", wants=KEY),)}
_MACHINE: Final[Guarded] = {
    Topic.DISK_KEY: (Setting(path="os_disk.disk_encryption_set_id", wants=KEY),),
    Topic.STATIC_LOGIN: (Setting(path="admin_password", wants=NOTHING, absent_is_right=True),),
}

GUARDED: Final[Mapping[str, Guarded]] = {
    "azurerm_application_gateway": {
        Topic.TLS_VERSION: (
            Setting(
                path="ssl_policy?.min_protocol_version",
                wants=one_of("TLSv1_2", "TLSv1_3", weaker="TLSv1_0"),
                absent_is_right=True,
            ),
        ),
    },
    "azurerm_container_registry": _REGISTRY,
    "azurerm_cosmosdb_account": {
        Topic.STORE_KEY: (Setting(path="key_vault_key_id", wants=KEY),),
        Topic.PRIVATE_STORE: (CLOSED,),
        Topic.STATIC_LOGIN: (
            Either(
                (
                    Setting(path="local_authentication_enabled", wants=FALSE),
                    Setting(path="local_authentication_disabled", wants=TRUE),  # the provider's name before version 5
                )
            ),
        ),
    },
    "azurerm_data_protection_backup_policy_postgresql_flexible_server": {
        Topic.BACKUPS: (Setting(path="default_retention_rule.life_cycle.duration", wants=present("P7D or longer")),),
    },
    "azurerm_data_protection_backup_vault": {
        Topic.BACKUP_KEY: (
            Setting(
                path="key_vault_key_id",
                wants=KEY,
                on=_beside(
                    "azurerm_data_protection_backup_vault_customer_managed_key", "data_protection_backup_vault_id"
                ),
            ),
        ),
        Topic.KEPT: (
            Setting(path="soft_delete", wants=one_of("On", "AlwaysOn", weaker="Off"), absent_is_right=True),
            Setting(path="immutability", wants=one_of("Locked", "Unlocked", weaker="Disabled")),
        ),
        Topic.ZONES: (
            Setting(path="redundancy", wants=one_of("ZoneRedundant", "GeoRedundant", weaker="LocallyRedundant")),
        ),
    },
    "azurerm_disk_encryption_set": {
        Topic.DISK_KEY: (Setting(path="key_vault_key_id", wants=KEY),),
        Topic.KEY_ROTATION: (Setting(path="auto_key_rotation_enabled", wants=TRUE),),
    },
    "azurerm_eventhub_namespace": {
        Topic.PRIVATE_STORE: (CLOSED,),
        Topic.STATIC_LOGIN: (Setting(path="local_authentication_enabled", wants=FALSE),),
        Topic.TLS_VERSION: (Setting(path="minimum_tls_version", wants=NEW_TLS_NUMBER, absent_is_right=True),),
    },
    "azurerm_key_vault": _VAULT,
    "azurerm_key_vault_key": {
        Topic.KEY_ROTATION: (
            Either(
                (
                    Setting(path="rotation_policy.automatic.time_after_creation", wants=present("P1Y or sooner")),
                    Setting(path="rotation_policy.automatic.time_before_expiry", wants=present("P30D")),
                )
            ),
        ),
        Topic.PROTECTION: KEPT_STANDING,
    },
    "azurerm_key_vault_managed_hardware_security_module": {
        Topic.PRIVATE_STORE: _closed_or("network_acls"),
        Topic.KEY_GRACE: (Setting(path="purge_protection_enabled", wants=TRUE),),
    },
    "azurerm_kubernetes_cluster": _AKS,
    "azurerm_kubernetes_cluster_node_pool": {
        Topic.PRIVATE_MACHINE: (Setting(path="node_public_ip_enabled", wants=FALSE, absent_is_right=True),),
        Topic.ZONES: (Setting(path="zones", wants=zones()),),
    },
    "azurerm_linux_virtual_machine": _MACHINE,
    "azurerm_linux_virtual_machine_scale_set": _MACHINE,
    "azurerm_log_analytics_workspace": {
        Topic.LOG_KEY: (
            Setting(
                path="write_access_id",
                wants=present("a cluster that is under a key of yours"),
                on=_beside("azurerm_log_analytics_linked_service", "workspace_id"),
            ),
        ),
        Topic.LOG_DAYS: (Setting(path="retention_in_days", wants=MONTH, absent_is_right=True),),
        Topic.STATIC_LOGIN: (Setting(path="local_authentication_enabled", wants=FALSE),),
    },
    "azurerm_managed_disk": _DISK,
    "azurerm_managed_redis": _REDIS,
    "azurerm_mssql_server": {
        Topic.PRIVATE_STORE: (CLOSED,),
        Topic.TLS_VERSION: (Setting(path="minimum_tls_version", wants=NEW_TLS_NUMBER, absent_is_right=True),),
        Topic.STATIC_LOGIN: (Setting(path="azuread_administrator.azuread_authentication_only", wants=TRUE),),
    },
    "azurerm_network_interface": {
        Topic.PRIVATE_MACHINE: (
            Setting(path="ip_configuration.public_ip_address_id", wants=NOTHING, absent_is_right=True),
        ),
    },
    "azurerm_postgresql_flexible_server": _SERVER,
    _OF_CONFIGURATION: {
        Topic.TLS: (
            Setting(
                path="value",
                wants=one_of("on", "ON", weaker="off"),
                when=(When(path="name", is_=one_of("require_secure_transport")),),
            ),
        ),
        Topic.TLS_VERSION: (
            Setting(
                path="value",
                wants=one_of("TLSv1.2", "TLSv1.3", weaker="TLSv1"),
                when=(When(path="name", is_=one_of("ssl_min_protocol_version")),),
            ),
        ),
    },
    "azurerm_postgresql_flexible_server_firewall_rule": {
        Topic.CLIENTS: (Setting(path="start_ip_address", wants=CLIENTS),),
    },
    "azurerm_redis_cache": {
        Topic.PRIVATE_STORE: (CLOSED,),
        Topic.TLS: (Setting(path="non_ssl_port_enabled", wants=FALSE, absent_is_right=True),),
        Topic.STATIC_LOGIN: (Setting(path="access_keys_authentication_enabled", wants=FALSE),),
    },
    "azurerm_servicebus_namespace": {
        Topic.STORE_KEY: (Setting(path="customer_managed_key.key_vault_key_id", wants=KEY),),
        Topic.PRIVATE_STORE: (CLOSED,),
        Topic.STATIC_LOGIN: (
            Either(
                (
                    Setting(path="local_authentication_enabled", wants=FALSE),
                    Setting(path="local_auth_enabled", wants=FALSE),  # as above
                )
            ),
        ),
    },
    "azurerm_storage_account": {
        **_ACCOUNT,
        Topic.VERSIONS: (
            Setting(path="blob_properties.versioning_enabled", wants=TRUE, when=FLAT, unless=LOGS_ARE_WRITTEN),
        ),
    },
    "azurerm_storage_container": {
        Topic.PRIVATE_OBJECTS: (
            Setting(path="container_access_type", wants=one_of("private", weaker="blob"), absent_is_right=True),
        ),
    },
    "azurerm_virtual_network": {
        Topic.FLOW_LOGS: (
            Setting(path="enabled", wants=TRUE, on=_beside("azurerm_network_watcher_flow_log", "target_resource_id")),
        ),
    },
}
