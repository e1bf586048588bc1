"""The runtime in an environment's cluster, and a team's own agent there, with sidecars composed into its pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.azure.cloud import AZURE
from aeterna.contracts.foundation import FoundationSpec
from aeterna.contracts.injection import Wish
from aeterna.contracts.platform import GatewaySpec, PeopleSpec, PlatformSpec, SecretStoreSpec, TenantSpec
from aeterna.contracts.sizes import Size
from aeterna.platform.access import reach
from aeterna.platform.l1.kubernetes.deployment_v1 import KubernetesDeploymentV1
from aeterna.platform.l1.kubernetes.pod_disruption_budget_v1 import KubernetesPodDisruptionBudgetV1
from aeterna.platform.l1.kubernetes.service_account_v1 import KubernetesServiceAccountV1
from aeterna.platform.sidecars import with_sidecars
from aeterna.stacks.foundation import Foundation
from aeterna.synth.app import TerraformStack
from aeterna.synth.aspects import attach
from aeterna.synth.backends import keep_beside
from aeterna.synth.rules.guardrails import Guardrails

if TYPE_CHECKING:
    from constructs import Construct

    from aeterna.platform.l1.kubernetes.deployment_v1 import KubernetesDeploymentV1SpecTemplateSpecBlock
    from aeterna.platform.platform import Platform
    from aeterna.synth.references import Ref

NAMESPACE = "acme-agents"
AGENT = "helper"
PORT = 8080


def agents(app: Construct) -> Foundation:
    """Compose an environment for trying out, the platform on it, and the stack of a team with one agent.

    Before applying it in earnest, add ``state=StateSpec(...)``. On another cloud, add ``database_authority=`` as well:
    the certificates that its foundation only says the address of.
    """
    foundation = Foundation(
        app,
        "agents",
        cloud=AZURE,
        spec=FoundationSpec(name="agents", region="westeurope", owner="acme", size=Size.DEV),
    )
    platform = foundation.platform(
        PlatformSpec(
            name="agents",
            release="0.3.0",
            size=Size.DEV,
            registry="registry.example.com/aeterna",
            tenants=(TenantSpec(name="acme", namespaces=(NAMESPACE,)),),
            people=PeopleSpec(issuer="https://login.example.com", jwks="https://login.example.com/keys"),
            gateway=GatewaySpec(host="agents.example.com", gateway_class="public", certificate="agents-tls"),
            secrets=SecretStoreSpec(name="vault"),
        )
    )
    Team(app, "agents-team", foundation=foundation, platform=platform)
    return foundation


class Team(TerraformStack):
    """The stack of a team, in the namespace that the platform made for its tenant."""

    def __init__(self, scope: Construct, id_: str, *, foundation: Foundation, platform: Platform) -> None:
        super().__init__(scope, id_)
        keep_beside(self)
        reach(self, foundation.outputs.cluster)
        account = KubernetesServiceAccountV1(
            self, "Account", metadata={"name": AGENT, "namespace": NAMESPACE}, automount_service_account_token=False
        )
        labels = {"app": AGENT}
        agent = KubernetesDeploymentV1(
            self,
            "Helper",
            metadata={"name": AGENT, "namespace": NAMESPACE, "labels": labels},
            spec={
                "replicas": "2",
                "selector": {"match_labels": labels},
                "template": {"metadata": {"labels": labels}, "spec": _pod(account.metadata[0].name, labels)},
            },
        )
        KubernetesPodDisruptionBudgetV1(
            self,
            "Budget",
            metadata={"name": AGENT, "namespace": NAMESPACE},
            spec={"max_unavailable": "1", "selector": {"match_labels": labels}},
        )
        site = platform.site
        with_sidecars(agent, Wish(policy=True), installation=site.installation(), workloads=site.spec.workloads())
        attach(self, Guardrails())


def _pod(account: Ref, labels: dict[str, str]) -> KubernetesDeploymentV1SpecTemplateSpecBlock:
    """Return the team's pod, which says nothing of sidecars."""
    return {
        "service_account_name": account,
        "automount_service_account_token": False,
        "enable_service_links": False,
        "security_context": {
            "run_as_non_root": True,
            "run_as_user": "1000",
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "topology_spread_constraint": [
            {
                "max_skew": 1,
                "topology_key": "topology.kubernetes.io/zone",
                "when_unsatisfiable": "ScheduleAnyway",
                "label_selector": [{"match_labels": labels}],
            }
        ],
        "container": [
            {
                "name": AGENT,
                "image": "registry.example.com/acme/helper:7",
                "port": [{"name": "http", "container_port": PORT}],
                "liveness_probe": {"http_get": {"path": "/live", "port": str(PORT)}},
                "readiness_probe": {"http_get": {"path": "/ready", "port": str(PORT)}},
                "resources": {
                    "requests": {"cpu": "100m", "memory": "256Mi"},
                    "limits": {"cpu": "1", "memory": "256Mi"},
                },
                "security_context": {
                    "allow_privilege_escalation": False,
                    "read_only_root_filesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }
