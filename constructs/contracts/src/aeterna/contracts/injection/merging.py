"""Puts parts into a pod: what is the injection's own is brought up to date, what is the author's is left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.contracts.injection import names
from aeterna.contracts.injection.collisions import refuse_collisions
from aeterna.contracts.injection.errors import MalformedPodError
from aeterna.contracts.injection.pod import OUR_CONTAINERS, OUR_VOLUMES, list_of, part_of, text_of
from aeterna.contracts.json_value import is_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aeterna.contracts.injection.parts import PodParts
    from aeterna.contracts.injection.sidecars import Part

_OURS_BY_NAME: Final = ("AETERNA_", "OPAL_")


def merged(pod: Mapping[str, object], parts: PodParts) -> dict[str, object]:
    """Return the pod with the parts; the pod itself is not changed. Merging the same again changes nothing.

    Raises `CollisionError` where the author uses a name, a port or a path of ours, and `MalformedPodError`.
    """
    metadata, spec = part_of(pod, "metadata"), part_of(pod, "spec")
    annotations = part_of(metadata, "annotations")
    inits, containers = list_of(spec, "initContainers"), list_of(spec, "containers")
    if not containers:
        raise MalformedPodError("it has no containers")
    refuse_collisions(spec, parts, injected=names.STATUS in annotations)
    there = {text_of(each, "name"): each for each in inits}
    sidecars = [_sidecar(there.get(text_of(each, "name"), {}), each) for each in parts.init_containers]
    return {
        **pod,
        "metadata": {
            **metadata,
            "annotations": {**annotations, **parts.annotations},
            "labels": {**parts.labels, **part_of(metadata, "labels"), names.INJECTED: parts.labels[names.INJECTED]},
        },
        "spec": {
            **spec,
            "securityContext": _with_groups(part_of(spec, "securityContext"), parts.groups),
            "initContainers": [
                *sidecars,
                *(_of_the_author(each, parts) for each in inits if each["name"] not in OUR_CONTAINERS),
            ],
            "containers": [_of_the_author(each, parts) for each in containers],
            "volumes": _volumes(list_of(spec, "volumes"), parts.volumes),
        },
    }


def _with_groups(context: dict[str, object], groups: Sequence[int]) -> dict[str, object]:
    found = context.get("supplementalGroups")
    if found is not None and not is_array(found):
        raise MalformedPodError("supplementalGroups is not a list")
    own = found or []
    return {**context, "supplementalGroups": [*own, *(each for each in groups if each not in own)]}


def _volumes(found: list[dict[str, object]], wanted: Iterable[Part]) -> list[Part]:
    """Return the author's volumes and ours, each in its place where it was there already."""
    ours = {text_of(each, "name"): each for each in wanted}
    named = [text_of(each, "name") for each in found]
    kept = [
        ours.get(name, each) for name, each in zip(named, found, strict=True) if name in ours or name not in OUR_VOLUMES
    ]
    return [*kept, *(each for name, each in ours.items() if name not in named)]


def _of_the_author(container: Part, parts: PodParts) -> Part:
    """Return a container of the author's with the variables that it does not set itself, and our volumes."""
    env, mounts = list_of(container, "env"), list_of(container, "volumeMounts")
    named = {text_of(each, "name") for each in env}
    ours = {text_of(each, "mountPath"): each for each in parts.mounts}
    kept = [
        ours.get(text_of(each, "mountPath"), each)
        for each in mounts
        if text_of(each, "name") not in OUR_VOLUMES or each["mountPath"] in ours
    ]
    there = {each["mountPath"] for each in kept}
    return {
        **container,
        "env": [*env, *(each for each in parts.env if each["name"] not in named)],
        "volumeMounts": [*kept, *(each for path, each in ours.items() if path not in there)],
    }


def _sidecar(found: Part, ours: Part) -> Part:
    """Return a container of ours as we say, with what other webhooks give to every container of a pod.

    That is a limit of a resource that we say nothing of, variables and mounts; none that would steer a sidecar.
    """
    before, resources = part_of(found, "resources"), part_of(ours, "resources")
    return {
        **ours,
        "resources": {
            **before,
            **{name: {**part_of(before, name), **part_of(resources, name)} for name in resources},
        },
        "env": [*list_of(ours, "env"), *_foreign(found, ours, "env", "name")],
        "volumeMounts": [*list_of(ours, "volumeMounts"), *_foreign(found, ours, "volumeMounts", "mountPath")],
    }


def _foreign(found: Part, ours: Part, name: str, key: str) -> list[Part]:
    mine = {each.get(key) for each in list_of(ours, name)}
    return [
        each
        for each in list_of(found, name)
        if text_of(each, key) not in mine
        and text_of(each, "name") not in OUR_VOLUMES
        and not text_of(each, "name").startswith(_OURS_BY_NAME)
    ]
