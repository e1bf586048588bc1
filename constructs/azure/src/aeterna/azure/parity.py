"""What Azure promises of a foundation, and what it does not."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aeterna.contracts.parity import Capability, Supported, Unsupported

if TYPE_CHECKING:
    from aeterna.contracts.parity import Parity

C = Capability


def _by(*evidence: str, note: str = "") -> Supported:
    return Supported(evidence=tuple(f"azurerm_{kind}" for kind in evidence), note=note)


PARITY: Final[Parity] = MappingProxyType(
    {
        C.STATE_STORE: _by(
            "storage_account", "storage_container", "storage_management_policy", note="the lock is a blob's lease"
        ),
        C.STATE_ENCRYPTION: _by("key_vault_key", note="OpenTofu only, with a StateSpec that names the key"),
        C.NETWORK_PRIVATE: _by(
            "virtual_network",
            "subnet",
            "network_security_group",
            note="one subnet of each kind, which Azure spreads over every zone",
        ),
        C.NETWORK_EGRESS: _by("nat_gateway", "public_ip", note="one gateway that stands in every zone at once"),
        C.NETWORK_ENDPOINTS: _by("private_endpoint", "private_dns_zone"),
        C.NETWORK_FLOW_LOGS: _by(
            "network_watcher_flow_log",
            "storage_account",
            note="in a storage account; Log Analytics takes the key only in a dedicated cluster",
        ),
        C.KEY_PURPOSES: _by("key_vault", "key_vault_key"),
        C.KEY_GRANTS: _by("role_assignment", "user_assigned_identity", note="one identity for each use of each key"),
        C.CLUSTER_PRIVATE: _by(
            "kubernetes_cluster",
            note="every address that the network is connected to reaches the API; `api_clients` adds none",
        ),
        C.CLUSTER_SECRETS: _by(
            "kubernetes_cluster", note="after a rotation of the key, write every secret once more (guide)"
        ),
        C.CLUSTER_DISKS: _by("disk_encryption_set", "kubernetes_cluster"),
        C.CLUSTER_LOGS: _by(
            "monitor_diagnostic_setting",
            "storage_account",
            note="in a storage account; Log Analytics takes the key only in a dedicated cluster",
        ),
        C.CLUSTER_AUTOSCALING: _by("kubernetes_cluster"),
        C.CLUSTER_ADMINS: _by("role_assignment", "kubernetes_cluster", note="local accounts are off"),
        C.CLUSTER_BREAK_GLASS: _by(
            "role_assignment",
            note="those named in `break_glass` may give themselves the administrator's role and no other; "
            "without any, whoever gives roles in the subscription",
        ),
        C.WORKLOAD_IDENTITY: _by("user_assigned_identity", "federated_identity_credential"),
        C.DATABASE_HA: _by(
            "postgresql_flexible_server",
            note="the disk grows by itself without an upper bound, and Azure chooses the hour of the backup",
        ),
        C.DATABASE_LOGIN: _by(
            "postgresql_flexible_server",
            "postgresql_flexible_server_active_directory_administrator",
            note="a migration makes the roles, as an identity of its own; nobody has a password",
        ),
        C.DATABASE_TLS: _by("postgresql_flexible_server_configuration"),
        C.DATABASE_KEY: _by("postgresql_flexible_server", "user_assigned_identity"),
        C.DATABASE_PITR: _by("postgresql_flexible_server", note="at least 7 days"),
        C.DATABASE_LOGS: _by("monitor_diagnostic_setting", "storage_account"),
        C.DATABASE_VECTOR: _by("postgresql_flexible_server_configuration"),
        C.CACHE_HA: _by(
            "managed_redis",
            note="Redis of a version that Azure chooses; one copy however many are asked for; it persists twice a "
            "day, of which no history is kept",
        ),
        C.CACHE_LOGIN: _by("managed_redis_access_policy_assignment", note="as the identity's own object"),
        C.CACHE_TLS: _by("managed_redis"),
        C.CACHE_KEY: _by("managed_redis", note="the next apply after a rotation moves it to the new version"),
        C.BUCKET_VERSIONS: _by(
            "storage_account",
            note="deleted files come back, overwritten ones do not: an account with real directories, which REST "
            "servers of a catalog demand, keeps no versions; Iceberg never overwrites a file",
        ),
        C.BUCKET_KEY: _by("storage_account"),
        C.BUCKET_PRIVATE: _by("storage_account", "private_endpoint"),
        C.BUCKET_TLS: _by("storage_account"),
        C.CATALOG: Unsupported(
            reason="Azure has no Iceberg catalog of its own. Graphs have theirs in a database of the PostgreSQL "
            "server, by pyiceberg's SQL catalog. For a REST server of your own there are a filesystem with real "
            "directories and an identity"
        ),
        C.REGISTRY: _by(
            "container_registry",
            note="scanned only where the subscription has Microsoft Defender; deploy by digest, as Azure keeps no "
            "tag in its place",
        ),
        C.BACKUP_VAULT: _by(
            "data_protection_backup_vault",
            "data_protection_backup_vault_customer_managed_key",
            "data_protection_backup_instance_postgresql_flexible_server",
            note="of databases; the provider backs up no account with real directories",
        ),
        C.BACKUP_SIX_HOURS: Unsupported(
            reason="Azure Backup takes a database every week at most; the server itself restores to any second of its "
            "point-in-time days"
        ),
        C.ALERTS: _by(
            "monitor_action_group",
            "monitor_metric_alert",
            note="what is sent holds names and numbers, and cannot be encrypted under the customer's key",
        ),
        C.RECOVERY_DATABASE: _by(
            "postgresql_flexible_server",
            "postgresql_flexible_server_virtual_endpoint",
            "virtual_network_peering",
        ),
        C.RECOVERY_BUCKET: Unsupported(
            reason="Azure copies no account with real directories, which REST servers of a catalog demand, object by "
            "object: it keeps a copy of the whole account in the region that it pairs with the first, under the first "
            "region's key. The second network has endpoints to read it, and the bucket of the second region, under "
            "that region's key, waits for what is restored. `Azure(hierarchical=False)` copies as promised, for "
            "customers with a catalog of their own"
        ),
        C.RECOVERY_BACKUP: Unsupported(
            reason="Azure keeps the backups a second time in the region that it pairs with the first, under the first "
            "region's key; they can be restored there"
        ),
        C.DELETION_PROTECTION: _by(
            "postgresql_flexible_server",
            "kubernetes_cluster",
            "storage_account",
            "key_vault",
            note="refused by the plan; Azure has no such switch, and a lock would be removed first",
        ),
    }
)
"""Every capability, once."""
