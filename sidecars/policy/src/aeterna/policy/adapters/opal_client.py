"""OPAL's client beside the sidecar, asked over its own HTTP interface to fetch everything and push it again."""

from __future__ import annotations

import http.client
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aeterna.policy.errors import AddressRefusedError, FeedUnreachableError

if TYPE_CHECKING:
    from datetime import timedelta

# Data first: it fails at once when no server can be reached. Policies would be queued, one full update for each ask.
_TRIGGERS: Final = ("/data-updater/trigger", "/policy-updater/trigger")


class OpalClient:
    """Asks the client that stands in the same pod; its interface knows no tokens, so it has to be on the loopback."""

    def __init__(self, url: str, *, timeout: timedelta) -> None:
        """Take ``http://host:port``; raise `AddressRefusedError` for anything else."""
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None or parts.path.rstrip("/") or parts.query:
            raise AddressRefusedError(f"{url} is not the http://host:port of an OPAL client")
        self._url = url
        self._host = parts.hostname
        self._port = parts.port or http.client.HTTP_PORT
        self._timeout = timeout.total_seconds()

    def ask(self) -> None:
        """Have it fetch data and policies from its server, and push them; raise `FeedUnreachableError` if it cannot."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            for path in _TRIGGERS:
                connection.request("POST", path)
                response = connection.getresponse()
                response.read()
                if response.status != HTTPStatus.OK:
                    raise FeedUnreachableError(self._url, f"answered {response.status} to {path}")
        except (OSError, http.client.HTTPException) as exc:
            raise FeedUnreachableError(self._url, f"does not answer: {type(exc).__name__}") from exc
        finally:
            connection.close()
