"""Where Google Cloud's resources say what the neutral rules ask about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.facts import Either, Setting, Topic, When
from aeterna.synth.rules.wanted import (
    FALSE,
    NOTHING,
    TRUE,
    at_least,
    holding,
    key,
    matching,
    none_of,
    one_of,
    present,
    seconds_at_least,
    seconds_at_most,
    without,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.synth.rules.facts import Guarded

WEEK: Final = at_least(7, "days")
MONTH: Final = at_least(30, "days")
KEY: Final = key()
CLIENTS: Final = without("0.0.0.0/0", "::/0", words="the networks that may connect")
REGION: Final = matching(
    r"[a-z]+-[a-z]+\d+", words="a region, not a zone", right="europe-west1", weaker="europe-west1-b"
)

PRIMARY: Final = (When(path="master_instance_name"),)
"""A copy takes its backups from the server that it copies, and within a region its key as well."""
POSTGRES: Final = (
    When(
        path="database_version", is_=matching(r"POSTGRES.*", words="POSTGRES", right="POSTGRES_17", weaker="MYSQL_8_0")
    ),
    When(path="instance_type", is_=none_of("READ_POOL_INSTANCE", words="a server"), absent=True),
)
_SQL: Final = "settings.backup_configuration"
_ADDRESS: Final = "settings.ip_configuration"

_SERVER: Final[Guarded] = {
    Topic.STORE_KEY: (Setting(path="encryption_key_name", wants=KEY, when=PRIMARY),),
    Topic.PRIVATE_STORE: (Setting(path=f"{_ADDRESS}.ipv4_enabled", wants=FALSE),),
    Topic.CLIENTS: (Setting(path=f"{_ADDRESS}?.authorized_networks?.value", wants=CLIENTS, absent_is_right=True),),
    Topic.TLS: (
        Setting(
            path=f"{_ADDRESS}.ssl_mode",
            wants=one_of(
                "ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED", weaker="ALLOW_UNENCRYPTED_AND_ENCRYPTED"
            ),
        ),
    ),
    Topic.ZONES: (Setting(path="settings.availability_type", wants=one_of("REGIONAL", weaker="ZONAL"), when=PRIMARY),),
    Topic.PROTECTION: (
        Setting(path="deletion_protection", wants=TRUE, absent_is_right=True),
        Setting(path="settings.deletion_protection_enabled", wants=TRUE),
    ),
    Topic.BACKUPS: (
        Setting(path=f"{_SQL}.enabled", wants=TRUE, when=PRIMARY),
        Setting(path=f"{_SQL}.backup_retention_settings.retained_backups", wants=WEEK, when=PRIMARY),
    ),
    Topic.POINT_IN_TIME: (Setting(path=f"{_SQL}.point_in_time_recovery_enabled", wants=TRUE, when=PRIMARY),),
    Topic.KEPT: (Setting(path="settings.retain_backups_on_delete", wants=TRUE, when=PRIMARY),),
    Topic.STATIC_LOGIN: (Setting(path="root_password", wants=NOTHING, absent_is_right=True),),
    Topic.IDENTITY_LOGIN: (
        Setting(
            path="settings.database_flags[name=cloudsql.iam_authentication].value",
            wants=one_of("on", weaker="off"),
            when=POSTGRES,
        ),
    ),
    Topic.LOGS: tuple(
        Setting(path=f"settings.database_flags[name={flag}].value", wants=one_of("on", weaker="off"), when=POSTGRES)
        for flag in ("log_connections", "log_disconnections")
    ),
}

_PROVISIONED: Final = "cluster_autoscaling.auto_provisioning_defaults"
PROVISIONING: Final = (
    When(path="cluster_autoscaling.enabled", is_=TRUE),
    When(path="enable_autopilot", is_=TRUE),
)
"""Either has the cluster make pools by itself."""
STANDARD: Final = (When(path="enable_autopilot", is_=FALSE, absent=True),)
"""On Autopilot some things are always on, and cannot be said."""

_GKE: Final[Guarded] = {
    Topic.CLUSTER_KEY: (
        Setting(path="database_encryption.key_name", wants=KEY),
        Setting(
            path="database_encryption.state",
            wants=one_of("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED", weaker="DECRYPTED"),
        ),
    ),
    Topic.DISK_KEY: (
        Setting(path="node_config?.boot_disk_kms_key", wants=KEY),
        *(Setting(path=f"{_PROVISIONED}.boot_disk_kms_key", wants=KEY, when=(when,)) for when in PROVISIONING),
    ),
    Topic.PRIVATE_CLUSTER: (
        Either(
            (
                Setting(path="private_cluster_config.enable_private_endpoint", wants=TRUE),
                Setting(path="control_plane_endpoints_config.ip_endpoints_config.enabled", wants=FALSE),
            )
        ),
    ),
    Topic.PRIVATE_MACHINE: (Setting(path="private_cluster_config.enable_private_nodes", wants=TRUE),),
    Topic.CLIENTS: (
        Setting(path="master_authorized_networks_config?.cidr_blocks?.cidr_block", wants=CLIENTS, absent_is_right=True),
    ),
    Topic.ZONES: (Setting(path="location", wants=REGION),),
    Topic.PROTECTION: (Setting(path="deletion_protection", wants=TRUE, absent_is_right=True),),
    Topic.WORKLOAD_IDENTITY: (
        Setting(path="workload_identity_config.workload_pool", wants=present("PROJECT.svc.id.goog"), when=STANDARD),
    ),
    Topic.LOGS: (
        Setting(path="logging_config.enable_components", wants=holding("SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER")),
    ),
    Topic.UPGRADES: (
        Setting(
            path="release_channel.channel",
            wants=none_of("UNSPECIFIED", words="REGULAR, STABLE, RAPID or EXTENDED"),
            when=STANDARD,
        ),
    ),
}

_CACHE: Final[Guarded] = {
    Topic.STORE_KEY: (Setting(path="kms_key", wants=KEY),),
    Topic.TLS: (
        Setting(
            path="transit_encryption_mode",
            wants=one_of(
                "SERVER_AUTHENTICATION",
                "TRANSIT_ENCRYPTION_MODE_SERVER_AUTHENTICATION",
                weaker="TRANSIT_ENCRYPTION_DISABLED",
            ),
        ),
    ),
    Topic.IDENTITY_LOGIN: (
        Setting(path="authorization_mode", wants=one_of("IAM_AUTH", "AUTH_MODE_IAM_AUTH", weaker="AUTH_DISABLED")),
    ),
    Topic.ZONES: (
        Setting(
            path="zone_distribution_config?.mode",
            wants=one_of("MULTI_ZONE", weaker="SINGLE_ZONE"),
            absent_is_right=True,
        ),
        Setting(path="replica_count", wants=at_least(1, "replica")),
    ),
    Topic.BACKUPS: (Setting(path="automated_backup_config.retention", wants=seconds_at_least(7)),),
}

_BUCKET: Final[Guarded] = {
    Topic.STORE_KEY: (Setting(path="encryption.default_kms_key_name", wants=KEY),),
    Topic.PRIVATE_OBJECTS: (Setting(path="public_access_prevention", wants=one_of("enforced", weaker="inherited")),),
    Topic.VERSIONS: (
        Either(
            (
                Setting(path="versioning.enabled", wants=TRUE),
                # A bucket that lets nothing be overwritten has no versions.
                Setting(path="retention_policy.retention_period", wants=at_least(1, "second")),
            )
        ),
    ),
    Topic.KEPT: (Setting(path="force_destroy", wants=FALSE, absent_is_right=True),),
}

_OF_SYMMETRIC: Final = (When(path="purpose", is_=one_of("ENCRYPT_DECRYPT"), absent=True),)

_CRYPTO_KEY: Final[Guarded] = {
    Topic.KEY_ROTATION: (Setting(path="rotation_period", wants=seconds_at_most(366), when=_OF_SYMMETRIC),),
    Topic.KEY_GRACE: (Setting(path="destroy_scheduled_duration", wants=seconds_at_least(7), absent_is_right=True),),
    Topic.PROTECTION: (Setting(path="lifecycle.prevent_destroy", wants=TRUE),),
}

_OF_IMAGES: Final = (
    When(path="format", is_=one_of("DOCKER")),
    When(path="mode", is_=one_of("STANDARD_REPOSITORY"), absent=True),
)

_REGISTRY: Final[Guarded] = {
    Topic.STORE_KEY: (Setting(path="kms_key_name", wants=KEY),),
    Topic.IMMUTABLE: (Setting(path="docker_config.immutable_tags", wants=TRUE, when=_OF_IMAGES),),
    Topic.SCANNING: (
        Setting(
            path="vulnerability_scanning_config.enablement_config",
            wants=one_of("INHERITED", weaker="DISABLED"),
            when=_OF_IMAGES,
        ),
    ),
}

_ALLOY: Final[Guarded] = {
    Topic.STORE_KEY: (Setting(path="encryption_config.kms_key_name", wants=KEY),),
    Topic.BACKUP_KEY: (
        Setting(path="automated_backup_policy?.encryption_config.kms_key_name", wants=KEY),
        Setting(path="continuous_backup_config?.encryption_config.kms_key_name", wants=KEY),
    ),
    Topic.POINT_IN_TIME: (Setting(path="continuous_backup_config?.enabled", wants=TRUE, absent_is_right=True),),
    Topic.PROTECTION: (Setting(path="deletion_protection", wants=TRUE, absent_is_right=True),),
    Topic.STATIC_LOGIN: (Setting(path="initial_user?.password", wants=NOTHING, absent_is_right=True),),
}

_SUBNETWORK_KINDS: Final = (When(path="purpose", is_=one_of("PRIVATE"), absent=True),)
_MACHINE_ADDRESS: Final = Setting(path="network_interface.access_config", wants=NOTHING, absent_is_right=True)


def _store(path: str) -> Guarded:
    return {Topic.STORE_KEY: (Setting(path=path, wants=KEY),)}


GUARDED: Final[Mapping[str, Guarded]] = {
    "google_alloydb_cluster": _ALLOY,
    "google_alloydb_instance": {
        Topic.PRIVATE_STORE: (Setting(path="network_config?.enable_public_ip", wants=FALSE, absent_is_right=True),),
        Topic.TLS: (
            Setting(
                path="client_connection_config?.ssl_config?.ssl_mode",
                wants=one_of("ENCRYPTED_ONLY", weaker="ALLOW_UNENCRYPTED_AND_ENCRYPTED"),
                absent_is_right=True,
            ),
        ),
        Topic.ZONES: (
            Setting(
                path="availability_type",
                wants=one_of("REGIONAL", weaker="ZONAL"),
                when=(When(path="instance_type", is_=one_of("PRIMARY")),),
            ),
        ),
    },
    "google_artifact_registry_repository": _REGISTRY,
    "google_backup_dr_backup_vault": {
        Topic.BACKUP_KEY: (Setting(path="encryption_config.kms_key_name", wants=KEY),),
        Topic.BACKUPS: (Setting(path="backup_minimum_enforced_retention_duration", wants=seconds_at_least(1)),),
    },
    "google_bigquery_dataset": {
        **_store("default_encryption_configuration.kms_key_name"),
        Topic.KEPT: (Setting(path="delete_contents_on_destroy", wants=FALSE, absent_is_right=True),),
    },
    "google_compute_disk": {Topic.DISK_KEY: (Setting(path="disk_encryption_key.kms_key_self_link", wants=KEY),)},
    "google_compute_firewall": {
        Topic.CLIENTS: (
            Setting(
                path="source_ranges",
                wants=CLIENTS,
                absent_is_right=True,
                when=(
                    When(path="allow", is_=present("something")),
                    When(path="direction", is_=none_of("EGRESS", words="INGRESS"), absent=True),
                    When(path="disabled", is_=FALSE, absent=True),
                ),
            ),
        )
    },
    "google_compute_instance": {
        Topic.DISK_KEY: (Setting(path="boot_disk.kms_key_self_link", wants=KEY),),
        Topic.PRIVATE_MACHINE: (_MACHINE_ADDRESS,),
    },
    "google_compute_instance_template": {
        Topic.DISK_KEY: (Setting(path="disk.disk_encryption_key.kms_key_self_link", wants=KEY),),
        Topic.PRIVATE_MACHINE: (_MACHINE_ADDRESS,),
    },
    "google_compute_router_nat": {Topic.FLOW_LOGS: (Setting(path="log_config.enable", wants=TRUE),)},
    "google_compute_ssl_policy": {
        Topic.TLS_VERSION: (Setting(path="min_tls_version", wants=one_of("TLS_1_2", "TLS_1_3", weaker="TLS_1_0")),)
    },
    "google_compute_subnetwork": {
        Topic.FLOW_LOGS: (
            Setting(path="log_config.aggregation_interval", wants=present("an interval"), when=_SUBNETWORK_KINDS),
        )
    },
    "google_container_cluster": _GKE,
    "google_container_node_pool": {
        Topic.DISK_KEY: (Setting(path="node_config.boot_disk_kms_key", wants=KEY),),
        Topic.PRIVATE_MACHINE: (
            Setting(path="network_config?.enable_private_nodes", wants=TRUE, absent_is_right=True),
        ),
        Topic.UPGRADES: (
            Setting(path="management.auto_upgrade", wants=TRUE),
            Setting(path="management.auto_repair", wants=TRUE),
        ),
    },
    "google_dataproc_metastore_service": _store("encryption_config.kms_key"),
    "google_filestore_instance": _store("kms_key_name"),
    "google_gke_backup_backup_plan": {
        Topic.BACKUP_KEY: (Setting(path="backup_config.encryption_key.gcp_kms_encryption_key", wants=KEY),),
        Topic.BACKUPS: (Setting(path="retention_policy.backup_retain_days", wants=WEEK),),
    },
    "google_kms_crypto_key": _CRYPTO_KEY,
    "google_logging_project_bucket_config": {
        Topic.LOG_KEY: (Setting(path="cmek_settings.kms_key_name", wants=KEY),),
        Topic.LOG_DAYS: (Setting(path="retention_days", wants=MONTH),),
    },
    "google_memorystore_instance": _CACHE,
    "google_pubsub_topic": _store("kms_key_name"),
    "google_redis_cluster": _CACHE,
    "google_redis_instance": {
        Topic.STORE_KEY: (Setting(path="customer_managed_key", wants=KEY),),
        Topic.TLS: (Setting(path="transit_encryption_mode", wants=one_of("SERVER_AUTHENTICATION", weaker="DISABLED")),),
        Topic.ZONES: (Setting(path="tier", wants=one_of("STANDARD_HA", weaker="BASIC")),),
    },
    "google_secret_manager_regional_secret": _store("customer_managed_encryption.kms_key_name"),
    "google_secret_manager_secret": {
        Topic.STORE_KEY: (
            Either(
                (
                    Setting(path="replication.auto.customer_managed_encryption.kms_key_name", wants=KEY),
                    Setting(
                        path="replication.user_managed.replicas.customer_managed_encryption.kms_key_name", wants=KEY
                    ),
                )
            ),
        )
    },
    "google_spanner_database": _store("encryption_config.kms_key_name"),
    "google_sql_database_instance": _SERVER,
    "google_sql_user": {Topic.STATIC_LOGIN: (Setting(path="password", wants=NOTHING, absent_is_right=True),)},
    "google_storage_bucket": _BUCKET,
}
