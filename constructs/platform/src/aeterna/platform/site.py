"""Where a platform stands: its spec, its foundation and what follows from the two, for each of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.foundation import FoundationOutputs
from aeterna.contracts.injection import Installation
from aeterna.contracts.platform import FailurePolicy, PlatformSpec
from aeterna.platform.names import GRAPH_API, OPAL_SERVER, POLICIES, PORTS, THREADS
from aeterna.platform.sizing import PLATFORM_SIZES, PlatformSizing, Scale

if TYPE_CHECKING:
    from aeterna.contracts.identity import IdentityOutputs
    from aeterna.contracts.late import Late


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What every part of one platform shares."""

    spec: PlatformSpec
    foundation: FoundationOutputs

    @property
    def namespace(self) -> str:
        """Return the platform's own namespace."""
        return self.spec.namespace

    @property
    def sizing(self) -> PlatformSizing:
        """Return what the size turns on."""
        return PLATFORM_SIZES[self.spec.size]

    @property
    def registry(self) -> str:
        """Return what stands before ``/<image>:<tag>``. Raises `InvalidSpecError` where there is no registry."""
        if self.spec.registry is not None:
            return self.spec.registry
        if self.foundation.registry is None:
            problem = "none is given, and the foundation has no registry of its own"
            raise InvalidSpecError("PlatformSpec", "registry", problem, "name the registry that holds the images")
        return self.foundation.registry.url

    def scale(self, part: str) -> Scale:
        """Return how many pods of a part there are, and how large."""
        return self.sizing.parts[part]

    def image(self, name: str) -> str:
        """Return the address of an image in the platform's release."""
        return f"{self.registry}/{name}:{self.spec.release}"

    def url(self, service: str, *, scheme: str = "https") -> str:
        """Return the address of a service of the platform inside the cluster."""
        return f"{scheme}://{service}.{self.namespace}.svc:{PORTS[service]}"

    def identity(self, service_account: str) -> IdentityOutputs | None:
        """Return the cloud's identity of a service account, where the foundation made one."""
        return self.foundation.identities.get(service_account)

    def installation(self) -> Installation:
        """Return what sidecars are made from: the same document that the injector reads."""
        spec = self.spec
        return Installation(
            registry=self.registry,
            version=spec.release,
            versions=spec.versions,
            namespace=spec.namespace,
            graph_url=self.url(GRAPH_API),
            threads_url=self.url(THREADS),
            policies_url=self.url(POLICIES),
            bundle_url=f"{self.url(POLICIES)}/v1/bundle",
            failure_policy=spec.on_failure,
            # Where no agent may run without its policies, none runs with those that are merely shipped.
            seeded=spec.on_failure is FailurePolicy.IGNORE,
            issuer=spec.people.issuer,
            jwks=spec.people.jwks,
            audience=spec.people.audience,
            tenant_claim=spec.people.tenant_claim,
            workload_issuer=self.foundation.cluster.issuer,
            # OPAL's server speaks no TLS.
            opal_url=None if spec.opal is None else self.url(OPAL_SERVER, scheme="http"),
            opal_entities=spec.opal is None or spec.opal.data_url is not None,
            otlp_endpoint=spec.traces,
            pod_labels=self._pod_labels(),
        )

    def _pod_labels(self) -> dict[str, str]:
        """Return what the cloud wants on every pod that proves itself there, as secrets sidecars of agents do."""
        return {name: value for each in self.foundation.identities.values() for name, value in each.pod_labels.items()}

    def login(self, service_account: str) -> Late:
        """Return as whom a service account logs in to the one store with logins that its identity uses."""
        identity = self.identity(service_account)
        logins = () if identity is None else tuple(identity.logins.values())
        if len(logins) != 1:
            problem = f"the identity {service_account!r} has {len(logins)} logins, where its store has one"
            raise InvalidSpecError("FoundationOutputs", "identities", problem, "let it use one store with logins")
        return logins[0]
