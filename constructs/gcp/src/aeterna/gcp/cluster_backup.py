"""Backups of what runs in a cluster, by Backup for GKE, for customers who keep something there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from aeterna.contracts.backup import BackupOutputs
from aeterna.contracts.late import Late
from aeterna.gcp.agents import Agent, service_agent
from aeterna.gcp.exports import at_hours
from aeterna.gcp.l1.gke_backup_backup_plan import GoogleGkeBackupBackupPlan
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.backup import BackupSpec
    from aeterna.contracts.cluster import ClusterOutputs
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace

LONGEST_LOCK_DAYS = 90


class BackedUpCluster(Protocol):
    """A cluster in which Google's agent for backups is switched on."""

    @property
    def location(self) -> str:
        """Its region or zone."""
        ...

    @property
    def outputs(self) -> ClusterOutputs:
        """What it tells."""
        ...


@names_itself
class GkeBackup(Construct):
    """A plan that backs up every namespace of a cluster, with its volumes and secrets, under the key.

    The platform keeps nothing in its cluster, so that a foundation has no such plan. Backups are kept in the place's
    region, which may be another one than the cluster's; the key is of the place's region. A cluster that the customer
    already has needs Google's agent for backups; one of ours has it.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: BackupSpec, *, place: GcpPlace, key: GcpKey, cluster: BackedUpCluster
    ) -> None:
        super().__init__(scope, id_)
        key.require_at("BackupSpec", place.region)
        encrypter = key.grant(
            self, "KeyGrant", service_agent(place, Agent.BACKUP_FOR_GKE), after=[place.service("gkebackup")]
        )
        plan = GoogleGkeBackupBackupPlan(
            self,
            "Resource",
            name=spec.name,
            location=place.region,
            cluster=f"projects/{place.project}/locations/{cluster.location}/clusters/{cluster.outputs.name}",
            backup_config={
                "all_namespaces": True,
                "include_volume_data": True,
                "include_secrets": True,
                "encryption_key": {"gcp_kms_encryption_key": key.id},
            },
            backup_schedule={"cron_schedule": at_hours(first=spec.hour, every=spec.every_hours)},
            retention_policy={
                "backup_retain_days": spec.keep_days,
                "backup_delete_lock_days": min(spec.keep_days, LONGEST_LOCK_DAYS),
            },
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
            depends_on=[place.service("gkebackup"), encrypter],
        )
        self.outputs = BackupOutputs(vault=Late(plan.id))
