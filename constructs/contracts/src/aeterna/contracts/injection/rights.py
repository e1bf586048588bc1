"""What the injector may do in a cluster, and nothing else (RBAC): for the platform, and for the tests that hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.contracts.injection.names import TRUST_CONFIG_MAP, WEBHOOK

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVICES: Final = ("injector", "graph-api", "threads", "policies")
"""The services that the injector gives certificates, unless it is told of others."""
AUTHORITY_SECRET: Final = "aeterna-authority"  # noqa: S105 - the name of a Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One rule of a Role or ClusterRole: of a resource, of its objects of certain ``names``, or of ``urls``."""

    verbs: tuple[str, ...]
    group: str = ""
    resource: str = ""
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    def manifest(self) -> dict[str, list[str]]:
        """Return the rule as Kubernetes has it."""
        if self.urls:
            return {"nonResourceURLs": list(self.urls), "verbs": list(self.verbs)}
        rule = {"apiGroups": [self.group], "resources": [self.resource], "verbs": list(self.verbs)}
        return rule | {"resourceNames": list(self.names)} if self.names else rule


def serving_secret(service: str) -> str:
    """Return the name of the Secret with a service's certificate."""
    return f"aeterna-tls-{service}"


def in_own_namespace(services: Sequence[str] = SERVICES) -> tuple[Right, ...]:
    """Return the rights in the platform's namespace; to make something is a right that knows no names."""
    secrets = (AUTHORITY_SECRET, *(serving_secret(each) for each in services))
    return (
        Right(resource="secrets", verbs=("create",)),
        Right(resource="secrets", verbs=("get", "patch"), names=secrets),
        Right(group="coordination.k8s.io", resource="leases", verbs=("create",)),
        Right(group="coordination.k8s.io", resource="leases", verbs=("get", "patch"), names=(WEBHOOK,)),
    )


def in_the_cluster() -> tuple[Right, ...]:
    """Return the rights in all namespaces."""
    return (
        Right(resource="namespaces", verbs=("list",)),
        Right(resource="configmaps", verbs=("create",)),
        Right(resource="configmaps", verbs=("list", "patch"), names=(TRUST_CONFIG_MAP,)),
        Right(
            group="admissionregistration.k8s.io",
            resource="mutatingwebhookconfigurations",
            verbs=("get", "patch"),
            names=(WEBHOOK,),
        ),
        Right(resource="pods", verbs=("list",)),
        Right(resource="events", verbs=("create",)),
        Right(urls=("/openid/v1/jwks",), verbs=("get",)),
    )
