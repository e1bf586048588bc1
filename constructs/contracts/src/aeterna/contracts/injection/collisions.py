"""Finds what a pod has of its own where the injection needs the name, the port or the path."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from aeterna.contracts.injection.errors import CollisionError, MalformedPodError
from aeterna.contracts.injection.pod import OUR_CONTAINERS, OUR_VOLUMES, list_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aeterna.contracts.injection.parts import PodParts
    from aeterna.contracts.injection.sidecars import Part

_LINKED: Final = "/var/run"


def refuse_collisions(spec: Mapping[str, object], parts: PodParts, *, injected: bool) -> None:
    """Raise `CollisionError` for the first thing of the author's that is where ours will be.

    In a pod that was ``injected`` before, sidecars and volumes with our names are ours.
    """
    inits, containers = list_of(spec, "initContainers"), list_of(spec, "containers")
    suspects = containers if injected else [*inits, *containers]
    for container in suspects:
        if text_of(container, "name") in OUR_CONTAINERS:
            raise CollisionError(f"a container is named {container['name']}, as a sidecar is", "rename it")
    if not injected:
        for volume in list_of(spec, "volumes"):
            if text_of(volume, "name") in OUR_VOLUMES:
                raise CollisionError(f"a volume is named {volume['name']}, as one of the sidecars' is", "rename it")
    paths = tuple(resolved(text_of(each, "mountPath")) for each in parts.mounts)
    for container in (*inits, *containers):
        if container.get("name") not in OUR_CONTAINERS:
            _refuse_ports(container, parts.ports)
            _refuse_mounts(container, paths, injected=injected)


def _refuse_ports(container: Part, ports: Mapping[int, str]) -> None:
    for port in list_of(container, "ports"):
        number = port.get("containerPort")
        if not isinstance(number, int):
            raise MalformedPodError("containerPort of a port is not a number")
        if number in ports and port.get("protocol", "TCP") == "TCP":
            what = f"container {container['name']} listens on port {number}, as sidecar {ports[number]} does"
            raise CollisionError(what, "use another port")


def _refuse_mounts(container: Part, paths: Iterable[str], *, injected: bool) -> None:
    for mount in list_of(container, "volumeMounts"):
        volume, path = text_of(mount, "name"), text_of(mount, "mountPath")
        if volume in OUR_VOLUMES:
            if not injected:
                what = f"container {container['name']} mounts {volume}, which is added to every container"
                raise CollisionError(what, "leave that out")
            continue
        led = resolved(path)
        for ours in paths:
            if led == ours or led.startswith(f"{ours}/"):
                what = f"container {container['name']} mounts {volume} at {path[:200]}, and {ours} is the sidecars'"
                raise CollisionError(what, "mount it elsewhere")


def resolved(path: str) -> str:
    """Return where a path leads in most images, in which ``/var/run`` is a link to ``/run``."""
    plain = posixpath.normpath(path)
    return plain.removeprefix("/var") if plain == _LINKED or plain.startswith(f"{_LINKED}/") else plain
