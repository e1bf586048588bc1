"""What AWS promises of a foundation, and what it does not."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aeterna.contracts.parity import Capability, Supported

if TYPE_CHECKING:
    from aeterna.contracts.parity import Parity

C = Capability


def _by(*evidence: str, note: str = "") -> Supported:
    return Supported(evidence=tuple(f"aws_{kind}" for kind in evidence), note=note)


PARITY: Final[Parity] = MappingProxyType(
    {
        C.STATE_STORE: _by("s3_bucket", "s3_bucket_versioning", note="the lock is an object of S3's own"),
        C.STATE_ENCRYPTION: _by("kms_key", note="OpenTofu only, with a StateSpec that names the key"),
        C.NETWORK_PRIVATE: _by("vpc", "subnet", "default_security_group"),
        C.NETWORK_EGRESS: _by("nat_gateway", "eip"),
        C.NETWORK_ENDPOINTS: _by("vpc_endpoint"),
        C.NETWORK_FLOW_LOGS: _by("flow_log"),
        C.KEY_PURPOSES: _by("kms_key", "kms_alias"),
        C.KEY_GRANTS: _by(
            "kms_key", note="in the key's policy, each bound by condition; workloads only through a service"
        ),
        C.CLUSTER_PRIVATE: _by("eks_cluster"),
        C.CLUSTER_SECRETS: _by("eks_cluster"),
        C.CLUSTER_DISKS: _by("launch_template"),
        C.CLUSTER_LOGS: _by("cloudwatch_log_group"),
        C.CLUSTER_AUTOSCALING: _by(
            "eks_node_group",
            "eks_pod_identity_association",
            note="bounds and the autoscaler's identity; the controller is installed with the platform",
        ),
        C.CLUSTER_ADMINS: _by("eks_access_entry", "eks_access_policy_association"),
        C.CLUSTER_BREAK_GLASS: _by("iam_role"),
        C.WORKLOAD_IDENTITY: _by("eks_pod_identity_association"),
        C.DATABASE_HA: _by("db_instance"),
        C.DATABASE_LOGIN: _by("db_instance", "iam_role_policy"),
        C.DATABASE_TLS: _by("db_parameter_group"),
        C.DATABASE_KEY: _by("db_instance"),
        C.DATABASE_PITR: _by("db_instance"),
        C.DATABASE_LOGS: _by("db_instance", "cloudwatch_log_group"),
        C.DATABASE_VECTOR: _by("db_instance", note="RDS allows every extension that it has"),
        C.CACHE_HA: _by("elasticache_replication_group"),
        C.CACHE_LOGIN: _by("elasticache_user", "elasticache_user_group"),
        C.CACHE_TLS: _by("elasticache_replication_group"),
        C.CACHE_KEY: _by("elasticache_replication_group"),
        C.BUCKET_VERSIONS: _by("s3_bucket_versioning", "s3_bucket_lifecycle_configuration"),
        C.BUCKET_KEY: _by("s3_bucket_server_side_encryption_configuration"),
        C.BUCKET_PRIVATE: _by("s3_bucket_public_access_block", "s3_bucket_ownership_controls"),
        C.BUCKET_TLS: _by("s3_bucket_policy"),
        C.CATALOG: _by("glue_catalog_database"),
        C.REGISTRY: _by("ecr_repository", "ecr_lifecycle_policy"),
        C.BACKUP_VAULT: _by("backup_vault", "backup_vault_lock_configuration", note="governance lock"),
        C.BACKUP_SIX_HOURS: _by("backup_plan", "backup_selection"),
        C.ALERTS: _by("cloudwatch_metric_alarm", "sns_topic"),
        C.RECOVERY_DATABASE: _by("db_instance"),
        C.RECOVERY_BUCKET: _by("s3_bucket_replication_configuration"),
        C.RECOVERY_BACKUP: _by("backup_vault", "backup_plan"),
        C.DELETION_PROTECTION: _by("db_instance", "eks_cluster", "s3_bucket", "backup_vault"),
    }
)
"""Every capability, once."""
