"""Exports of a database into a vault, every so many hours, each under a name of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from aeterna.gcp.l1.cloud_scheduler_job import GoogleCloudSchedulerJob
from aeterna.gcp.l1.project_iam_custom_role import GoogleProjectIamCustomRole
from aeterna.gcp.l1.project_iam_member import GoogleProjectIamMember
from aeterna.gcp.l1.service_account import GoogleServiceAccount
from aeterna.gcp.l1.workflows_workflow import GoogleWorkflowsWorkflow
from aeterna.gcp.suffixes import unused_suffix
from aeterna.gcp.vault import EXPORTS
from aeterna.gcp.waiting import settled
from aeterna.synth.expressions import escaped

if TYPE_CHECKING:
    from aeterna.contracts.late import Late
    from aeterna.gcp.place import GcpPlace
    from aeterna.gcp.vault import GcsVault
    from aeterna.synth._cdk import ITerraformDependable

WRITE = ("roles/storage.objectCreator", "roles/storage.legacyBucketReader")
PERMISSIONS = ("cloudsql.instances.export", "cloudsql.instances.get")
HOURS_A_DAY = 24
LONGEST_EXPORT_SECONDS = 86400

PROGRAM = {
    "main": {
        "steps": [
            {
                "export": {
                    "call": "googleapis.sqladmin.v1.instances.export",
                    "args": {
                        "project": '${sys.get_env("PROJECT")}',
                        "instance": '${sys.get_env("INSTANCE")}',
                        "connector_params": {"timeout": LONGEST_EXPORT_SECONDS},
                        "body": {
                            "exportContext": {
                                "fileType": "SQL",
                                "offload": True,
                                "databases": ['${sys.get_env("DATABASE")}'],
                                "uri": '${sys.get_env("FOLDER") + "/" + time.format(sys.now()) + ".sql.gz"}',
                            }
                        },
                    },
                }
            }
        ]
    }
}
"""Exports without a load on the server, and waits: a failed export is a failed execution, which an alarm can see."""


class ExportedDatabase(Protocol):
    """A database that can be exported."""

    @property
    def database(self) -> Late:
        """The name of the database on the server."""
        ...

    @property
    def instance_name(self) -> Late:
        """The server's name."""
        ...

    @property
    def service_account(self) -> Late:
        """The address of the account as which the server writes."""
        ...


class DatabaseExports(Construct):
    """Writes a whole export of one database into the vault, at fixed hours.

    The account that asks for it may ask for exports and nothing else; the one that writes, the server's own, may add
    objects to the vault and neither replace nor delete any.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        place: GcpPlace,
        vault: GcsVault,
        database: ExportedDatabase,
        schedule: str,
    ) -> None:
        super().__init__(scope, id_)
        writer = vault.grant(self, "Write", f"serviceAccount:{database.service_account}", *WRITE)
        account = GoogleServiceAccount(
            self,
            "Account",
            account_id=f"export-{unused_suffix(self, 'Suffix')}",
            display_name=f"Asks for exports into {name}",
            depends_on=[place.service("iam")],
        )
        workflow = GoogleWorkflowsWorkflow(
            self,
            "Resource",
            name=f"{name}-export",
            region=place.region,
            description=f"Exports a database into the vault {name}",
            service_account=account.email,
            source_contents=escaped(json.dumps(PROGRAM)),
            call_log_level="LOG_ERRORS_ONLY",
            deletion_protection=False,
            user_env_vars={
                "PROJECT": place.project,
                "INSTANCE": database.instance_name,
                "DATABASE": database.database,
                "FOLDER": f"{vault.url}/{EXPORTS}{database.instance_name}",
            },
            depends_on=[*writer, self._may_ask(place, account), place.service("workflows")],
        )
        GoogleCloudSchedulerJob(
            self,
            "Schedule",
            name=f"{name}-export",
            region=place.region,
            description=f"Starts the export into the vault {name}",
            schedule=schedule,
            time_zone="Etc/UTC",
            retry_config={"retry_count": 3},
            http_target={
                "uri": f"https://workflowexecutions.googleapis.com/v1/{workflow.id}/executions",
                "http_method": "POST",
                "oauth_token": {"service_account_email": account.email},
            },
            depends_on=[place.service("cloudscheduler"), place.service("workflowexecutions")],
        )

    def _may_ask(self, place: GcpPlace, account: GoogleServiceAccount) -> ITerraformDependable:
        role = GoogleProjectIamCustomRole(
            self,
            "Role",
            project=place.project,
            role_id=f"aeternaExport_{unused_suffix(self, 'RoleSuffix')}",
            title="Exports databases",
            permissions=PERMISSIONS,
            depends_on=[place.service("iam")],
        )
        member = f"serviceAccount:{account.email}"
        exports = GoogleProjectIamMember(self, "Exports", project=place.project, role=role.name, member=member)
        starts = GoogleProjectIamMember(
            self, "Starts", project=place.project, role="roles/workflows.invoker", member=member
        )
        return settled(self, "Known", after=[exports, starts])


def at_hours(*, first: int, every: int) -> str:
    """Return the schedule that starts at an hour of the day and goes on every so many hours."""
    hours = sorted((first + step) % HOURS_A_DAY for step in range(0, HOURS_A_DAY, every))
    return f"0 {','.join(map(str, hours))} * * *"
