"""The runtime in a cluster: composed from a spec and a foundation's outputs, on any cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.late import Late
from aeterna.contracts.platform import PlatformOutputs
from aeterna.platform.gateway import Gateway
from aeterna.platform.graph_api import GraphApi
from aeterna.platform.ground import Ground
from aeterna.platform.injector import Injector
from aeterna.platform.jobs import Jobs, Migrations
from aeterna.platform.monitoring import Monitoring
from aeterna.platform.names import GRAPH_API, POLICIES, THREADS
from aeterna.platform.namespace import PlatformNamespace, TenantNamespace
from aeterna.platform.network import Network
from aeterna.platform.opal import Opal
from aeterna.platform.policies import Policies
from aeterna.platform.secrets import Secrets
from aeterna.platform.site import Site
from aeterna.platform.threads import Threads
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.foundation import FoundationOutputs
    from aeterna.contracts.platform import PlatformSpec


@names_itself
class Platform(Construct):
    """Everything of Aeterna that runs in one cluster.

    It is made in this order: namespaces and what keeps their pods apart, the injector, whose certificates every service
    waits for, the schemas, the services, and what looks after them.

    The providers ``kubernetes`` and ``helm`` are the stack's own: see `aeterna.platform.access`.
    """

    def __init__(self, scope: Construct, id_: str, spec: PlatformSpec, *, foundation: FoundationOutputs) -> None:
        super().__init__(scope, id_)
        site = self.site = Site(spec=spec, foundation=foundation)
        own = PlatformNamespace(self, "Namespace", site)
        namespace = Late(str(own.resource.metadata[0].name))
        named = {site.namespace: namespace, **self._tenants(site)}
        Network(self, "Network", site=site, namespaces=named)
        secrets = Secrets(self, "Secrets", site=site, namespace=namespace)
        ground = Ground(self, "Ground", site, namespace=own.resource)
        injector = Injector(self, "Injector", site, after=ground.ready)
        migrations = Migrations(self, "Migrations", site, after=ground.ready)
        after = [*ground.ready, *injector.ready, *migrations.ready, secrets.release.resource]
        GraphApi(self, "GraphApi", site, after=after)
        Threads(self, "Threads", site, digest=ground.digest, after=after)
        Policies(self, "Policies", site, digest=ground.digest, after=after)
        if spec.opal is not None:
            Opal(self, "Opal", site, spec.opal, after=after)
        Jobs(self, "Jobs", site, after=after)
        Gateway(self, "Gateway", site=site, namespace=namespace, after=after)
        if spec.monitoring:
            Monitoring(self, "Monitoring", site=site, namespace=namespace, after=after)
        self.outputs = PlatformOutputs(
            namespace=namespace,
            graph_url=site.url(GRAPH_API),
            threads_url=site.url(THREADS),
            policies_url=site.url(POLICIES),
            gateway_url=f"https://{spec.gateway.host}",
            release=spec.release,
            tenants={name: tenant.name for tenant in spec.tenants for name in tenant.namespaces},
        )

    def _tenants(self, site: Site) -> dict[str, Late]:
        """Make the tenants' namespaces, and return the name of each, for whatever has to wait for it."""
        made = {
            name: TenantNamespace(self, f"Tenant-{name}", name, tenant, site=site)
            for tenant in site.spec.tenants
            for name in tenant.namespaces
        }
        return {name: Late(str(each.resource.metadata[0].name)) for name, each in made.items()}
