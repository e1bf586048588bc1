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


GRAPH_URL = "AETERNA_GRAPH_URL"
THREADS_URL = "AETERNA_THREADS_URL"
TOKEN = "AETERNA_TOKEN"  # noqa: S105 - the name of a variable, not a secret
TOKEN_FILE = "AETERNA_TOKEN_FILE"  # noqa: S105 - as above


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the services are and who asks."""

    graph_url: str
    threads_url: str
    token: TokenSource

    def __post_init__(self) -> None:
        for url in (self.graph_url, self.threads_url):
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
                raise ConfigurationError(f"{url!r} is not the address of a service", "write http(s)://host[:port]")

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of this process's environment; raise `ConfigurationError` naming what is missing."""
        found = os.environ if environment is None else environment

        def needed(name: str) -> str:
            value = found.get(name, "").strip()
            if not value:
                raise ConfigurationError(f"{name} is not set", "`aeterna up` prints the values of a local runtime")
            return value

        token = found.get(TOKEN, "").strip()
        return cls(
            graph_url=needed(GRAPH_URL),
            threads_url=needed(THREADS_URL),
            token=FixedToken(token) if token else TokenFile(Path(needed(TOKEN_FILE))),
        )
