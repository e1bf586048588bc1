"""Puts sidecars into a customer's own workload at synthesis, from the same definition that admission goes by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, cast

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.injection import annotations_of, exemption_of, merged, parts, tenant_of
from aeterna.contracts.injection.names import STATUS
from aeterna.contracts.injection.pod import part_of
from aeterna.platform.l1.kubernetes.cron_job_v1 import KubernetesCronJobV1
from aeterna.platform.l1.kubernetes.daemon_set_v1 import KubernetesDaemonSetV1
from aeterna.platform.l1.kubernetes.deployment_v1 import KubernetesDeploymentV1
from aeterna.platform.l1.kubernetes.job_v1 import KubernetesJobV1
from aeterna.platform.l1.kubernetes.stateful_set_v1 import KubernetesStatefulSetV1
from aeterna.platform.pods import Json, to_arguments, to_json
from aeterna.platform.shapes import path_to_template, pod_template
from aeterna.synth.errors import UnrepresentableValueError

if TYPE_CHECKING:
    from aeterna.contracts.injection import Installation, PodParts, Wish
    from aeterna.contracts.workloads import Workloads

Workload: TypeAlias = (
    KubernetesDeploymentV1 | KubernetesStatefulSetV1 | KubernetesDaemonSetV1 | KubernetesJobV1 | KubernetesCronJobV1
)
W = TypeVar("W", bound=Workload)

COMPOSED: Final = "composed"
"""The status of a pod whose sidecars hold what is known only at apply: no digest of it can be written before."""
_LATE: Final = "${"


def with_sidecars(
    workload: W, wish: Wish, *, installation: Installation, workloads: Workloads, namespace: str | None = None
) -> W:
    """Give the pods of a workload the sidecars of a wish, and return the workload.

    Nothing else of it changes, and admission finds nothing left to do: the pods carry the annotations of the wish, so
    that the injector, where it is asked, comes to the same. Doing it twice is doing it once.

    ``namespace`` is the workload's, where its own metadata has one that is known only at apply.

    Raises `InvalidSpecError` for a pod that the injection leaves alone, an `InjectionError` for what the injector would
    refuse, and `UnrepresentableValueError` for a pod that is not written out.
    """
    kind = type(workload)
    shape, steps = pod_template(kind), path_to_template(kind)
    where = workload.node.path
    spec = _block(workload.arguments.get("spec"), f"{where}.spec")
    pod = to_json(_at(spec, steps, where), shape, f"{where}.template")
    exempt = exemption_of(pod)
    if exempt is not None:
        problem = f"sidecars are wanted, and {exempt.why}"
        raise InvalidSpecError(kind.__name__, "spec", problem, "leave the sidecars out", path=where)
    tenant = tenant_of(wish, _namespace(workload, namespace), workloads)
    wanted = parts(wish, installation, tenant=tenant)
    given = _told(merged(_asking(pod, wish), wanted), wanted)
    workload.replace("spec", _put(spec, steps, to_arguments(given, shape, f"{where}.template")))
    return workload


def _asking(pod: Json, wish: Wish) -> Json:
    """Return the pod with the annotations of the wish, which are how admission is asked for the same."""
    metadata = part_of(pod, "metadata")
    return {**pod, "metadata": {**metadata, "annotations": {**annotations_of(pod), **wish.annotations()}}}


def _told(pod: Json, wanted: PodParts) -> Json:
    """Return the pod with a status that does not change with the names of placeholders."""
    if _LATE not in json.dumps([wanted.init_containers, wanted.env, wanted.volumes]):
        return pod
    metadata = part_of(pod, "metadata")
    return {**pod, "metadata": {**metadata, "annotations": {**annotations_of(pod), STATUS: COMPOSED}}}


def _namespace(workload: Workload, given: str | None) -> str:
    own = _block(workload.arguments.get("metadata"), f"{workload.node.path}.metadata").get("namespace")
    if isinstance(own, str) and _LATE not in own:
        if given is not None and given != own:
            problem = f"it says {own!r}, and {given!r} is given"
            raise InvalidSpecError(type(workload).__name__, "namespace", problem, "leave the given one out")
        return own
    if given is None:
        problem = "it is known only at apply, and whose its pods are is decided by it"
        raise InvalidSpecError(type(workload).__name__, "namespace", problem, "give namespace=")
    return given


def _at(spec: Mapping[str, object], steps: tuple[str, ...], where: str) -> Mapping[str, object]:
    for step in steps:
        spec = _block(spec.get(step), f"{where}.{step}")
    return spec


def _put(spec: Mapping[str, object], steps: tuple[str, ...], template: Json) -> Json:
    """Return the spec with another template; what is around it stays."""
    first, *rest = steps
    inner = template if not rest else _put(_block(spec.get(first), first), tuple(rest), template)
    return {**spec, first: inner}


def _block(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise UnrepresentableValueError(where, "the block is not written out", "write it as a mapping")
    return cast("Mapping[str, object]", value)
