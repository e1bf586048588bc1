"""A container of the platform: what it runs, with what settings, and how it says that it lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aeterna.platform.hardening import CONTAINER
from aeterna.platform.sizing import Resources
from aeterna.platform.volumes import Mounted

if TYPE_CHECKING:
    from aeterna.platform.pods import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """Where a container says how it is."""

    port: int
    scheme: str = "HTTPS"
    live: str = "/live"
    ready: str = "/ready"

    def document(self) -> Json:
        """Return the container's probes. A start may take two minutes; after it, half a minute of silence ends it."""
        return {
            "startupProbe": {**self._get(self.live), "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 60},
            "livenessProbe": {**self._get(self.live), "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
            "readinessProbe": {**self._get(self.ready), "periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 2},
        }

    def _get(self, path: str) -> Json:
        return {"httpGet": {"path": path, "port": self.port, "scheme": self.scheme}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A container of the platform: what it runs and with what settings.

    ``ports`` are by name. ``fields`` are settings that the pod itself knows, such as its address, by the path of the
    field. ``secrets`` are keys of Secrets, for a program of others' that reads its secrets from nowhere else.
    ``lingers`` keeps one that ends at once when it is told to stop serving for so many seconds, until nobody sends to
    it any more; ours do so by themselves. A ``sidecar`` starts before the pod's other programs, and stops after them.
    """

    name: str
    image: str
    resources: Resources
    settings: Mapping[str, str]
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, "tuple[str, str]"])
    args: tuple[str, ...] = ()
    mounts: tuple[Mounted, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict[str, int])
    probed: Probed | None = None
    lingers: int | None = None
    sidecar: bool = False

    def document(self) -> Json:
        """Return the container."""
        told: list[Json] = [{"name": name, "value": value} for name, value in sorted(self.settings.items())]
        known: list[Json] = [
            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in sorted(self.fields.items())
        ]
        hidden: list[Json] = [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": of, "key": key}}}
            for name, (of, key) in sorted(self.secrets.items())
        ]
        container: Json = {
            "name": self.name,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "env": [*told, *known, *hidden],
            "resources": self.resources.document(),
            "securityContext": CONTAINER,
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": [each.mount() for each in self.mounts],
        }
        if self.args:
            container["args"] = list(self.args)
        if self.ports:
            container["ports"] = [
                {"name": name, "containerPort": port, "protocol": "TCP"} for name, port in self.ports.items()
            ]
        if self.sidecar:
            container["restartPolicy"] = "Always"
        if self.lingers is not None:
            container["lifecycle"] = {"preStop": {"exec": {"command": ["sleep", str(self.lingers)]}}}
        return container if self.probed is None else {**container, **self.probed.document()}
