"""The metadata of what the platform makes in its own namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aeterna.platform.l1.kubernetes.service_v1 import KubernetesServiceV1MetadataBlock
from aeterna.platform.names import labels

if TYPE_CHECKING:
    from aeterna.platform.site import Site

Metadata: TypeAlias = KubernetesServiceV1MetadataBlock
"""That of every object in a namespace is alike."""


def metadata(name: str, component: str, site: Site) -> Metadata:
    """Return name, namespace and labels of an object that belongs to a part."""
    return {"name": name, "namespace": site.namespace, "labels": labels(name, component, site.spec)}
