"""Backups of a PostgreSQL server into a vault, once the vault may make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.data_protection_backup_instance_postgresql_flexible_server import (
    AzurermDataProtectionBackupInstancePostgresqlFlexibleServer,
)
from aeterna.azure.l1.data_protection_backup_policy_postgresql_flexible_server import (
    AzurermDataProtectionBackupPolicyPostgresqlFlexibleServer,
)
from aeterna.azure.roles import Granted
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.azure.backup import BackupVault, Server
    from aeterna.contracts.backup import BackupSpec

BACK_UP = "PostgreSQL Flexible Server Long Term Retention Backup Role"
READ = "Reader"
"""The vault looks for the server in its resource group (Azure Backup documentation, "Configure backup")."""

WEEK_DAYS = 7
SUNDAY = "2026-01-04"
"""Any Sunday of the past: what repeats begins there."""


@names_itself
class PostgresBackup(Construct):
    """One server's weekly backup, every Sunday."""

    def __init__(self, scope: Construct, id_: str, spec: BackupSpec, *, vault: BackupVault, server: Server) -> None:
        super().__init__(scope, id_)
        read = Granted(self, "Read", role=READ, on=server.place.group_id, to=vault.principal_id)
        back_up = Granted(self, "BackUp", role=BACK_UP, on=server.id, to=vault.principal_id)
        policy = AzurermDataProtectionBackupPolicyPostgresqlFlexibleServer(
            self,
            "Policy",
            name=f"{spec.name}-database",
            vault_id=vault.id,
            backup_repeating_time_intervals=[f"R/{SUNDAY}T{spec.hour:02}:00:00+00:00/P1W"],
            time_zone="UTC",
            default_retention_rule={
                "life_cycle": [{"data_store_type": "VaultStore", "duration": f"P{spec.keep_days}D"}]
            },
            depends_on=vault.ready,
        )
        AzurermDataProtectionBackupInstancePostgresqlFlexibleServer(
            self,
            "Resource",
            name=f"{spec.name}-database",
            location=server.place.location,
            vault_id=vault.id,
            server_id=server.id,
            backup_policy_id=policy.id,
            depends_on=[*read.ready, *back_up.ready],
        )
