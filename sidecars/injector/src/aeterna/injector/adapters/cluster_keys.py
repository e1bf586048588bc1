"""The cluster's keys for tokens of pods, from the API server's own discovery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.injector.adapters.cluster_calls import translated

if TYPE_CHECKING:
    import httpx2

_PATH: Final = "/openid/v1/jwks"


class DiscoveredKeys:
    """The key set of the API server, which every service account may read."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        """Take a client of HTTP for the API server: lightkube itself knows only objects."""
        self._http = http

    async def read(self) -> str:
        """Return the keys as a JSON Web Key Set, the same text for the same keys."""
        with translated("read the cluster's keys"):
            answer = await self._http.get(_PATH)
            answer.raise_for_status()
            return answer.text.strip() + "\n"
