"""Secrets of one namespace and ConfigMaps of all, by way of lightkube."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from lightkube.core.exceptions import ApiError
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap, Namespace, Secret
from lightkube.types import PatchType

from aeterna.contracts.injection.names import INJECTION, TRUST_CONFIG_MAP
from aeterna.injector.adapters.cluster_calls import missing, replacing, translated
from aeterna.injector.domain.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lightkube.core.async_client import AsyncClient

LABELS: Final = {
    "app.kubernetes.io/name": "injector",
    "app.kubernetes.io/part-of": "aeterna",
    "app.kubernetes.io/managed-by": "aeterna-injector",
}
_PAGE: Final = 500
_EVERYWHERE: Final = "*"


class ClusterSecrets:
    """The Secrets of a namespace."""

    def __init__(self, client: AsyncClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def read(self, name: str) -> Stored | None:
        """Return what the Secret holds, or None when there is none."""
        with translated(f"read the Secret {name}"):
            try:
                found = await self._client.get(Secret, name, namespace=self._namespace)
            except ApiError as exc:
                if missing(exc):
                    return None
                raise
            return Stored(entries=_decoded(found.data), version=_version(found.metadata))

    async def write(self, name: str, stored: Stored, *, tls: bool) -> None:
        """Make the Secret, or write over it."""
        data = {key: base64.b64encode(value.encode()).decode() for key, value in stored.entries.items()}
        with translated(f"write the Secret {name}"):
            if stored.version is None:
                metadata = ObjectMeta(name=name, namespace=self._namespace, labels=dict(LABELS))
                await self._client.create(
                    Secret(metadata=metadata, data=data, type="kubernetes.io/tls" if tls else "Opaque")
                )
                return
            await self._client.patch(
                Secret, name, replacing(stored.version, data), namespace=self._namespace, patch_type=PatchType.JSON
            )


class ClusterTrustMaps:
    """The ConfigMaps of one name in all namespaces."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def injected(self) -> Collection[str]:
        """Return the namespaces with the label; one that is being deleted takes nothing new."""
        with translated("list namespaces"):
            found = self._client.list(Namespace, labels={INJECTION: "enabled"}, chunk_size=_PAGE)
            return [
                each.metadata.name
                async for each in found
                if each.metadata is not None
                and each.metadata.name is not None
                and each.metadata.deletionTimestamp is None
            ]

    async def read_all(self) -> Mapping[str, Stored]:
        """Return every one that there is; asked for by its name, so that the right to list is one to this name."""
        with translated("list the trust ConfigMaps"):
            found = self._client.list(
                ConfigMap, namespace=_EVERYWHERE, fields={"metadata.name": TRUST_CONFIG_MAP}, chunk_size=_PAGE
            )
            return {
                each.metadata.namespace: Stored(entries=dict(each.data or {}), version=_version(each.metadata))
                async for each in found
                if each.metadata is not None and each.metadata.namespace is not None
            }

    async def write(self, namespace: str, stored: Stored) -> None:
        """Make the namespace's, or write over it."""
        data = dict(stored.entries)
        with translated(f"write the trust of {namespace}"):
            if stored.version is None:
                metadata = ObjectMeta(name=TRUST_CONFIG_MAP, namespace=namespace, labels=dict(LABELS))
                await self._client.create(ConfigMap(metadata=metadata, data=data))
                return
            await self._client.patch(
                ConfigMap,
                TRUST_CONFIG_MAP,
                replacing(stored.version, data),
                namespace=namespace,
                patch_type=PatchType.JSON,
            )


def _decoded(data: Mapping[str, str] | None) -> Mapping[str, str]:
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in (data or {}).items()}


def _version(metadata: ObjectMeta | None) -> str | None:
    return None if metadata is None else metadata.resourceVersion
