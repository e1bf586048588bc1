"""The pods of the cluster and Events about them, by way of lightkube."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from lightkube.core.exceptions import ApiError
from lightkube.models.core_v1 import EventSource, ObjectReference
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.operators import not_in
from lightkube.resources.core_v1 import Event, Pod

from aeterna.injector.adapters.cluster_calls import CONFLICT, MANAGER, translated
from aeterna.injector.domain.missed import MissedPod, PodSeen, Reason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from lightkube.core.async_client import AsyncClient

_PAGE: Final = 200
_SAID: Final = {
    Reason.MISSING: "The pod asked for sidecars of Aeterna and was admitted without them. Delete it, so that its "
    "controller makes it anew.",
    Reason.OUTDATED: "The sidecars are of another definition than the one in force. The pod gets that one with its "
    "next start.",
}


class ClusterPods:
    """The pods, page by page, and Events whose names follow from what they say."""

    def __init__(self, client: AsyncClient, *, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now

    async def of(self, namespace: str) -> AsyncIterator[PodSeen]:
        """Return the pods of a namespace that have not ended."""
        with translated(f"list the pods of {namespace}"):
            found = self._client.list(
                Pod,
                namespace=namespace,
                fields={"status.phase": not_in(("Succeeded", "Failed"))},
                chunk_size=_PAGE,
            )
            async for each in found:
                metadata = each.metadata
                if metadata is None or metadata.deletionTimestamp is not None:
                    continue
                yield PodSeen(
                    namespace=namespace, name=metadata.name or "", uid=metadata.uid or "", manifest=each.to_dict()
                )

    async def report(self, pod: MissedPod) -> bool:
        """Write an Event about the pod; its name is made of what it says, so that the server keeps one of each."""
        now = self._now()
        digest = hashlib.sha256(f"{pod.uid}/{pod.reason}".encode()).hexdigest()[:16]
        about = ObjectReference(apiVersion="v1", kind="Pod", namespace=pod.namespace, name=pod.name, uid=pod.uid)
        event = Event(
            metadata=ObjectMeta(name=f"{pod.name[:200]}.{digest}", namespace=pod.namespace),
            involvedObject=about,
            type="Warning",
            reason=pod.reason.value,
            message=_SAID[pod.reason],
            source=EventSource(component=MANAGER),
            firstTimestamp=now,
            lastTimestamp=now,
            count=1,
        )
        with translated(f"report a pod of {pod.namespace}"):
            try:
                await self._client.create(event)
            except ApiError as exc:
                if exc.status.code == CONFLICT:
                    return False
                raise
        return True
