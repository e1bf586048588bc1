"""The way in from outside of the cluster: a Gateway that ends TLS, routes to the services, and TLS to each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs import Construct

from aeterna.contracts.injection.names import TRUST_CONFIG_MAP
from aeterna.platform.names import GRAPH_API, POLICIES, PORTS, THREADS
from aeterna.platform.releases import ChartRelease, chart_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.contracts.late import Late
    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable

ROUTES: Final[Mapping[str, tuple[str, ...]]] = {
    GRAPH_API: ("/api/v1/graph", "/api/v1/knowledge", "/mcp"),
    POLICIES: ("/api/v1/policies",),
    THREADS: (
        "/.well-known/jwks.json",
        "/api/v1/audit",
        "/api/v1/dead-letters",
        "/api/v1/erasures",
        "/api/v1/holds",
        "/api/v1/leases",
        "/api/v1/runners",
        "/api/v1/tasks",
        "/api/v1/threads",
        "/api/v1/usage",
    ),
}
"""What of each service can be reached from outside: not its health, its metrics, or what is between replicas."""


class Gateway(Construct):
    """The chart ``gateway``; ``after`` are the services that it leads to."""

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, namespace: Late, after: Sequence[ITerraformDependable] = ()
    ) -> None:
        super().__init__(scope, id_)
        spec = site.spec
        self.release = ChartRelease(
            self,
            "Release",
            "gateway",
            namespace=namespace,
            values={
                "labels": chart_labels(spec),
                "host": spec.gateway.host,
                "gatewayClass": spec.gateway.gateway_class,
                "certificate": spec.gateway.certificate,
                "authority": TRUST_CONFIG_MAP,
                "streams": spec.gateway.streams,
                "services": [
                    {"name": name, "port": PORTS[name], "prefixes": list(prefixes)} for name, prefixes in ROUTES.items()
                ],
            },
            after=after,
        )
