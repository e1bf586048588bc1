"""The types of Google Cloud that carry labels, and where: those of the bound schema, and some that customers add."""

from __future__ import annotations

from typing import Final

_TYPES: Final = """
    alloydb_backup alloydb_cluster alloydb_instance artifact_registry_repository backup_dr_backup_vault
    bigquery_dataset certificate_manager_certificate certificate_manager_dns_authorization compute_address
    compute_disk compute_forwarding_rule compute_global_address compute_global_forwarding_rule compute_instance
    compute_instance_template compute_security_policy dataproc_metastore_service dns_managed_zone
    filestore_instance gke_backup_backup_plan gke_backup_restore_plan gke_hub_membership kms_crypto_key
    memorystore_instance network_connectivity_service_connection_policy privateca_ca_pool pubsub_subscription
    pubsub_topic redis_cluster redis_instance secret_manager_regional_secret secret_manager_secret
    spanner_instance storage_bucket workflows_workflow
"""

TAGS: Final = {f"google_{name}": "labels" for name in _TYPES.split()} | {
    "google_container_cluster": "resource_labels",
    "google_monitoring_alert_policy": "user_labels",
    "google_monitoring_uptime_check_config": "user_labels",
    "google_sql_database_instance": "settings.user_labels",
}
