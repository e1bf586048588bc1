"""What a client is told by its environment; the only place that knows the names of the variables."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aeterna.client.errors import ConfigurationError
from aeterna.client.token import FixedToken, TokenFile, TokenSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.client.operation import Service

GRAPH_URL = "AETERNA_GRAPH_URL"
THREADS_URL = "AETERNA_THREADS_URL"
POLICIES_URL = "AETERNA_POLICIES_URL"
TOKEN = "AETERNA_TOKEN"  # noqa: S105 - the name of a variable, not a secret
TOKEN_FILE = "AETERNA_TOKEN_FILE"  # noqa: S105 - as above
_HINT = "`aeterna up` prints the values of a local runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the services are and who asks; without ``policies_url`` the policies cannot be administered."""

    graph_url: str
    threads_url: str
    token: TokenSource
    policies_url: str | None = None

    def __post_init__(self) -> None:
        for url in (self.graph_url, self.threads_url, *([self.policies_url] if self.policies_url else [])):
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
                raise ConfigurationError(f"{url!r} is not the address of a service", "write http(s)://host[:port]")

    def url(self, service: Service) -> str:
        """Return where a service answers; raise `ConfigurationError` when nobody said."""
        urls = {"graph": self.graph_url, "threads": self.threads_url, "policies": self.policies_url}
        url = urls[service]
        if url is None:
            raise ConfigurationError(f"{POLICIES_URL} is not set", _HINT)
        return url

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of this process's environment; raise `ConfigurationError` naming what is missing."""
        found = os.environ if environment is None else environment

        def needed(name: str) -> str:
            value = found.get(name, "").strip()
            if not value:
                raise ConfigurationError(f"{name} is not set", _HINT)
            return value

        token = found.get(TOKEN, "").strip()
        return cls(
            graph_url=needed(GRAPH_URL),
            threads_url=needed(THREADS_URL),
            token=FixedToken(token) if token else TokenFile(Path(needed(TOKEN_FILE))),
            policies_url=found.get(POLICIES_URL, "").strip() or None,
        )
