"""The Lease by which one of several injectors leads, by way of lightkube."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from lightkube.core.exceptions import ApiError
from lightkube.models.coordination_v1 import LeaseSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.coordination_v1 import Lease
from lightkube.types import PatchType

from aeterna.contracts.injection.names import WEBHOOK
from aeterna.injector.adapters.cluster_calls import missing, replacing, translated
from aeterna.injector.adapters.cluster_objects import LABELS
from aeterna.injector.domain.lease import LeaseRecord

if TYPE_CHECKING:
    from lightkube.core.async_client import AsyncClient

_NEVER: Final = datetime.fromtimestamp(0, UTC)


class ClusterLeases:
    """The Lease of our name in a namespace."""

    def __init__(self, client: AsyncClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def read(self) -> LeaseRecord | None:
        """Return who leads, or None when nobody ever did."""
        with translated("read the Lease"):
            try:
                found = await self._client.get(Lease, WEBHOOK, namespace=self._namespace)
            except ApiError as exc:
                if missing(exc):
                    return None
                raise
        spec = found.spec or LeaseSpec()
        metadata = found.metadata
        return LeaseRecord(
            holder=spec.holderIdentity or "",
            renewed=spec.renewTime or _NEVER,
            lasts=timedelta(seconds=spec.leaseDurationSeconds or 0),
            changes=spec.leaseTransitions or 0,
            version=metadata.resourceVersion if metadata is not None else None,
        )

    async def write(self, record: LeaseRecord) -> None:
        """Make the Lease, or write over it."""
        spec: dict[str, object] = {
            "holderIdentity": record.holder,
            "renewTime": record.renewed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "leaseDurationSeconds": max(1, round(record.lasts.total_seconds())),
            "leaseTransitions": record.changes,
        }
        with translated("write the Lease"):
            if record.version is None:
                metadata = ObjectMeta(name=WEBHOOK, namespace=self._namespace, labels=dict(LABELS))
                await self._client.create(Lease(metadata=metadata, spec=LeaseSpec.from_dict(spec)))
                return
            await self._client.patch(
                Lease,
                WEBHOOK,
                replacing(record.version, spec, "/spec"),
                namespace=self._namespace,
                patch_type=PatchType.JSON,
            )
