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
_DATA: Final = "/data-updater/trigger"
_POLICIES: Final = "/policy-updater/trigger"


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

    def ask(self) -> bool:
        """Have it fetch data and policies from its server, and push them; raise `FeedUnreachableError` if it cannot.

        Return whether it pushes data at all: with `OPAL_DATA_UPDATER_ENABLED=false` it answers 503 to that, always.
        """
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            data = self._posted(connection, _DATA, HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)
            self._posted(connection, _POLICIES, HTTPStatus.OK)
        except (OSError, http.client.HTTPException) as exc:
            raise FeedUnreachableError(self._url, f"does not answer: {type(exc).__name__}") from exc
        finally:
            connection.close()
        return data == HTTPStatus.OK

    def _posted(self, connection: http.client.HTTPConnection, path: str, *expected: int) -> int:
        connection.request("POST", path)
        response = connection.getresponse()
        response.read()
        if response.status not in expected:
            raise FeedUnreachableError(self._url, f"answered {response.status} to {path}")
        return response.status
