"""A part of the platform that serves: its pods, how they are found, and what they survive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from constructs import Construct

from aeterna.platform.hardening import CONTAINER, POD
from aeterna.platform.l1.kubernetes.deployment_v1 import KubernetesDeploymentV1
from aeterna.platform.l1.kubernetes.horizontal_pod_autoscaler_v2 import KubernetesHorizontalPodAutoscalerV2
from aeterna.platform.l1.kubernetes.pod_disruption_budget_v1 import KubernetesPodDisruptionBudgetV1
from aeterna.platform.l1.kubernetes.service_account_v1 import KubernetesServiceAccountV1
from aeterna.platform.l1.kubernetes.service_v1 import KubernetesServiceV1
from aeterna.platform.metadata import metadata
from aeterna.platform.names import PORTS, labels, selector
from aeterna.platform.pods import to_arguments
from aeterna.platform.shapes import pod_template
from aeterna.platform.sizing import Resources
from aeterna.platform.volumes import Mounted
from aeterna.synth.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.platform.metadata import Metadata
    from aeterna.platform.pods import Json
    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable

DRAIN_DELAY: Final = 5
"""Seconds for which a process that stops goes on serving, until nobody sends to it any more."""
DRAIN_TIMEOUT: Final = 30
GRACE: Final = DRAIN_DELAY + DRAIN_TIMEOUT + 15
"""Until a pod is killed; the sidecars stop after the containers, within the same time."""
BUSY: Final = 70
"""Per cent of the CPU that was asked for, above which pods are added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """Where a container says how it is: ``/live`` and ``/ready``."""

    port: int
    scheme: str = "HTTPS"

    def document(self) -> Json:
        """Return the container's probes. A start may take two minutes; after it, half a minute of silence ends it."""
        return {
            "startupProbe": {**self._get("/live"), "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 60},
            "livenessProbe": {**self._get("/live"), "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
            "readinessProbe": {**self._get("/ready"), "periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 2},
        }

    def _get(self, path: str) -> Json:
        return {"httpGet": {"path": path, "port": self.port, "scheme": self.scheme}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A container of the platform: what it runs and with what settings.

    ``ports`` are by name. ``fields`` are settings that the pod itself knows, such as its address, by the path of the
    field.
    """

    name: str
    image: str
    resources: Resources
    settings: Mapping[str, str]
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    args: tuple[str, ...] = ()
    mounts: tuple[Mounted, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict[str, int])
    probed: Probed | None = None

    def document(self) -> Json:
        """Return the container."""
        told: list[Json] = [{"name": name, "value": value} for name, value in sorted(self.settings.items())]
        known: list[Json] = [
            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in sorted(self.fields.items())
        ]
        container: Json = {
            "name": self.name,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "env": [*told, *known],
            "resources": self.resources.document(),
            "securityContext": CONTAINER,
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": [each.mount() for each in self.mounts],
        }
        if self.args:
            container["args"] = list(self.args)
        if self.ports:
            container["ports"] = [
                {"name": name, "containerPort": port, "protocol": "TCP"} for name, port in self.ports.items()
            ]
        return container if self.probed is None else {**container, **self.probed.document()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What serves under one name.

    ``account`` is the service account, which is its name unless its identity in the cloud has another one.
    ``digest`` changes with the files that are mounted, so that pods are replaced when those change.
    """

    name: str
    programs: tuple[Program, ...]
    priority: str
    component: str = "service"
    account: str | None = None
    digest: str | None = None
    sticky: bool = False
    app_protocol: str = "https"

    @property
    def service_account(self) -> str:
        """Return the name of the service account."""
        return self.account or self.name


class Serving(Construct):
    """A Deployment over the zones, with the Service in front of it and what keeps enough of its pods running.

    ``after`` has to be there before a pod can start.
    """

    def __init__(
        self, scope: Construct, id_: str, part: Part, *, site: Site, after: Sequence[ITerraformDependable] = ()
    ) -> None:
        super().__init__(scope, id_)
        self._part, self._site = part, site
        self._scale = site.scale(part.name)
        named = metadata(part.name, part.component, site)
        account = self._service_account(named)
        elastic = self._scale.most > self._scale.fewest
        self.deployment = KubernetesDeploymentV1(
            self,
            "Resource",
            metadata=named,
            spec=self._spec(),
            wait_for_rollout=True,
            timeouts={"create": "15m", "update": "15m"},
            depends_on=[account, *after],
            # The autoscaler's from the first minute on: an apply in a busy hour would take pods away.
            lifecycle=Lifecycle(ignore_changes=["spec[0].replicas"]) if elastic else Lifecycle(),
        )
        self.service = KubernetesServiceV1(self, "Service", metadata=named, spec=self._service())
        if self._scale.fewest > 1:
            KubernetesPodDisruptionBudgetV1(
                self,
                "Budget",
                metadata=named,
                spec={"max_unavailable": "1", "selector": {"match_labels": selector(part.name, site.spec)}},
            )
        if elastic:
            self._autoscaler(named)

    def _service_account(self, named: Metadata) -> KubernetesServiceAccountV1:
        identity = self._site.identity(self._part.service_account)
        return KubernetesServiceAccountV1(
            self,
            "ServiceAccount",
            metadata={
                **named,
                "name": self._part.service_account,
                "annotations": {} if identity is None else identity.annotations,
            },
            automount_service_account_token=False,
        )

    def _spec(self) -> Any:  # noqa: ANN401 - a block that was translated from JSON; the schema guided it
        part, site = self._part, self._site
        return {
            "replicas": str(self._scale.fewest),
            "revision_history_limit": 5,
            "min_ready_seconds": 5,
            "progress_deadline_seconds": 600,
            "selector": {"match_labels": selector(part.name, site.spec)},
            # One more first, then one less: while a release is rolled out, nobody notices.
            "strategy": {"type": "RollingUpdate", "rolling_update": {"max_surge": "1", "max_unavailable": "0"}},
            "template": to_arguments(self.pod(), pod_template(KubernetesDeploymentV1), f"{part.name}.template"),
        }

    def pod(self) -> Json:
        """Return the template of its pods, as Kubernetes has it."""
        part, site = self._part, self._site
        identity = site.identity(part.service_account)
        annotations = {} if part.digest is None else {"aeterna.io/config": part.digest}
        mounted = {each.name: each.volume() for program in part.programs for each in program.mounts}
        return {
            "metadata": {
                "labels": {
                    **labels(part.name, part.component, site.spec),
                    **({} if identity is None else identity.pod_labels),
                },
                "annotations": annotations,
            },
            "spec": {
                "serviceAccountName": part.service_account,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "priorityClassName": part.priority,
                "securityContext": POD,
                "terminationGracePeriodSeconds": GRACE,
                "topologySpreadConstraints": self._spread(),
                "containers": [program.document() for program in part.programs],
                "volumes": list(mounted.values()),
            },
        }

    def _spread(self) -> list[Json]:
        """Spread the pods of one release over zones and machines; a zone that is gone is no zone to balance."""
        required = self._site.sizing.zones_required
        constraint: Json = {
            "maxSkew": 1,
            "labelSelector": {"matchLabels": selector(self._part.name, self._site.spec)},
            "matchLabelKeys": ["pod-template-hash"],
            "nodeTaintsPolicy": "Honor",
        }
        return [
            {
                **constraint,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule" if required else "ScheduleAnyway",
            },
            {**constraint, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"},
        ]

    def _service(self) -> Any:  # noqa: ANN401 - the block of a Service; checked by the schema at the provider
        part, port = self._part, PORTS[self._part.name]
        service: dict[str, object] = {
            "type": "ClusterIP",
            "selector": selector(part.name, self._site.spec),
            "port": [
                {
                    "name": part.app_protocol,
                    "port": port,
                    "target_port": str(port),
                    "protocol": "TCP",
                    "app_protocol": part.app_protocol,
                }
            ],
        }
        if part.sticky:
            service["session_affinity"] = "ClientIP"
        return service

    def _autoscaler(self, named: Metadata) -> None:
        """Add pods as soon as they are busy, and take them away a few at a time once they have been idle for long."""
        container = self._part.programs[0].name
        KubernetesHorizontalPodAutoscalerV2(
            self,
            "Autoscaler",
            metadata=named,
            spec={
                "min_replicas": self._scale.fewest,
                "max_replicas": self._scale.most,
                "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": self._part.name},
                "metric": [
                    {
                        "type": "ContainerResource",
                        "container_resource": {
                            "container": container,
                            "name": "cpu",
                            "target": {"type": "Utilization", "average_utilization": BUSY},
                        },
                    }
                ],
                "behavior": {
                    "scale_down": [
                        {
                            "stabilization_window_seconds": 300,
                            "select_policy": "Min",
                            "policy": [{"type": "Pods", "value": 1, "period_seconds": 60}],
                        }
                    ]
                },
            },
            depends_on=[self.deployment],
        )
