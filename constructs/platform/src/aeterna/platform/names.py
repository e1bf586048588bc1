"""Names, ports and labels of what the platform runs: other parts, policies and dashboards repeat them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aeterna.contracts.platform import PlatformSpec

GRAPH_API: Final = "graph-api"
THREADS: Final = "threads"
POLICIES: Final = "policies"
INJECTOR: Final = "injector"
OPAL: Final = "opal"
"""The image of OPAL's server, and its service account."""
OPAL_SERVER: Final = "opal-server"
RELAY: Final = "relay"
MIGRATE: Final = "migrate"
CLEANUP: Final = "cleanup"

# Of the injector: the control plane of a private GKE cluster reaches its pods at 443 and 10250 alone, by the firewall
# rule that GKE makes (Google Cloud, "Firewall rules in GKE"), and below 1024 a process may have to be root.
PORTS: Final = {GRAPH_API: 8081, THREADS: 8082, POLICIES: 8185, INJECTOR: 10250, OPAL_SERVER: 7002}
INJECTOR_HEALTH_PORT: Final = 9182
RELAY_HEALTH_PORT: Final = 9183

WORKLOADS_CONFIG: Final = "aeterna-workloads"
"""The ConfigMap with the document of `aeterna.contracts.workloads`."""
WORKLOADS_FILE: Final = "workloads.json"
INSTALLATION_FILE: Final = "installation.json"
INJECTION_CONFIG: Final = "aeterna-injection"
"""The ConfigMap with what the injector goes by: the installation, and the workloads once more."""
DATABASE_TRUST: Final = "aeterna-database-trust"
"""The ConfigMap with what proves the database."""
CACHE_TRUST: Final = "aeterna-cache-trust"
"""The ConfigMap with what proves the cache, where a public authority does not."""
PUSH_KEYS: Final = "aeterna-push-keys"
BUNDLE_SIGNING: Final = "aeterna-bundle-signing"
OPAL_KEYS: Final = "aeterna-opal"
"""Secrets that External Secrets makes; the platform mounts them and never sees a value."""

NAME: Final = "app.kubernetes.io/name"
INSTANCE: Final = "app.kubernetes.io/instance"
COMPONENT: Final = "app.kubernetes.io/component"
PART_OF: Final = "app.kubernetes.io/part-of"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
VERSION: Final = "app.kubernetes.io/version"


def tls_secret(service: str) -> str:
    """Return the Secret in which the injector keeps the certificate of a service."""
    return f"aeterna-tls-{service}"


def selector(name: str, spec: PlatformSpec) -> dict[str, str]:
    """Return the labels by which the pods of a part are found. They cannot change once a Deployment is made."""
    return {NAME: name, INSTANCE: spec.name}


def labels(name: str, component: str, spec: PlatformSpec) -> dict[str, str]:
    """Return the labels of a part. ``component`` is what it is: ``service``, ``webhook``, ``job``."""
    return {
        **spec.labels,
        **selector(name, spec),
        COMPONENT: component,
        PART_OF: "aeterna",
        MANAGED_BY: "cdktf",
        VERSION: spec.release,
    }
