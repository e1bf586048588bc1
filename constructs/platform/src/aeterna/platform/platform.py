"""The runtime in a cluster: composed from a spec and a foundation's outputs, on any cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.platform.digest import digest_of
from aeterna.platform.graph_api import GraphApi
from aeterna.platform.l1.kubernetes.config_map_v1 import KubernetesConfigMapV1
from aeterna.platform.metadata import metadata
from aeterna.platform.names import WORKLOADS_CONFIG, WORKLOADS_FILE
from aeterna.platform.namespace import PlatformNamespace, TenantNamespace
from aeterna.platform.priorities import Priorities
from aeterna.platform.site import Site
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.foundation import FoundationOutputs
    from aeterna.contracts.platform import PlatformSpec


@names_itself
class Platform(Construct):
    """Everything of Aeterna that runs in one cluster.

    The providers ``kubernetes`` and ``helm`` are the stack's own: see `aeterna.platform.access`.
    """

    def __init__(self, scope: Construct, id_: str, spec: PlatformSpec, *, foundation: FoundationOutputs) -> None:
        super().__init__(scope, id_)
        site = Site(spec=spec, foundation=foundation)
        namespace = PlatformNamespace(self, "Namespace", site)
        tenants = {
            name: TenantNamespace(self, f"Tenant-{name}", name, tenant, site=site)
            for tenant in spec.tenants
            for name in tenant.namespaces
        }
        self.namespaces = {
            spec.namespace: namespace.resource,
            **{name: each.resource for name, each in tenants.items()},
        }
        priorities = Priorities(self, "Priorities", site)
        workloads = KubernetesConfigMapV1(
            self,
            "Workloads",
            metadata=metadata(WORKLOADS_CONFIG, "configuration", site),
            data={WORKLOADS_FILE: spec.workloads().document()},
            depends_on=[namespace.resource],
        )
        ready = [namespace.resource, *priorities.ready, workloads]
        GraphApi(self, "GraphApi", site, digest=digest_of(workloads), after=ready)
