"""What is done once a release or on a schedule: migrations before the services, and what looks after their data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from constructs import Construct

from aeterna.platform.catalog import in_database, proofs, tables
from aeterna.platform.database import connection, trust
from aeterna.platform.environment import prefixed
from aeterna.platform.l1.kubernetes.cron_job_v1 import KubernetesCronJobV1
from aeterna.platform.l1.kubernetes.job_v1 import KubernetesJobV1
from aeterna.platform.l1.kubernetes.service_account_v1 import KubernetesServiceAccountV1
from aeterna.platform.metadata import metadata
from aeterna.platform.names import GRAPH_API, MIGRATE, POLICIES, THREADS, labels
from aeterna.platform.pods import to_arguments
from aeterna.platform.priorities import JOBS
from aeterna.platform.program import Program
from aeterna.platform.rounds import BACKUP, MAINTAIN, round_program
from aeterna.platform.shapes import pod_template
from aeterna.platform.sizing import Resources
from aeterna.platform.templates import PodTemplate
from aeterna.platform.threads import retention
from aeterna.platform.volumes import scratch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable

GRACE: Final = 60
RETRIES: Final = 4
_RESOURCES: Final = Resources(cpu="100m", most_cpu="1", memory="384Mi")
_PREFIXES: Final = {GRAPH_API: "AETERNA_API_", THREADS: "AETERNA_THREADS_", POLICIES: "AETERNA_POLICIES_"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A command of a service's image, run as a service account.

    ``seconds`` is how long it may take, its ``retries`` included. ``retention`` tells it where large parts are.
    """

    service: str
    command: str
    account: str
    seconds: int
    schedule: str | None = None
    retries: int = RETRIES
    retention: bool = False

    @property
    def name(self) -> str:
        """Return its name, which its pods' label has too: never a service's own."""
        return f"{self.service}-{self.command}"

    @property
    def once(self) -> int:
        """Return how many seconds one try may take, so that there is time for the others."""
        return self.seconds // (1 + self.retries) - GRACE


MIGRATIONS: Final = tuple(
    Task(service=service, command=MIGRATE, account=MIGRATE, seconds=900) for service in (THREADS, POLICIES)
)
TABLES: Final = Task(service=GRAPH_API, command=MIGRATE, account=MIGRATE, seconds=900)
"""What is also done where the graphs' catalog is a database."""
SCHEDULED: Final = (
    # The thread store removes by itself what has expired. This tells whether it does, and does it where it cannot.
    Task(service=THREADS, command="cleanup", account=THREADS, seconds=1800, schedule="17 * * * *", retention=True),
    Task(service=POLICIES, command="verify-audit", account=POLICIES, seconds=1800, schedule="41 3 * * *"),
    # Backups are due every six hours. Looked for each hour they are late by one at most, and by two after a failure.
    Task(service=GRAPH_API, command=BACKUP, account=GRAPH_API, seconds=3300, schedule="11 * * * *", retries=1),
    Task(service=GRAPH_API, command=MAINTAIN, account=GRAPH_API, seconds=28800, schedule="29 1 * * *", retries=1),
)
"""Times are UTC, and minutes that few others choose."""


class Migrations(Construct):
    """The schemas of this release, moved forward before a service of it starts; the one before goes on meanwhile.

    A Job cannot be changed, so that each release has one of its own. Where the database was given to the foundation,
    there is no identity that may change it: whoever owns it migrates.
    """

    def __init__(self, scope: Construct, id_: str, site: Site, *, after: Sequence[ITerraformDependable] = ()) -> None:
        super().__init__(scope, id_)
        self.ready: tuple[ITerraformDependable, ...] = ()
        identity = site.identity(MIGRATE)
        if identity is None:
            return
        account = KubernetesServiceAccountV1(
            self,
            "ServiceAccount",
            metadata={**metadata(MIGRATE, "job", site), "annotations": identity.annotations},
            automount_service_account_token=False,
            depends_on=after,
        )
        tasks = (*MIGRATIONS, TABLES) if in_database(site) else MIGRATIONS
        self.ready = tuple(self._job(task, site, [*after, account]) for task in tasks)

    def _job(self, task: Task, site: Site, after: Sequence[ITerraformDependable]) -> KubernetesJobV1:
        digest = hashlib.sha256(f"{site.spec.release}".encode()).hexdigest()[:8]
        named = metadata(task.name, "job", site)
        return KubernetesJobV1(
            self,
            "".join(word.capitalize() for word in task.service.split("-")),
            metadata={**named, "name": f"{task.name}-{digest}"},
            spec={
                "backoff_limit": task.retries,
                "active_deadline_seconds": task.seconds,
                "template": _template(task, site, KubernetesJobV1),
            },
            wait_for_completion=True,
            timeouts={"create": "20m", "update": "20m"},
            depends_on=after,
        )


class Jobs(Construct):
    """What runs on a schedule, each as the service whose data it looks after."""

    def __init__(self, scope: Construct, id_: str, site: Site, *, after: Sequence[ITerraformDependable] = ()) -> None:
        super().__init__(scope, id_)
        for task in SCHEDULED:
            KubernetesCronJobV1(
                self,
                task.name,
                metadata=metadata(task.name, "job", site),
                spec={
                    "schedule": task.schedule or "",
                    "timezone": "Etc/UTC",
                    "concurrency_policy": "Forbid",
                    "starting_deadline_seconds": 600,
                    "successful_jobs_history_limit": 1,
                    "failed_jobs_history_limit": 3,
                    "job_template": {
                        "metadata": {"labels": labels(task.name, "job", site.spec)},
                        "spec": {
                            "backoff_limit": task.retries,
                            "active_deadline_seconds": task.seconds,
                            "template": _template(task, site, KubernetesCronJobV1),
                        },
                    },
                },
                depends_on=after,
            )


def _template(task: Task, site: Site, binding: type[KubernetesJobV1 | KubernetesCronJobV1]) -> Any:  # noqa: ANN401 - a block that was translated from JSON; the schema guided it
    template = PodTemplate(
        name=task.name,
        component="job",
        account=task.account,
        programs=(_program(task, site),),
        priority=JOBS,
        grace=GRACE,
        more={"restartPolicy": "Never"},
    )
    return to_arguments(template.document(site), pod_template(binding), f"{task.name}.template")


def _program(task: Task, site: Site) -> Program:
    if task.command in {BACKUP, MAINTAIN}:
        return round_program(task.command, site, within=task.once)
    return Program(
        name=task.command,
        image=site.image(task.service),
        resources=_RESOURCES,
        settings=prefixed(_PREFIXES[task.service], _settings(task, site)),
        args=(task.command,),
        mounts=(scratch("tmp", "/tmp", "64Mi"), *(proofs(site) if task.service == GRAPH_API else (trust(),))),  # noqa: S108 - a volume of the pod's own
    )


def _settings(task: Task, site: Site) -> dict[str, str]:
    """Return how a task reaches its data, and whom it lets in, without a prefix."""
    serving = {"SERVING_LOGIN": site.login(task.service)} if task.command == MIGRATE else {}
    if task.service == GRAPH_API:
        return {**tables(site, task.account), **serving}
    settings = {**connection(site, task.account), **(retention(site) if task.retention else {}), **serving}
    kept = site.foundation.database.administrator_secret
    if task.command == MIGRATE and kept is not None:
        settings["MIGRATE_SECRET_ARN"] = kept
    return settings
