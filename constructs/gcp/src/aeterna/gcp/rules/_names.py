"""The limits of Google Cloud's names, from each service's API reference."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Name

_RFC1035: Final = r"[a-z](?:[-a-z0-9]*[a-z0-9])?"
_SUFFIX: Final = 26
"""What the provider appends to a prefix."""


def _named(path: str, longest: int, pattern: str = _RFC1035, *, shortest: int = 1) -> tuple[Name, ...]:
    return (Name(path=path, longest=longest, shortest=shortest, pattern=pattern),)


_COMPUTE: Final = _named("name", 63)

NAMES: Final = {
    "google_alloydb_cluster": _named("cluster_id", 63),
    "google_alloydb_instance": _named("instance_id", 63),
    "google_artifact_registry_repository": _named("repository_id", 63, r"[a-z](?:[a-z0-9-]*[a-z0-9])?"),
    "google_biglake_iceberg_catalog": _named("name", 63, r"[a-z0-9][a-z0-9._-]*"),
    "google_bigquery_dataset": _named("dataset_id", 1024, r"\w+"),
    "google_compute_address": _COMPUTE,
    "google_compute_firewall": _COMPUTE,
    "google_compute_forwarding_rule": _COMPUTE,
    "google_compute_global_address": _COMPUTE,
    "google_compute_network": _COMPUTE,
    "google_compute_global_forwarding_rule": _COMPUTE,
    "google_compute_route": _COMPUTE,
    "google_compute_router": _COMPUTE,
    "google_compute_router_nat": _COMPUTE,
    "google_compute_subnetwork": _COMPUTE,
    "google_container_cluster": _named("name", 40),
    "google_container_node_pool": (
        Name(path="name", longest=40, pattern=_RFC1035),
        Name(path="name_prefix", longest=40 - _SUFFIX, pattern=r"[a-z][-a-z0-9]*"),
    ),
    "google_dns_managed_zone": _COMPUTE,
    "google_gke_backup_backup_plan": _named("name", 63, r"[a-z](?:[-a-z0-9]*[a-z0-9])?"),
    "google_iam_workload_identity_pool": _named("workload_identity_pool_id", 32, r"(?!gcp-)[a-z0-9-]+", shortest=4),
    "google_iam_workload_identity_pool_provider": _named(
        "workload_identity_pool_provider_id", 32, r"(?!gcp-)[a-z0-9-]+", shortest=4
    ),
    "google_kms_crypto_key": _named("name", 63, r"[\w-]+"),
    "google_kms_key_ring": _named("name", 63, r"[\w-]+"),
    "google_logging_project_bucket_config": _named("bucket_id", 100, r"[\w.-]+"),
    "google_logging_project_exclusion": _named("name", 100, r"[\w.-]+"),
    "google_logging_project_sink": _named("name", 100, r"[\w.-]+"),
    "google_memorystore_instance": _named("instance_id", 63, shortest=4),
    "google_project_iam_custom_role": _named("role_id", 64, r"[\w.]+", shortest=3),
    "google_pubsub_subscription": _named("name", 255, r"(?!goog)[a-zA-Z][\w.~+%-]*", shortest=3),
    "google_pubsub_topic": _named("name", 255, r"(?!goog)[a-zA-Z][\w.~+%-]*", shortest=3),
    "google_redis_cluster": _named("name", 63),
    "google_redis_instance": _named("name", 40),
    "google_secret_manager_secret": _named("secret_id", 255, r"[\w-]+"),
    "google_service_account": _named("account_id", 30, r"[a-z](?:[-a-z0-9]*[a-z0-9])", shortest=6),
    "google_sql_database_instance": _named("name", 67),
    "google_storage_bucket": _named("name", 63, r"(?!goog)(?!.*google)[a-z0-9][a-z0-9._-]*[a-z0-9]", shortest=3),
}
