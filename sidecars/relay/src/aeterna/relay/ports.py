"""What the relay needs of the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Connection(Protocol):
    """One connection, in both directions. Kept by ``adapters.streams``; faked in ``testing``."""

    async def receive(self) -> bytes:
        """Return what came, nothing at the end. Raise `OSError` when the connection broke."""
        ...

    async def send(self, data: bytes) -> None:
        """Send, and wait while the other side takes less than is sent. Raise `OSError` when the connection broke."""
        ...

    def close(self) -> None:
        """Close without waiting."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """A connection that the cache has let in, and when its login ends (Unix time)."""

    connection: Connection
    ends: float


class Upstream(Protocol):
    """The cache. Kept by ``adapters.tls_upstream``; faked in ``testing``."""

    async def open(self) -> LoggedIn:
        """Return a new connection as this workload's identity.

        Raise `UpstreamUnavailableError`, `LoginRefusedError`, or `TokenUnavailableError` without a token.
        """
        ...
