"""What Google Cloud promises of a foundation, and what it does not."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aeterna.contracts.parity import Capability, Supported

if TYPE_CHECKING:
    from aeterna.contracts.parity import Parity

C = Capability


def _by(*evidence: str, note: str = "") -> Supported:
    return Supported(evidence=tuple(f"google_{kind}" for kind in evidence), note=note)


PARITY: Final[Parity] = MappingProxyType(
    {
        C.STATE_STORE: _by("storage_bucket", note="Cloud Storage locks a state by itself"),
        C.STATE_ENCRYPTION: _by("kms_crypto_key", note="OpenTofu only, with a StateSpec that names the key"),
        C.NETWORK_PRIVATE: _by("compute_network", "compute_subnetwork", note="one subnet spans all zones of a region"),
        C.NETWORK_EGRESS: _by(
            "compute_router_nat", "compute_address", note="a service of the region: losing a zone does not stop it"
        ),
        C.NETWORK_ENDPOINTS: _by("compute_global_forwarding_rule", "dns_managed_zone"),
        C.NETWORK_FLOW_LOGS: _by("compute_subnetwork", "logging_project_bucket_config"),
        C.KEY_PURPOSES: _by("kms_crypto_key", "kms_key_ring"),
        C.KEY_GRANTS: _by("kms_crypto_key_iam_member"),
        C.CLUSTER_PRIVATE: _by("container_cluster"),
        C.CLUSTER_SECRETS: _by("container_cluster"),
        C.CLUSTER_DISKS: _by("container_node_pool"),
        C.CLUSTER_LOGS: _by(
            "logging_project_bucket_config",
            "logging_project_sink",
            "logging_project_exclusion",
            note="but for the record of changes, which Google keeps for 400 days in a bucket that cannot be changed",
        ),
        C.CLUSTER_AUTOSCALING: _by("container_node_pool"),
        C.CLUSTER_ADMINS: _by("project_iam_member", note="by IAM, in every cluster of the project"),
        C.CLUSTER_BREAK_GLASS: _by(
            "service_account",
            note="an account to act as; IAM cannot ask for a second factor there, so require one of who may",
        ),
        C.WORKLOAD_IDENTITY: _by("service_account", "service_account_iam_member"),
        C.DATABASE_HA: _by("sql_database_instance"),
        C.DATABASE_LOGIN: _by("sql_user", note="migrations log in with a token as well: there is no password at all"),
        C.DATABASE_TLS: _by("sql_database_instance", "dns_record_set"),
        C.DATABASE_KEY: _by("sql_database_instance"),
        C.DATABASE_PITR: _by(
            "sql_database_instance", note="more than 7 days back needs, and gets, the edition Enterprise Plus"
        ),
        C.DATABASE_LOGS: _by("logging_project_bucket_config", "logging_project_sink"),
        C.DATABASE_VECTOR: _by("sql_database_instance", note="Cloud SQL allows every extension that it has"),
        C.CACHE_HA: _by("memorystore_instance"),
        C.CACHE_LOGIN: _by(
            "memorystore_instance",
            "project_iam_member",
            note="one user for all, each with a token of its own; the engine's logs cannot be had",
        ),
        C.CACHE_TLS: _by("memorystore_instance"),
        C.CACHE_KEY: _by("memorystore_instance"),
        C.BUCKET_VERSIONS: _by("storage_bucket"),
        C.BUCKET_KEY: _by("storage_bucket"),
        C.BUCKET_PRIVATE: _by("storage_bucket"),
        C.BUCKET_TLS: _by(
            "storage_bucket", note="a bucket that grants nothing to the public answers nobody who sends no token"
        ),
        C.CATALOG: _by("biglake_iceberg_catalog", "biglake_iceberg_namespace"),
        C.REGISTRY: _by("artifact_registry_repository"),
        C.BACKUP_VAULT: _by(
            "storage_bucket",
            "cloud_scheduler_job",
            "workflows_workflow",
            note="a bucket that keeps what it has for a time; Google's own vault takes no database under your key",
        ),
        C.BACKUP_SIX_HOURS: _by("cloud_scheduler_job", "storage_transfer_job", note="whole exports, and a mirror"),
        C.ALERTS: _by("monitoring_alert_policy", "monitoring_notification_channel", "pubsub_topic"),
        C.RECOVERY_DATABASE: _by("sql_database_instance", "compute_forwarding_rule"),
        C.RECOVERY_BUCKET: _by("storage_bucket", "storage_transfer_job"),
        C.RECOVERY_BACKUP: _by("storage_bucket", "storage_transfer_job"),
        C.DELETION_PROTECTION: _by("sql_database_instance", "container_cluster", "storage_bucket"),
    }
)
"""Every capability, once."""
