"""Puts parts into a pod: what is the injection's own is brought up to date, what is the author's is left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.contracts.injection import names
from aeterna.contracts.injection.collisions import refuse_collisions, resolved
from aeterna.contracts.injection.errors import MalformedPodError
from aeterna.contracts.injection.pod import OUR_CONTAINERS, OUR_VOLUMES, list_of, part_of, text_of
from aeterna.contracts.json_value import is_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aeterna.contracts.injection.parts import PodParts
    from aeterna.contracts.injection.sidecars import Part

_OF_IDENTITIES: Final = frozenset(
    {
        *("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_DEFAULT_REGION"),
        *("AWS_REGION", "AWS_ROLE_ARN", "AWS_STS_REGIONAL_ENDPOINTS", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        *("AZURE_AUTHORITY_HOST", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID"),
    }
)
"""The variables by which clouds' webhooks tell containers who they are; they are the same in all of a pod."""
_IDENTITIES: Final = "/run/secrets/"
"""Below here they mount the tokens."""


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
    """Return a container of ours as we say, with what clouds' webhooks give to every container of a pod.

    That is who the pod is, by variables and tokens, and a limit of a resource that we say nothing of. Anything else may
    steer a sidecar (a library to load, a proxy, a volume over its code), and may be from an author who only says that
    the pod was injected before.
    """
    before, resources = part_of(found, "resources"), part_of(ours, "resources")
    mounts = list_of(ours, "volumeMounts")
    return {
        **ours,
        "resources": {
            **before,
            **{name: {**part_of(before, name), **part_of(resources, name)} for name in resources},
        },
        "env": [*list_of(ours, "env"), *(each for each in list_of(found, "env") if each.get("name") in _OF_IDENTITIES)],
        "volumeMounts": [*mounts, *_tokens(list_of(found, "volumeMounts"), mounts)],
    }


def _tokens(found: Iterable[Part], ours: Iterable[Part]) -> Iterator[Part]:
    """Return the mounts of clouds' tokens, none of which is within one of ours."""
    taken = tuple(resolved(text_of(each, "mountPath")) for each in ours)
    for each in found:
        path = resolved(text_of(each, "mountPath"))
        within = any(path == mine or path.startswith(f"{mine}/") for mine in taken)
        if path.startswith(_IDENTITIES) and not within and text_of(each, "name") not in OUR_VOLUMES:
            yield each
