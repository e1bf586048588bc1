"""Aeterna's runtime in a cluster: its spec, and what a deployed one tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.identity import LABEL, SUBDOMAIN
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_name
from aeterna.contracts.sizes import Size
from aeterna.contracts.workloads import ROLE, TENANT, Tenancy, Workloads

VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""The tag of an image (OCI distribution specification)."""

RESERVED_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease", "default"})


class FailurePolicy(StrEnum):
    """What becomes of a pod that asks for sidecars while no injector answers, or that the injector cannot serve."""

    FAIL = "Fail"
    """It is refused: no agent ever runs without its policy. The default but for development."""

    IGNORE = "Ignore"
    """It starts without sidecars, and the injector reports it. For development."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSpec:
    """A tenant, and the namespaces of the cluster that are its own.

    - ``namespaces`` are made by the platform, with Pod Security ``restricted``, and are injected.
    - ``roles`` are what its workloads are in the policies. Default: ``runner``, which may run tasks.
    - ``service_accounts`` gives single service accounts other roles.
    - ``quota`` replaces entries of the quota of each of its namespaces, by Kubernetes' names of them, such as
      ``requests.cpu``. Default: those of the size.
    """

    name: str
    namespaces: tuple[str, ...]
    roles: tuple[str, ...] = ("runner",)
    service_accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    quota: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Refuse what the services would refuse."""
        kind = type(self).__name__
        if not TENANT.fullmatch(self.name):
            raise InvalidSpecError(kind, "name", f"{self.name!r} is not a tenant", "use 1 to 63 of a-z, 0-9 and '-'")
        for namespace in self.namespaces:
            if not LABEL.fullmatch(namespace) or namespace in RESERVED_NAMESPACES:
                problem = f"{namespace!r} cannot be a tenant's namespace"
                raise InvalidSpecError(kind, "namespaces", problem, "use another RFC 1123 label")
        for role in (*self.roles, *(role for roles in self.service_accounts.values() for role in roles)):
            if not ROLE.fullmatch(role):
                raise InvalidSpecError(kind, "roles", f"{role!r} is not a role", "use printable characters, no space")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSpec:
    """Who vouches for people and for programs outside of the cluster: an OpenID provider.

    - ``issuer`` and ``jwks`` are its issuer and the https address of its key set.
    - ``audience`` is what its tokens are for. ``tenant_claim`` is the claim that names the tenant.
    """

    issuer: str
    jwks: str
    audience: str = "aeterna"
    tenant_claim: str = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySpec:
    """The way in from outside of the cluster (Gateway API).

    - ``host`` is the name under which it is reached. ``gateway_class`` is a class that the cluster has.
    - ``certificate`` names the TLS secret of the platform's namespace that proves ``host``.
    - ``proxies`` are the namespaces in which the class runs its proxies. Default: the platform's own.
    - ``blocks`` are the address blocks that its proxies call from where they stand outside of the cluster.
      Default: none.
    - ``streams`` has routes ask not to be ended by the proxy's own clock, which would cut event streams. Default: on.
      Switch it off for a class that refuses such routes, and give it a limit in its own way.
    """

    host: str
    gateway_class: str
    certificate: str
    proxies: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    streams: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretStoreSpec:
    """Where External Secrets finds what the platform needs; the platform itself never sees a value.

    - ``name`` is that of a ``ClusterSecretStore``. ``prefix`` leads the keys in it.
    """

    name: str
    prefix: str = "aeterna"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpalSpec:
    """OPAL as the feed of every policy sidecar, in place of the administration's signed bundles.

    - ``repository`` is the git repository of the policies, ``branch`` its branch.
    - ``data_url`` answers the entities, as Cedar's JSON. Default: none, the policies' own suffice.
    """

    repository: str
    branch: str = "main"
    data_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformSpec:
    """The runtime in one cluster. What is left out follows from the size.

    - ``name`` is the environment's. ``release`` is the tag of every image.
    - ``registry`` is what stands before ``/<image>:<tag>``. Default: the foundation's registry.
    - ``namespace`` is the one that the foundation's identities are bound to. Default: "aeterna".
    - ``opal`` feeds policies from git. Default: the administration's signed bundles.
    - ``failure_policy`` is of the injection. Default: ``Fail``, and ``Ignore`` for development.
    - ``versions`` are further tags of sidecars that pods may ask for.
    - ``monitoring`` adds what the Prometheus operator reads. Default: on.
    - ``prometheus`` is the namespace that metrics are read from. Default: "monitoring".
    - ``api_port`` is where the API server listens behind its Service, which is what network policies see. Default:
      443, as managed clusters have it.
    - ``traces`` is the OTLP endpoint that spans go to. Default: none.
    - ``database_authority`` are the certificates, in PEM, that prove the database. Needed where the foundation only
      says at which address they are. Default: those that the foundation tells.
    """

    name: str
    release: str
    tenants: tuple[TenantSpec, ...]
    people: PeopleSpec
    gateway: GatewaySpec
    secrets: SecretStoreSpec
    size: Size = Size.STANDARD
    registry: str | None = None
    namespace: str = "aeterna"
    opal: OpalSpec | None = None
    failure_policy: FailurePolicy | None = None
    versions: tuple[str, ...] = ()
    monitoring: bool = True
    prometheus: str = "monitoring"
    api_port: int = 443
    traces: str | None = None
    database_authority: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Refuse what could not run."""
        kind = type(self).__name__
        require_name(kind, "name", self.name)
        if not LABEL.fullmatch(self.namespace) or self.namespace in RESERVED_NAMESPACES:
            problem = f"{self.namespace!r} cannot be the platform's namespace"
            raise InvalidSpecError(kind, "namespace", problem, "use another RFC 1123 label")
        for version in (self.release, *self.versions):
            if not VERSION.fullmatch(version):
                raise InvalidSpecError(kind, "release", f"{version!r} is not the tag of an image", "use a tag")
        if not SUBDOMAIN.fullmatch(self.gateway.host):
            raise InvalidSpecError(kind, "gateway", f"{self.gateway.host!r} is not a host's name", "write one")
        self._check_tenants(kind)

    def _check_tenants(self, kind: str) -> None:
        owner: dict[str, str] = {self.namespace: "the platform"}
        for tenant in self.tenants:
            for namespace in tenant.namespaces:
                if namespace in owner:
                    problem = f"namespace {namespace!r} is of {owner[namespace]} and of {tenant.name}"
                    raise InvalidSpecError(kind, "tenants", problem, "give each namespace to one tenant, once")
                owner[namespace] = tenant.name

    @property
    def on_failure(self) -> FailurePolicy:
        """Return what becomes of a pod that cannot be injected."""
        if self.failure_policy is not None:
            return self.failure_policy
        return FailurePolicy.IGNORE if self.size is Size.DEV else FailurePolicy.FAIL

    def workloads(self) -> Workloads:
        """Return which namespace is whose."""
        return Workloads(
            namespaces={
                namespace: Tenancy(tenant=tenant.name, roles=tenant.roles, service_accounts=tenant.service_accounts)
                for tenant in self.tenants
                for namespace in tenant.namespaces
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformOutputs:
    """A deployed platform: where its services are, and whose the namespaces are that it injects."""

    version: ClassVar[int] = 1
    """Of this shape. A field is only ever added; anything else makes a new version."""

    namespace: Late
    release: str
    graph_url: str
    """Of the services, inside of the cluster. The authority that proves them is in the ConfigMap ``aeterna-trust`` of
    every namespace that is injected."""
    threads_url: str
    policies_url: str
    gateway_url: str
    """From outside."""
    tenants: Mapping[str, str]
    """By namespace."""
