"""What a container of the platform has mounted, each with the volume that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.contracts.injection.names import API_TOKEN
from aeterna.platform.hardening import READ_BY_GROUP

if TYPE_CHECKING:
    from aeterna.platform.pods import Json

TLS: Final = "/etc/aeterna/tls"
CLUSTER: Final = "/var/run/secrets/aeterna-cluster"
"""The pod's own token for the API server and the authority of the API server; of the one container that asks it."""
WORKLOADS: Final = "/etc/aeterna/workloads"
TOKEN_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounted:
    """A volume of a pod and its place in a container; ``source`` is Kubernetes' own, such as ``{"emptyDir": …}``."""

    name: str
    path: str
    source: Mapping[str, object]
    read_only: bool = True

    def volume(self) -> Json:
        """Return the pod's volume."""
        return {"name": self.name, **self.source}

    def mount(self) -> Json:
        """Return the container's mount."""
        return {"name": self.name, "mountPath": self.path, "readOnly": self.read_only}


def scratch(name: str, path: str, size: str, *, in_memory: bool = False) -> Mounted:
    """Return a place to write to, which is gone with the pod; who writes more than ``size`` is evicted."""
    medium = {"medium": "Memory"} if in_memory else {}
    return Mounted(name=name, path=path, source={"emptyDir": {**medium, "sizeLimit": size}}, read_only=False)


def config(name: str, path: str, config_map: str) -> Mounted:
    """Return the files of a ConfigMap of the pod's namespace. The pod waits for it."""
    return Mounted(name=name, path=path, source={"configMap": {"name": config_map, "defaultMode": READ_BY_GROUP}})


def secret(name: str, path: str, secret_name: str, *, only: tuple[str, ...] = ()) -> Mounted:
    """Return the files of a Secret of the pod's namespace, or only some of them. The pod waits for the Secret."""
    source: dict[str, object] = {"secretName": secret_name, "defaultMode": READ_BY_GROUP}
    items = {"items": [{"key": each, "path": each} for each in only]} if only else {}
    return Mounted(name=name, path=path, source={"secret": {**source, **items}})


def api_access() -> Mounted:
    """Return what a client of the API server looks for in a pod: as Kubernetes would mount it for every container."""
    namespace = {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}
    return _cluster("api", API_TOKEN, {"downwardAPI": namespace})


def cluster_access() -> Mounted:
    """Return what one container asks the API server with, at a place that no client finds by itself."""
    return _cluster("cluster", CLUSTER)


def _cluster(name: str, path: str, *more: Mapping[str, object]) -> Mounted:
    """Return a token that lives for an hour, and the authority of the API server."""
    token = {"serviceAccountToken": {"path": "token", "expirationSeconds": TOKEN_SECONDS}}
    authority = {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    sources = [token, authority, *more]
    return Mounted(name=name, path=path, source={"projected": {"defaultMode": READ_BY_GROUP, "sources": sources}})
