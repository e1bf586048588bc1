"""What a wish adds to a pod: sidecars, volumes, and what the pod's own containers need to reach both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aeterna.contracts.injection import names
from aeterna.contracts.injection.errors import ForeignTenantError, NoTenancyError
from aeterna.contracts.injection.sidecars import (
    Part,
    mount,
    opal_container,
    policy_container,
    secrets_container,
)

if TYPE_CHECKING:
    from aeterna.contracts.injection.installation import Installation
    from aeterna.contracts.injection.wish import Wish
    from aeterna.contracts.workloads import Workloads

_TOKEN_SECONDS: Final = 3600
_KIT_REMEMBERS_SECONDS: Final = 5
_READABLE: Final = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class PodParts:
    """What a pod gets, as Kubernetes' JSON with all that the API server would fill in.

    Nobody may change it: pods share it.

    - ``init_containers`` are the sidecars, in the order in which they must start, before any of the pod's own.
    - ``env`` and ``mounts`` are of each of the pod's own containers.
    - ``ports`` are the ports that sidecars listen on, and which one does.
    - ``groups`` are further groups of the pod's processes, by which they may use the sidecars' sockets and files.
    """

    init_containers: tuple[Part, ...]
    volumes: tuple[Part, ...]
    env: tuple[Part, ...]
    mounts: tuple[Part, ...]
    labels: Mapping[str, str]
    ports: Mapping[int, str] = field(default_factory=dict[int, str])
    groups: tuple[int, ...] = (names.SIDECAR_USER,)
    annotations: Mapping[str, str] = field(init=False)
    """The digest of all of this, so that what runs can be compared with what would be injected now."""

    def __post_init__(self) -> None:
        """Compute the digest, once for all pods that share the parts."""
        content = [self.init_containers, self.volumes, self.env, self.mounts, dict(self.labels), self.groups]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        object.__setattr__(self, "annotations", {names.STATUS: f"injected sha256:{digest}"})


def tenant_of(wish: Wish, namespace: str, workloads: Workloads) -> str:
    """Return the tenant of a namespace's pods; raise `NoTenancyError`, or `ForeignTenantError` if another is asked."""
    tenancy = workloads.namespaces.get(namespace)
    if tenancy is None:
        raise NoTenancyError(namespace)
    if wish.tenant is not None and wish.tenant != tenancy.tenant:
        raise ForeignTenantError(namespace, wish.tenant, tenancy.tenant)
    return tenancy.tenant


def parts(wish: Wish, installation: Installation, *, tenant: str | None) -> PodParts:
    """Return what a pod gets; ``tenant`` is whom it works for, or None for a service that works for all of them.

    Raises `UnknownVersionError`.
    """
    sidecars: list[Part] = []
    if wish.policy:
        sidecars.append(policy_container(wish, installation, tenant))
        if installation.opal_url is not None:
            sidecars.append(opal_container(wish, installation, installation.opal_url))
    if wish.secrets:
        sidecars.append(secrets_container(wish, installation))
    return PodParts(
        init_containers=tuple(sidecars),
        volumes=_volumes(wish, installation),
        env=tuple({"name": name, "value": value} for name, value in _env(wish, installation, tenant).items()),
        mounts=_mounts(wish),
        labels={names.INJECTED: "true", **installation.pod_labels},
        ports=_ports(wish, installation),
    )


def _ports(wish: Wish, installation: Installation) -> dict[int, str]:
    ports: dict[int, str] = {}
    if wish.policy:
        ports[names.POLICY_HEALTH_PORT] = names.POLICY_CONTAINER
        if installation.opal_url is not None:
            ports |= {names.POLICY_ADMIN_PORT: names.POLICY_CONTAINER, names.OPAL_CLIENT_PORT: names.OPAL_CONTAINER}
    if wish.secrets:
        ports[names.SECRETS_HEALTH_PORT] = names.SECRETS_CONTAINER
    return ports


def _volumes(wish: Wish, installation: Installation) -> tuple[Part, ...]:
    token = {
        "audience": installation.audience,
        "expirationSeconds": _TOKEN_SECONDS,
        "path": names.TOKEN_FILE.rpartition("/")[2],
    }
    sources: list[Part] = [{"serviceAccountToken": token}]
    volumes: list[Part] = [
        _empty(names.SOCKETS_VOLUME, "1Mi"),
        _volume(names.TOKEN_VOLUME, "projected", {"defaultMode": _READABLE, "sources": sources}),
        _config_map(names.TRUST_VOLUME, names.TRUST_CONFIG_MAP),
        _empty(names.NO_API_TOKEN_VOLUME, "1Mi"),
    ]
    if wish.policy:
        volumes += [_empty(names.POLICY_STATE_VOLUME, "256Mi"), _empty(names.POLICY_TMP_VOLUME, "64Mi")]
        if installation.opal_url is not None:
            secret: Part = {"secretName": names.OPAL_CLIENT_SECRET, "defaultMode": _READABLE}
            volumes += [_empty(names.OPAL_TMP_VOLUME, "64Mi"), _volume(names.OPAL_TOKEN_VOLUME, "secret", secret)]
    if wish.secrets and wish.secrets_config is not None:
        volumes += [
            _empty(names.SECRETS_VOLUME, "16Mi", medium="Memory"),
            _config_map(names.SECRETS_CONFIG_VOLUME, wish.secrets_config),
            _empty(names.SECRETS_TMP_VOLUME, "64Mi"),
        ]
    return tuple(volumes)


def _empty(name: str, limit: str, *, medium: str | None = None) -> Part:
    return _volume(name, "emptyDir", {"sizeLimit": limit, **({"medium": medium} if medium is not None else {})})


def _config_map(name: str, config_map: str) -> Part:
    return _volume(name, "configMap", {"name": config_map, "defaultMode": _READABLE})


def _volume(name: str, kind: str, content: Part) -> Part:
    return {"name": name, kind: content}


def _mounts(wish: Wish) -> tuple[Part, ...]:
    mounts = [
        # A socket can be connected to on a read-only mount, and not be replaced by one of somebody else's.
        mount(names.SOCKETS_VOLUME, names.SOCKETS),
        mount(names.TOKEN_VOLUME, names.TOKEN_FILE.rpartition("/")[0]),
        mount(names.TRUST_VOLUME, names.TRUST),
    ]
    if wish.secrets:
        mounts.append(mount(names.SECRETS_VOLUME, names.SECRETS_FILES))
    return tuple(mounts)


def _env(wish: Wish, installation: Installation, tenant: str | None) -> dict[str, str]:
    """Return what the client, the enforcement point and the A2A kit read in the pod's own containers."""
    env = {
        "AETERNA_GRAPH_URL": installation.graph_url,
        "AETERNA_THREADS_URL": installation.threads_url,
        "AETERNA_POLICIES_URL": installation.policies_url,
        "AETERNA_TOKEN_FILE": names.TOKEN_FILE,
        "AETERNA_CA_FILE": names.CA_FILE,
    }
    if wish.secrets:
        env |= {"AETERNA_SECRETS_URL": f"unix:{names.SECRETS_SOCKET}", "AETERNA_SECRETS_DIR": names.SECRETS_FILES}
    if wish.policy:
        env |= {"AETERNA_POLICY_URL": f"unix:{names.POLICY_SOCKET}"}
        if tenant is not None:
            env |= {f"AETERNA_AGENT_{name}": value for name, value in _agent(wish, installation, tenant).items()}
    return env


def _agent(wish: Wish, installation: Installation, tenant: str) -> dict[str, str]:
    agent = {
        "ISSUER": installation.issuer,
        "AUDIENCE": installation.audience,
        "JWKS": installation.jwks,
        "TENANT_CLAIM": installation.tenant_claim,
        "WORKLOADS": names.WORKLOADS_FILE,
        "WORKLOAD_ISSUER": installation.workload_issuer,
        "WORKLOAD_JWKS": names.WORKLOAD_KEYS,
        "THREADS_URL": installation.threads_url,
        "POLICY_URL": f"unix:{names.POLICY_SOCKET}",
        "TOKEN_FILE": names.TOKEN_FILE,
        "TENANT": tenant,
    }
    if wish.cache_ttl is not None and wish.cache_ttl < _KIT_REMEMBERS_SECONDS:
        agent["POLICY_TTL"] = str(wish.cache_ttl)
    if installation.otlp_endpoint is not None:
        agent["OTLP_ENDPOINT"] = installation.otlp_endpoint
    return agent
