"""Calls to the Kubernetes API by way of lightkube: the client, and its errors in our words."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx2
from lightkube.config import client_adapter
from lightkube.config.kubeconfig import KubeConfig
from lightkube.core.async_client import AsyncClient
from lightkube.core.exceptions import ApiError, ConfigError

from aeterna.injector.errors import (
    ClusterConflictError,
    ClusterError,
    ClusterRefusedError,
    ClusterUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import timedelta
    from pathlib import Path

MANAGER: Final = "aeterna-injector"
NOT_FOUND: Final = 404
CONFLICT: Final = 409
_LATER: Final = frozenset({401, 408, 429})
"""A token that has just been replaced, and a server that is too busy, are gone with the next try."""
_SERVERS_FAULT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The API server: as lightkube knows its objects, and as plain HTTP for what is none."""

    objects: AsyncClient
    http: httpx2.AsyncClient

    async def close(self) -> None:
        """Close all connections."""
        await self.objects.close()
        await self.http.aclose()


def connected(kubeconfig: Path | None, *, timeout: timedelta) -> Connection:
    """Return a connection to the cluster that the pod is in, or to a kubeconfig's; raise `ClusterUnavailableError`.

    No environment variable is believed but Kubernetes' own: a proxy between would see every Secret.
    """
    with translated("connect"):
        try:
            found = KubeConfig.from_service_account() if kubeconfig is None else KubeConfig.from_file(kubeconfig)
        except (ConfigError, KeyError) as exc:
            raise ClusterUnavailableError(
                "connect", f"there is neither a cluster around nor a kubeconfig: {exc}"
            ) from None
        config, patience = found.get(), httpx2.Timeout(timeout.total_seconds())
        parameters = client_adapter.ConnectionParams(timeout=patience, trust_env=False)
        return Connection(
            objects=AsyncClient(config=config, timeout=patience, trust_env=False, field_manager=MANAGER),
            http=client_adapter.AsyncClient(config, parameters),
        )


@contextmanager
def translated(what: str) -> Generator[None]:
    """Raise lightkube's errors as ours; ``what`` says which call it was.

    Of the server's answer only the status and the reason are kept: a message may repeat what an object holds.
    """
    try:
        yield
    except ApiError as exc:
        code = exc.status.code or 0
        raise _of(code)(what, f"{code} {exc.status.reason or ''}".strip()) from None
    except httpx2.HTTPStatusError as exc:
        code = exc.response.status_code
        raise _of(code)(what, str(code)) from None
    except (httpx2.HTTPError, ConfigError, OSError) as exc:
        raise ClusterUnavailableError(what, type(exc).__name__) from None


def _of(code: int) -> type[ClusterError]:
    # What is gone since it was read was changed; a write names what it read.
    if code in {CONFLICT, NOT_FOUND}:
        return ClusterConflictError
    if code in _LATER or code >= _SERVERS_FAULT:
        return ClusterUnavailableError
    return ClusterRefusedError


def missing(problem: ApiError) -> bool:
    """Whether there is no such object."""
    return problem.status.code == NOT_FOUND


def replacing(version: str, value: object, path: str = "/data") -> list[dict[str, object]]:
    """Return a patch (RFC 6902) of one part of an object, which the server refuses when its version is another one."""
    return [step("replace", "/metadata/resourceVersion", version), step("add", path, value)]


def step(operation: str, path: str, value: object) -> dict[str, object]:
    """Return one operation of a patch; ``add`` puts a value in the place of one that is there."""
    return {"op": operation, "path": path, "value": value}
