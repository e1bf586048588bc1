"""Finds pods that run without the sidecars they asked for, or with others than those of now; ends none of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.contracts.errors import AeternaError
from aeterna.contracts.injection import names
from aeterna.contracts.injection.parts import parts, tenant_of
from aeterna.contracts.injection.pod import OUR_CONTAINERS, annotations_of, exemption_of, list_of, part_of
from aeterna.contracts.injection.wish import OPTED_OUT, wish
from aeterna.injector.domain.missed import MissedPod, PodSeen, Reason
from aeterna.injector.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aeterna.injector.domain.definition import Definition
    from aeterna.injector.ports import Definitions, Pods, UpkeepObserver

REPORTS: Final = 20
"""Events that one look may write: a cluster whose injector was away has thousands of such pods at once."""

log = structlog.stdlib.get_logger(__name__)


class MissedPods:
    """Looks at the pods of injected namespaces against the definition in force."""

    def __init__(self, pods: Pods, *, definitions: Definitions, observer: UpkeepObserver) -> None:
        self._pods = pods
        self._definitions = definitions
        self._observer = observer

    async def look(self, namespaces: Iterable[str]) -> None:
        """Count the pods and write an Event about some; raise the last problem, having looked everywhere."""
        definition = self._definitions.current()
        found: Counter[tuple[str, Reason]] = Counter()
        left, problem = REPORTS, None
        for namespace in namespaces:
            try:
                async for pod in self._pods.of(namespace):
                    reason = reason_of(pod.manifest, namespace, definition)
                    if reason is None:
                        continue
                    found[namespace, reason] += 1
                    left -= left > 0 and await self._report(pod, reason)
            except ClusterError as exc:
                problem = exc
        self._observer.missed(found)
        if problem is not None:
            raise problem

    async def _report(self, pod: PodSeen, reason: Reason) -> bool:
        missed = MissedPod(namespace=pod.namespace, name=pod.name, uid=pod.uid, reason=reason)
        new = await self._pods.report(missed)
        if new:
            log.warning("pod.missed", namespace=pod.namespace, pod=pod.name, reason=reason.value)
        return new


def reason_of(pod: Mapping[str, object], namespace: str, definition: Definition) -> Reason | None:
    """Return why a pod is to be reported, if it is.

    What its annotation says of its injection is not believed: its containers are looked at.
    """
    try:
        annotations = annotations_of(pod)
        if exemption_of(pod) is not None:
            return None
        there = {each.get("name") for each in list_of(part_of(pod, "spec"), "initContainers")}
    except AeternaError:
        return None
    try:
        asked = wish(annotations)
        if asked is None:
            return None
        tenant = tenant_of(asked, namespace, definition.workloads)
        wanted = parts(asked, definition.installation, tenant=tenant)
    except AeternaError:
        # It could not be injected and was let in all the same, as while the failure policy is to ignore.
        asks = annotations.get(names.INJECT, OPTED_OUT).strip() != OPTED_OUT
        return Reason.MISSING if asks and not there & OUR_CONTAINERS else None
    if not {each["name"] for each in wanted.init_containers} <= there:
        return Reason.MISSING
    return None if annotations.get(names.STATUS) == wanted.annotations[names.STATUS] else Reason.OUTDATED
