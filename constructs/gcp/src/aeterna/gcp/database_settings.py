"""What a server of Cloud SQL is told to be: its machine, its address, its backups and its windows of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.gcp.database_machine import flags, machine, maintenance_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.contracts.database import DatabaseSpec
    from aeterna.contracts.late import Late
    from aeterna.gcp.l1.sql_database_instance import (
        GoogleSqlDatabaseInstanceSettingsBackupConfigurationBlock,
        GoogleSqlDatabaseInstanceSettingsBlock,
        GoogleSqlDatabaseInstanceSettingsIpConfigurationPscConfigBlock,
    )
    from aeterna.gcp.network import GcpNetwork

AUTHORITY = "GOOGLE_MANAGED_CAS_CA"
"""One authority a region signs for every server; each server's own would change with the server."""

FINAL_BACKUP_DAYS = 30
PLANS_A_MINUTE = 5
LONGEST_QUERY = 1024


def settings(
    spec: DatabaseSpec,
    *,
    network: GcpNetwork,
    availability: str,
    backups: GoogleSqlDatabaseInstanceSettingsBackupConfigurationBlock,
    labels: Mapping[str, str],
    copied_for: Late | None = None,
) -> GoogleSqlDatabaseInstanceSettingsBlock:
    """Return the settings of a server; of a copy where the project ``copied_for`` may make endpoints for it.

    A copy has neither a window for maintenance, which Cloud SQL does together with its source's, nor a final backup.
    """
    chosen = machine(spec)
    told: GoogleSqlDatabaseInstanceSettingsBlock = {
        # Left out, it is the larger edition for new versions, and the tiers of the smaller one are refused.
        "edition": chosen.edition,
        "tier": chosen.tier,
        "availability_type": availability,
        "disk_type": "PD_SSD",
        "disk_size": spec.storage_gib,
        "disk_autoresize": True,
        "disk_autoresize_limit": spec.most_storage_gib,
        "deletion_protection_enabled": spec.protected,
        "retain_backups_on_delete": True,
        "user_labels": dict(labels) or None,
        "database_flags": [{"name": name, "value": value} for name, value in flags(spec).items()],
        "ip_configuration": {
            "ipv4_enabled": False,
            "private_network": network.network_id,
            "ssl_mode": "ENCRYPTED_ONLY",
            "server_ca_mode": AUTHORITY,
            "enable_private_path_for_google_cloud_services": True,
            "psc_config": [] if copied_for is None else [_endpoints(copied_for)],
        },
        "backup_configuration": backups,
        "insights_config": {
            "query_insights_enabled": True,
            "query_plans_per_minute": PLANS_A_MINUTE,
            "query_string_length": LONGEST_QUERY,
            "record_application_tags": True,
            "record_client_address": True,
        },
    }
    if copied_for is None:
        told["final_backup_config"] = {"enabled": True, "retention_days": FINAL_BACKUP_DAYS}
        told["maintenance_window"] = {
            "day": maintenance_day(spec),
            "hour": spec.maintenance_hour,
            "update_track": "stable",
        }
    return told


def backups(spec: DatabaseSpec, *, region: str) -> GoogleSqlDatabaseInstanceSettingsBackupConfigurationBlock:
    """Return the backups of a primary: a daily one, and the log between them for as far back as the spec wants.

    The oldest point of the log needs the backup of the day before it.
    """
    return {
        "enabled": True,
        "start_time": f"{spec.backup_hour:02}:00",
        "location": region,
        "point_in_time_recovery_enabled": True,
        "transaction_log_retention_days": spec.backup_days,
        "backup_retention_settings": {"retained_backups": spec.backup_days + 1, "retention_unit": "COUNT"},
    }


def _endpoints(project: Late) -> GoogleSqlDatabaseInstanceSettingsIpConfigurationPscConfigBlock:
    return {"psc_enabled": True, "allowed_consumer_projects": [project]}
