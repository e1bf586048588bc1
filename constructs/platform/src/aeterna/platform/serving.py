"""A part of the platform that serves: its pods, how they are found, and what they survive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from constructs import Construct

from aeterna.platform.l1.kubernetes.deployment_v1 import KubernetesDeploymentV1
from aeterna.platform.l1.kubernetes.horizontal_pod_autoscaler_v2 import KubernetesHorizontalPodAutoscalerV2
from aeterna.platform.l1.kubernetes.pod_disruption_budget_v1 import KubernetesPodDisruptionBudgetV1
from aeterna.platform.l1.kubernetes.service_account_v1 import KubernetesServiceAccountV1
from aeterna.platform.l1.kubernetes.service_v1 import KubernetesServiceV1
from aeterna.platform.metadata import metadata
from aeterna.platform.names import PORTS, selector
from aeterna.platform.pods import to_arguments
from aeterna.platform.program import Program
from aeterna.platform.shapes import pod_template
from aeterna.platform.templates import PodTemplate
from aeterna.synth.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.platform.l1.kubernetes.horizontal_pod_autoscaler_v2 import (
        KubernetesHorizontalPodAutoscalerV2SpecBehaviorBlock as Behavior,
    )
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

_BEHAVIOR: Final[Behavior] = {
    # As Kubernetes has it by default: what it fills in, each plan would want to take away again.
    "scale_up": [
        {
            "stabilization_window_seconds": 0,
            "select_policy": "Max",
            "policy": [
                {"type": "Pods", "value": 4, "period_seconds": 15},
                {"type": "Percent", "value": 100, "period_seconds": 15},
            ],
        }
    ],
    "scale_down": [
        {
            "stabilization_window_seconds": 300,
            "select_policy": "Min",
            "policy": [{"type": "Pods", "value": 1, "period_seconds": 60}],
        }
    ],
}
"""How fast the autoscaler adds pods, and how slowly it takes them away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What serves under one name.

    ``account`` is the service account, which is its name unless its identity in the cloud has another one.
    ``decides`` and ``digest`` are as in `PodTemplate`. ``sticky`` sends a client to the same pod each time.
    """

    name: str
    programs: tuple[Program, ...]
    priority: str
    component: str = "service"
    account: str | None = None
    decides: bool = True
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
        part = self._part
        template = PodTemplate(
            name=part.name,
            component=part.component,
            account=part.service_account,
            programs=part.programs,
            priority=part.priority,
            grace=GRACE,
            decides=part.decides,
            digest=part.digest,
            more={"topologySpreadConstraints": self._spread()},
        )
        return template.document(self._site)

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
                "behavior": _BEHAVIOR,
            },
            depends_on=[self.deployment],
        )
