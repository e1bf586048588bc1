"""Changes with what is mounted, so that pods that read files only when they start are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.expressions import Fn

if TYPE_CHECKING:
    from aeterna.platform.l1.kubernetes.config_map_v1 import KubernetesConfigMapV1


def digest_of(*config_maps: KubernetesConfigMapV1) -> str:
    """Return a digest of what the ConfigMaps hold, which is computed at apply: some of it is known only then."""
    data = [each.interpolation_for_attribute("data") for each in config_maps]
    return Fn.sha256(Fn.jsonencode(data))
