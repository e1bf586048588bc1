"""What watches the platform: where Prometheus finds metrics, the alerts on the product's promises, the dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs import Construct

from aeterna.contracts.injection.names import TRUST_CONFIG_MAP
from aeterna.platform.names import GRAPH_API, POLICIES, THREADS
from aeterna.platform.releases import ChartRelease, chart_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.late import Late
    from aeterna.contracts.platform import PlatformSpec
    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable

HTTPS: Final = "https"
"""The port of a Service at which it also tells its metrics."""
POLICY_HEALTH: Final = "policy-health"
SECRETS_HEALTH: Final = "secrets-health"
HEALTH: Final = "health"
RELAY_HEALTH: Final = "relay-health"
"""Names of the ports at which pods tell theirs in the clear."""


class Monitoring(Construct):
    """The chart ``monitoring``, for a cluster that has the Prometheus operator."""

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, namespace: Late, after: Sequence[ITerraformDependable] = ()
    ) -> None:
        super().__init__(scope, id_)
        spec = site.spec
        self.release = ChartRelease(
            self,
            "Release",
            "monitoring",
            namespace=namespace,
            values={
                "labels": chart_labels(spec),
                "authority": TRUST_CONFIG_MAP,
                "services": [{"name": name, "port": HTTPS} for name in (GRAPH_API, POLICIES, THREADS)],
                "pods": _pods(spec),
            },
            after=after,
        )


def _pods(spec: PlatformSpec) -> list[dict[str, Any]]:
    tenants = sorted(name for tenant in spec.tenants for name in tenant.namespaces)
    found: list[dict[str, Any]] = [
        {"name": "health", "port": HEALTH, "namespaces": [spec.namespace]},
        {"name": "policy-sidecars", "port": POLICY_HEALTH, "namespaces": sorted([spec.namespace, *tenants])},
    ]
    if spec.opal is not None:
        found.append({"name": "relays", "port": RELAY_HEALTH, "namespaces": [spec.namespace]})
    if tenants:
        found.append({"name": "secrets-sidecars", "port": SECRETS_HEALTH, "namespaces": tenants})
    return found
