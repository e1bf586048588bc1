"""Namespaces under Pod Security ``restricted``: the platform's own, and those of its tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.injection.names import INJECTION, TENANT
from aeterna.platform.l1.kubernetes.limit_range_v1 import KubernetesLimitRangeV1
from aeterna.platform.l1.kubernetes.namespace_v1 import KubernetesNamespaceV1
from aeterna.platform.l1.kubernetes.resource_quota_v1 import KubernetesResourceQuotaV1
from aeterna.platform.names import INSTANCE, MANAGED_BY, PART_OF

if TYPE_CHECKING:
    from aeterna.contracts.platform import PlatformSpec, TenantSpec
    from aeterna.platform.metadata import Metadata
    from aeterna.platform.site import Site


def namespace_labels(spec: PlatformSpec) -> dict[str, str]:
    """Return the labels that hold every pod of a namespace to ``restricted``, as the newest Kubernetes means it."""
    modes = ("enforce", "audit", "warn")
    return {
        **spec.labels,
        **{f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes},
        **{f"pod-security.kubernetes.io/{mode}-version": "latest" for mode in modes},
        INSTANCE: spec.name,
        PART_OF: "aeterna",
        MANAGED_BY: "cdktf",
    }


class PlatformNamespace(Construct):
    """The namespace of the platform's own pods, which are never injected: the injector is one of them."""

    def __init__(self, scope: Construct, id_: str, site: Site) -> None:
        super().__init__(scope, id_)
        self.resource = KubernetesNamespaceV1(
            self, "Resource", metadata={"name": site.namespace, "labels": namespace_labels(site.spec)}
        )


class TenantNamespace(Construct):
    """A namespace of a tenant: injected, with a quota, and with requests and limits for who forgets them.

    The label of its tenant is for people and dashboards; what counts is the document of workloads.
    """

    def __init__(self, scope: Construct, id_: str, name: str, tenant: TenantSpec, *, site: Site) -> None:
        super().__init__(scope, id_)
        self.resource = KubernetesNamespaceV1(
            self,
            "Resource",
            metadata={
                "name": name,
                "labels": {**namespace_labels(site.spec), INJECTION: "enabled", TENANT: tenant.name},
            },
        )
        sizing = site.sizing
        metadata: Metadata = {"name": "aeterna", "namespace": self.resource.metadata[0].name}
        KubernetesResourceQuotaV1(
            self,
            "Quota",
            metadata=metadata,
            spec={
                "hard": {
                    "pods": str(sizing.quota_pods),
                    "requests.cpu": sizing.quota_cpu,
                    "requests.memory": sizing.quota_memory,
                    "limits.memory": sizing.quota_memory,
                    "services.loadbalancers": "0",
                    "services.nodeports": "0",
                    **tenant.quota,
                }
            },
        )
        KubernetesLimitRangeV1(
            self,
            "Limits",
            metadata=metadata,
            spec={
                "limit": [
                    {
                        "type": "Container",
                        "default_request": {"cpu": "100m", "memory": "256Mi"},
                        "default": {"memory": "256Mi"},
                    }
                ]
            },
        )
