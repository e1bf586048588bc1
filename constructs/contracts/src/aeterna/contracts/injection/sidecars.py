"""The sidecars as containers: native ones, that is init containers that go on running."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from aeterna.contracts.injection import names

if TYPE_CHECKING:
    from aeterna.contracts.injection.installation import Installation, Resources
    from aeterna.contracts.injection.wish import Requests, Wish

Part: TypeAlias = "dict[str, object]"
"""A piece of a pod, as Kubernetes' JSON."""

POLICY_PORT_NAME: Final = "policy-health"
SECRETS_PORT_NAME: Final = "secrets-health"
_STARTS_WITHIN_SECONDS: Final = 120
_TMP: Final = "/tmp"  # noqa: S108 - of a container whose own it is


def policy_container(wish: Wish, installation: Installation, tenant: str | None) -> Part:
    """Return the policy sidecar."""
    # Our own services come up before there can be any policies but the shipped ones.
    seeded = tenant is None or (installation.seeded and installation.opal_url is None)
    feed, fed_by = _bundles(installation) if installation.opal_url is None else _pushes()
    env = {
        "SOCKET": names.POLICY_SOCKET,
        "HEALTH_PORT": str(names.POLICY_HEALTH_PORT),
        "STATE": names.POLICY_STATE,
        "TENANT": tenant,
        "SEEDED": None if seeded else "false",
        "TTL": None if wish.cache_ttl is None else str(wish.cache_ttl),
        "OTLP_ENDPOINT": installation.otlp_endpoint,
        **feed,
    }
    mounts = [
        mount(names.SOCKETS_VOLUME, names.SOCKETS, read_only=False),
        mount(names.POLICY_STATE_VOLUME, names.POLICY_STATE, read_only=False),
        mount(names.POLICY_TMP_VOLUME, _TMP, read_only=False),
        fed_by,
    ]
    return {
        "name": names.POLICY_CONTAINER,
        "image": installation.image("policy", _versions(wish, names.POLICY_VERSION, wish.policy_version)),
        "env": _env("AETERNA_POLICY_", env),
        "ports": [_port(POLICY_PORT_NAME, names.POLICY_HEALTH_PORT)],
        # Fed by pushes it has no policies until OPAL's client, which starts after it, has pushed them.
        **_probes(names.POLICY_HEALTH_PORT, started="/ready" if installation.opal_url is None else "/live"),
        **_confined(installation.policy, wish.policy_requests, mounts),
    }


def _bundles(installation: Installation) -> tuple[dict[str, str], Part]:
    """Return the settings of the feed of signed bundles, and what it reads."""
    keys = {"BUNDLE_KEYS": names.BUNDLE_KEYS, "BUNDLE_CA_FILE": names.CA_FILE}
    return {"BUNDLE_URL": installation.bundle_url, **keys}, mount(names.TRUST_VOLUME, names.TRUST)


def _pushes() -> tuple[dict[str, str], Part]:
    """Return the settings of the feed that OPAL's client pushes to, and what it reads."""
    admin = {"ADMIN_PORT": str(names.POLICY_ADMIN_PORT), "ADMIN_TOKEN_FILE": names.POLICY_ADMIN_TOKEN}
    client = {"OPAL_URL": f"http://127.0.0.1:{names.OPAL_CLIENT_PORT}"}
    return admin | client, mount(names.OPAL_TOKEN_VOLUME, names.POLICY_ADMIN_TOKEN.rpartition("/")[0])


def opal_container(wish: Wish, installation: Installation, opal_url: str) -> Part:
    """Return OPAL's client, which counts as started once the policy sidecar has its policies."""
    token: Part = {"valueFrom": {"secretKeyRef": {"name": names.OPAL_CLIENT_SECRET, "key": "token"}}}
    ready = _probes(names.POLICY_HEALTH_PORT, started="/ready")["startupProbe"]
    no_entities: Part = {"name": "OPAL_DATA_UPDATER_ENABLED", "value": "false"}
    return {
        "name": names.OPAL_CONTAINER,
        "image": installation.image("opal-client", {names.VERSION: wish.version}),
        "env": [
            {"name": "OPAL_SERVER_URL", "value": opal_url},
            {"name": "OPAL_CLIENT_TOKEN", **token},
            {"name": "OPAL_CLIENT_API_SERVER_PORT", "value": str(names.OPAL_CLIENT_PORT)},
            {"name": "OPAL_POLICY_STORE_URL", "value": f"http://127.0.0.1:{names.POLICY_ADMIN_PORT}"},
            {"name": "OPAL_POLICY_STORE_AUTH_TOKEN", **token},
            *(() if installation.opal_entities else (no_entities,)),
        ],
        "startupProbe": ready,
        **_confined(installation.opal_client, None, [mount(names.OPAL_TMP_VOLUME, _TMP, read_only=False)]),
    }


def secrets_container(wish: Wish, installation: Installation) -> Part:
    """Return the secrets sidecar."""
    env: dict[str, str | None] = {
        "SOCKET": names.SECRETS_SOCKET,
        "HEALTH_PORT": str(names.SECRETS_HEALTH_PORT),
        "CONFIG": names.SECRETS_CONFIG_FOLDER,
        "FILES": names.SECRETS_FILES,
        "OTLP_ENDPOINT": installation.otlp_endpoint,
    }
    mounts = [
        mount(names.SOCKETS_VOLUME, names.SOCKETS, read_only=False),
        mount(names.SECRETS_VOLUME, names.SECRETS_FILES, read_only=False),
        mount(names.SECRETS_CONFIG_VOLUME, names.SECRETS_CONFIG_FOLDER),
        mount(names.SECRETS_TMP_VOLUME, _TMP, read_only=False),
        mount(names.TOKEN_VOLUME, names.TOKEN_FILE.rpartition("/")[0]),
        mount(names.TRUST_VOLUME, names.TRUST),
    ]
    return {
        "name": names.SECRETS_CONTAINER,
        "image": installation.image("secrets", _versions(wish, names.SECRETS_VERSION, wish.secrets_version)),
        "env": _env("AETERNA_SECRETS_", env),
        "ports": [_port(SECRETS_PORT_NAME, names.SECRETS_HEALTH_PORT)],
        **_probes(names.SECRETS_HEALTH_PORT, started="/ready"),
        **_confined(installation.secrets, wish.secrets_requests, mounts),
    }


def mount(volume: str, path: str, *, read_only: bool = True) -> Part:
    """Return how a volume is mounted."""
    return {"name": volume, "mountPath": path, **({"readOnly": True} if read_only else {})}


def _env(prefix: str, values: dict[str, str | None]) -> list[Part]:
    # The pod's own address and no other: what a sidecar tells its prober is for nobody on the node.
    address: Part = {
        "name": f"{prefix}HEALTH_HOST",
        "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}},
    }
    return [address, *({"name": f"{prefix}{name}", "value": each} for name, each in values.items() if each is not None)]


def _versions(wish: Wish, annotation: str, own: str | None) -> dict[str, str | None]:
    return {annotation: own, names.VERSION: wish.version}


def _port(name: str, number: int) -> Part:
    return {"name": name, "containerPort": number, "protocol": "TCP"}


def _probes(port: int, *, started: str) -> Part:
    def probe(path: str, period: int, failures: int) -> Part:
        get = {"path": path, "port": port, "scheme": "HTTP"}
        times = {"periodSeconds": period, "timeoutSeconds": 2, "successThreshold": 1, "failureThreshold": failures}
        return {"httpGet": get, **times}

    return {
        "startupProbe": probe(started, 1, _STARTS_WITHIN_SECONDS),
        "readinessProbe": probe("/ready", 5, 3),
        "livenessProbe": probe("/live", 10, 3),
    }


def _confined(resources: Resources, requests: Requests | None, mounts: list[Part]) -> Part:
    """Return what every sidecar is confined by, and that it goes on running beside the pod's own containers."""
    cpu = requests.cpu if requests is not None and requests.cpu is not None else resources.cpu
    memory = requests.memory if requests is not None and requests.memory is not None else resources.memory
    # Kubernetes puts its own token wherever nothing else is, and no sidecar speaks with its API.
    no_token = mount(names.NO_API_TOKEN_VOLUME, names.API_TOKEN)
    return {
        "restartPolicy": "Always",
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}},
        "volumeMounts": [*mounts, no_token],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsGroup": names.SIDECAR_USER,
            "runAsNonRoot": True,
            "runAsUser": names.SIDECAR_USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
