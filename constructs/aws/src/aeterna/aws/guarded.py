"""Where AWS's resources say what the neutral rules ask about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.facts import Companion, Either, Setting, Topic, When
from aeterna.synth.rules.wanted import (
    FALSE,
    NOTHING,
    TRUE,
    at_least,
    between,
    holding,
    key,
    matching,
    none_of,
    one_of,
    present,
    without,
    zones,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.synth.rules.facts import Guarded

WEEK: Final = at_least(7, "days")
MONTH: Final = at_least(30, "days")
KEY: Final = key("alias/aws/")
CLIENTS: Final = without("0.0.0.0/0", "::/0", words="the networks that may connect")

PRIMARY: Final = (When(path="replicate_source_db"),)
"""A replica takes its key, its backups and its password from the database that it copies."""
INSIGHTS: Final = (When(path="performance_insights_enabled", is_=TRUE),)
MANAGED: Final = (When(path="manage_master_user_password", is_=TRUE),)
OPEN_SOURCE: Final = (
    When(
        path="engine", is_=matching(r"postgres|mysql|mariadb", words="postgres", right="postgres", weaker="oracle-ee")
    ),
)
"""The engines that know IAM, and whose parameters force TLS."""
POSTGRES: Final = (
    When(path="engine", is_=matching(r".*postgres.*", words="postgres", right="postgres17", weaker="mysql")),
)


def _beside(terraform_type: str, by: str = "bucket") -> Companion:
    return Companion(type=terraform_type, by=by)


_INSTANCE: Final[Guarded] = {
    Topic.STORE_KEY: (
        Setting(path="kms_key_id", wants=KEY, when=PRIMARY),
        Setting(path="storage_encrypted", wants=TRUE, when=PRIMARY),
    ),
    Topic.COPY_KEY: (
        Setting(path="performance_insights_kms_key_id", wants=KEY, when=INSIGHTS),
        Setting(path="master_user_secret_kms_key_id", wants=KEY, when=MANAGED),
    ),
    Topic.PRIVATE_STORE: (Setting(path="publicly_accessible", wants=FALSE),),
    Topic.TLS: (
        Setting(path="parameter_group_name", wants=present("a parameter group that forces TLS"), when=OPEN_SOURCE),
    ),
    Topic.ZONES: (Setting(path="multi_az", wants=TRUE, when=PRIMARY),),
    Topic.PROTECTION: (Setting(path="deletion_protection", wants=TRUE),),
    Topic.BACKUPS: (Setting(path="backup_retention_period", wants=WEEK, when=PRIMARY),),
    Topic.KEPT: (
        Setting(path="skip_final_snapshot", wants=FALSE, when=PRIMARY),
        Setting(path="delete_automated_backups", wants=FALSE, when=PRIMARY),
    ),
    Topic.STATIC_LOGIN: (
        Either(
            (
                Setting(path="manage_master_user_password", wants=TRUE, when=PRIMARY),
                Setting(path="password_wo", wants=present("an ephemeral password"), when=PRIMARY),
            )
        ),
    ),
    Topic.IDENTITY_LOGIN: (Setting(path="iam_database_authentication_enabled", wants=TRUE, when=OPEN_SOURCE),),
    Topic.LOGS: (Setting(path="enabled_cloudwatch_logs_exports", wants=holding("postgresql"), when=POSTGRES),),
    Topic.UPGRADES: (Setting(path="auto_minor_version_upgrade", wants=TRUE, absent_is_right=True),),
}

_CLUSTER_OF_INSTANCES: Final[Guarded] = {
    Topic.STORE_KEY: (Setting(path="kms_key_id", wants=KEY), Setting(path="storage_encrypted", wants=TRUE)),
    Topic.COPY_KEY: (Setting(path="master_user_secret_kms_key_id", wants=KEY, when=MANAGED),),
    Topic.PROTECTION: (Setting(path="deletion_protection", wants=TRUE),),
    Topic.BACKUPS: (Setting(path="backup_retention_period", wants=WEEK),),
    Topic.KEPT: (Setting(path="skip_final_snapshot", wants=FALSE),),
    Topic.STATIC_LOGIN: (
        Either(
            (
                Setting(path="manage_master_user_password", wants=TRUE),
                Setting(path="master_password_wo", wants=present("an ephemeral password")),
            )
        ),
    ),
}

_CACHE: Final[Guarded] = {
    Topic.STORE_KEY: (
        Setting(path="kms_key_id", wants=KEY),
        Setting(path="at_rest_encryption_enabled", wants=TRUE),
    ),
    Topic.TLS: (
        Setting(path="transit_encryption_enabled", wants=TRUE),
        Setting(path="transit_encryption_mode", wants=one_of("required", weaker="preferred"), absent_is_right=True),
    ),
    Topic.ZONES: (
        Setting(path="multi_az_enabled", wants=TRUE),
        Setting(path="automatic_failover_enabled", wants=TRUE),
    ),
    Topic.BACKUPS: (Setting(path="snapshot_retention_limit", wants=WEEK),),
    Topic.KEPT: (Setting(path="final_snapshot_identifier", wants=present("the name of a last snapshot")),),
    Topic.STATIC_LOGIN: (Setting(path="auth_token", wants=NOTHING, absent_is_right=True),),
    Topic.IDENTITY_LOGIN: (Setting(path="user_group_ids", wants=present("a user group")),),
    Topic.LOGS: (Setting(path="log_delivery_configuration.destination", wants=present("a log group")),),
    Topic.UPGRADES: (Setting(path="auto_minor_version_upgrade", wants=TRUE, absent_is_right=True),),
}

_BUCKET_RULE: Final = "rule.apply_server_side_encryption_by_default"
_BUCKET_ENCRYPTION: Final = _beside("aws_s3_bucket_server_side_encryption_configuration")
_PUBLIC_ACCESS: Final = _beside("aws_s3_bucket_public_access_block")

_BUCKET: Final[Guarded] = {
    Topic.STORE_KEY: (
        Setting(path=f"{_BUCKET_RULE}.kms_master_key_id", wants=KEY, on=_BUCKET_ENCRYPTION),
        Setting(
            path=f"{_BUCKET_RULE}.sse_algorithm",
            wants=one_of("aws:kms", "aws:kms:dsse", weaker="AES256"),
            on=_BUCKET_ENCRYPTION,
        ),
    ),
    Topic.PRIVATE_OBJECTS: tuple(
        Setting(path=switch, wants=TRUE, on=_PUBLIC_ACCESS)
        for switch in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    ),
    Topic.VERSIONS: (
        Setting(
            path="versioning_configuration.status",
            wants=one_of("Enabled", weaker="Suspended"),
            on=_beside("aws_s3_bucket_versioning"),
        ),
    ),
    Topic.KEPT: (Setting(path="force_destroy", wants=FALSE, absent_is_right=True),),
}

_EKS: Final[Guarded] = {
    Topic.CLUSTER_KEY: (
        Setting(path="encryption_config.provider.key_arn", wants=KEY),
        Setting(path="encryption_config.resources", wants=holding("secrets")),
    ),
    Topic.PRIVATE_CLUSTER: (
        Setting(path="vpc_config.endpoint_public_access", wants=FALSE),
        Setting(path="vpc_config.endpoint_private_access", wants=TRUE),
    ),
    Topic.CLIENTS: (Setting(path="vpc_config.public_access_cidrs", wants=CLIENTS, absent_is_right=True),),
    Topic.ZONES: (Setting(path="vpc_config.subnet_ids", wants=zones()),),
    Topic.PROTECTION: (Setting(path="deletion_protection", wants=TRUE),),
    Topic.LOGS: (Setting(path="enabled_cluster_log_types", wants=holding("api", "audit", "authenticator")),),
}

_KMS_KEY: Final[Guarded] = {
    Topic.KEY_ROTATION: (
        Setting(
            path="enable_key_rotation",
            wants=TRUE,
            when=(When(path="customer_master_key_spec", is_=one_of("SYMMETRIC_DEFAULT"), absent=True),),
        ),
        Setting(path="rotation_period_in_days", wants=between(90, 366), absent_is_right=True),
    ),
    Topic.KEY_GRACE: (Setting(path="deletion_window_in_days", wants=between(7, 30), absent_is_right=True),),
    Topic.PROTECTION: (Setting(path="lifecycle.prevent_destroy", wants=TRUE),),
}

_DISKS: Final = "block_device_mappings.ebs"

_REGISTRY: Final[Guarded] = {
    Topic.STORE_KEY: (
        Setting(path="encryption_configuration.kms_key", wants=KEY),
        Setting(path="encryption_configuration.encryption_type", wants=one_of("KMS", "KMS_DSSE", weaker="AES256")),
    ),
    Topic.IMMUTABLE: (
        Setting(
            path="image_tag_mutability",
            wants=one_of("IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", weaker="MUTABLE"),
        ),
    ),
    Topic.SCANNING: (Setting(path="image_scanning_configuration.scan_on_push", wants=TRUE),),
    Topic.KEPT: (Setting(path="force_delete", wants=FALSE, absent_is_right=True),),
}

_LISTENER: Final[Guarded] = {
    Topic.TLS: (
        Either(
            (
                Setting(path="protocol", wants=one_of("HTTPS", "TLS", weaker="HTTP")),
                Setting(path="default_action.redirect.protocol", wants=one_of("HTTPS", weaker="HTTP")),
            )
        ),
    ),
    Topic.TLS_VERSION: (
        Setting(
            path="ssl_policy",
            wants=matching(
                r"ELBSecurityPolicy-(?:TLS13-1-[23]|TLS-1-2|FS-1-2).*",
                words="ELBSecurityPolicy-TLS13-1-2-2021-06 or newer",
                right="ELBSecurityPolicy-TLS13-1-2-2021-06",
                weaker="ELBSecurityPolicy-2016-08",
            ),
            when=(When(path="protocol", is_=one_of("HTTPS", "TLS")),),
        ),
    ),
}


def _store(path: str, **more: tuple[Setting, ...]) -> Guarded:
    """Return what a plain store has to say: its key, and what else is given by topic."""
    return {Topic.STORE_KEY: (Setting(path=path, wants=KEY),), **{Topic[name]: said for name, said in more.items()}}


GUARDED: Final[Mapping[str, Guarded]] = {
    "aws_athena_workgroup": {
        Topic.COPY_KEY: (
            Setting(path="configuration.result_configuration.encryption_configuration.kms_key_arn", wants=KEY),
        )
    },
    "aws_backup_plan": {Topic.BACKUPS: (Setting(path="rule.lifecycle.delete_after", wants=WEEK),)},
    "aws_backup_vault": {
        Topic.BACKUP_KEY: (Setting(path="kms_key_arn", wants=KEY),),
        Topic.KEPT: (
            Setting(path="force_destroy", wants=FALSE, absent_is_right=True),
            Setting(
                path="min_retention_days",
                wants=at_least(1, "day"),
                on=_beside("aws_backup_vault_lock_configuration", "backup_vault_name"),
            ),
        ),
    },
    "aws_cloudtrail": {
        Topic.LOG_KEY: (Setting(path="kms_key_id", wants=KEY),),
        Topic.LOGS: (Setting(path="enable_log_file_validation", wants=TRUE),),
    },
    "aws_cloudwatch_log_group": {
        Topic.LOG_KEY: (Setting(path="kms_key_id", wants=KEY),),
        Topic.LOG_DAYS: (Setting(path="retention_in_days", wants=MONTH),),
    },
    "aws_db_instance": _INSTANCE,
    "aws_db_instance_automated_backups_replication": {
        Topic.BACKUP_KEY: (Setting(path="kms_key_id", wants=KEY),),
        Topic.BACKUPS: (Setting(path="retention_period", wants=WEEK, absent_is_right=True),),
    },
    "aws_db_parameter_group": {
        Topic.TLS: (
            Setting(
                path="parameter[name=rds.force_ssl].value",
                wants=one_of("1", weaker="0"),
                when=(
                    When(
                        path="family", is_=matching(r"postgres.*", words="postgres", right="postgres17", weaker="mysql")
                    ),
                ),
            ),
        )
    },
    "aws_db_proxy": {Topic.TLS: (Setting(path="require_tls", wants=TRUE),)},
    "aws_docdb_cluster": _CLUSTER_OF_INSTANCES,
    "aws_dynamodb_table": _store(
        "server_side_encryption.kms_key_arn",
        POINT_IN_TIME=(Setting(path="point_in_time_recovery.enabled", wants=TRUE),),
        PROTECTION=(Setting(path="deletion_protection_enabled", wants=TRUE),),
    ),
    "aws_ebs_volume": {Topic.DISK_KEY: (Setting(path="kms_key_id", wants=KEY), Setting(path="encrypted", wants=TRUE))},
    "aws_ecr_repository": _REGISTRY,
    "aws_efs_file_system": _store("kms_key_id"),
    "aws_eks_cluster": _EKS,
    "aws_eks_node_group": {
        Topic.ZONES: (Setting(path="subnet_ids", wants=zones()),),
        Topic.STATIC_LOGIN: (Setting(path="remote_access?.ec2_ssh_key", wants=NOTHING, absent_is_right=True),),
    },
    "aws_elasticache_replication_group": _CACHE,
    "aws_elasticache_serverless_cache": _store(
        "kms_key_id",
        BACKUPS=(Setting(path="snapshot_retention_limit", wants=WEEK),),
        IDENTITY_LOGIN=(Setting(path="user_group_id", wants=present("a user group")),),
    ),
    "aws_elasticache_user": {
        Topic.STATIC_LOGIN: (
            Setting(
                path="authentication_mode.type",
                wants=one_of("iam", weaker="password"),
                when=(When(path="access_string", is_=none_of("off ~* -@all", "off -@all", words="on"), absent=True),),
            ),
            Setting(path="passwords", wants=NOTHING, absent_is_right=True),
        ),
    },
    "aws_glue_data_catalog_encryption_settings": _store(
        "data_catalog_encryption_settings.encryption_at_rest.sse_aws_kms_key_id"
    ),
    "aws_instance": {
        Topic.DISK_KEY: (Setting(path="root_block_device.kms_key_id", wants=KEY),),
        Topic.PRIVATE_MACHINE: (Setting(path="associate_public_ip_address", wants=FALSE),),
        Topic.STATIC_LOGIN: (Setting(path="key_name", wants=NOTHING, absent_is_right=True),),
    },
    "aws_kinesis_stream": _store("kms_key_id"),
    "aws_kms_key": _KMS_KEY,
    "aws_kms_replica_key": {
        Topic.KEY_GRACE: (Setting(path="deletion_window_in_days", wants=between(7, 30), absent_is_right=True),),
    },
    "aws_launch_template": {
        Topic.DISK_KEY: (
            Setting(path=f"{_DISKS}.kms_key_id", wants=KEY),
            Setting(path=f"{_DISKS}.encrypted", wants=TRUE),
        ),
        Topic.PRIVATE_MACHINE: (
            Setting(path="network_interfaces?.associate_public_ip_address", wants=FALSE, absent_is_right=True),
        ),
        Topic.STATIC_LOGIN: (Setting(path="key_name", wants=NOTHING, absent_is_right=True),),
    },
    "aws_lb": {Topic.PROTECTION: (Setting(path="enable_deletion_protection", wants=TRUE),)},
    "aws_lb_listener": _LISTENER,
    "aws_memorydb_cluster": _store(
        "kms_key_arn",
        TLS=(Setting(path="tls_enabled", wants=TRUE, absent_is_right=True),),
        BACKUPS=(Setting(path="snapshot_retention_limit", wants=WEEK),),
    ),
    "aws_neptune_cluster": _store(
        "kms_key_arn",
        PROTECTION=(Setting(path="deletion_protection", wants=TRUE),),
        BACKUPS=(Setting(path="backup_retention_period", wants=WEEK),),
    ),
    "aws_opensearch_domain": _store(
        "encrypt_at_rest.kms_key_id",
        TLS=(Setting(path="domain_endpoint_options.enforce_https", wants=TRUE),),
        ZONES=(Setting(path="cluster_config.zone_awareness_enabled", wants=TRUE),),
        PRIVATE_STORE=(Setting(path="vpc_options.subnet_ids", wants=present("subnets")),),
    ),
    "aws_prometheus_workspace": {Topic.LOG_KEY: (Setting(path="kms_key_arn", wants=KEY),)},
    "aws_rds_cluster": {
        **_CLUSTER_OF_INSTANCES,
        Topic.IDENTITY_LOGIN: (Setting(path="iam_database_authentication_enabled", wants=TRUE),),
        Topic.LOGS: (Setting(path="enabled_cloudwatch_logs_exports", wants=holding("postgresql"), when=POSTGRES),),
    },
    "aws_rds_cluster_instance": {
        Topic.COPY_KEY: (Setting(path="performance_insights_kms_key_id", wants=KEY, when=INSIGHTS),),
        Topic.PRIVATE_STORE: (Setting(path="publicly_accessible", wants=FALSE),),
        Topic.UPGRADES: (Setting(path="auto_minor_version_upgrade", wants=TRUE, absent_is_right=True),),
    },
    "aws_redshift_cluster": _store(
        "kms_key_id",
        PRIVATE_STORE=(Setting(path="publicly_accessible", wants=FALSE),),
        KEPT=(Setting(path="skip_final_snapshot", wants=FALSE, absent_is_right=True),),
    ),
    "aws_s3_bucket": _BUCKET,
    "aws_s3tables_table_bucket": _store(
        "encryption_configuration.kms_key_arn",
        KEPT=(Setting(path="force_destroy", wants=FALSE, absent_is_right=True),),
    ),
    "aws_secretsmanager_secret": _store(
        "kms_key_id",
        KEPT=(Setting(path="recovery_window_in_days", wants=between(7, 30), absent_is_right=True),),
    ),
    "aws_sns_topic": _store("kms_master_key_id"),
    "aws_sqs_queue": _store("kms_master_key_id"),
    "aws_ssm_parameter": {
        Topic.STORE_KEY: (Setting(path="key_id", wants=KEY, when=(When(path="type", is_=one_of("SecureString")),)),)
    },
    "aws_subnet": {
        Topic.PRIVATE_MACHINE: (Setting(path="map_public_ip_on_launch", wants=FALSE, absent_is_right=True),),
    },
    "aws_vpc": {
        Topic.FLOW_LOGS: (
            Setting(path="traffic_type", wants=one_of("ALL", weaker="ACCEPT"), on=_beside("aws_flow_log", "vpc_id")),
        )
    },
}
