"""What every pod and container of the platform gives up: Pod Security ``restricted``, and a read-only root."""

from __future__ import annotations

from typing import Final

from aeterna.contracts.injection.names import SIDECAR_USER

POD: Final[dict[str, object]] = {
    "runAsNonRoot": True,
    "runAsUser": SIDECAR_USER,
    "runAsGroup": SIDECAR_USER,
    "fsGroup": SIDECAR_USER,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""The images' user reads what is mounted by its group: files of Secrets and tokens have modes without others."""

CONTAINER: Final[dict[str, object]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": SIDECAR_USER,
    "runAsGroup": SIDECAR_USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}

READ_BY_GROUP: Final = 0o440
