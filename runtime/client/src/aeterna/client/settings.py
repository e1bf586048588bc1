"""What a client is told by its environment; the only place that knows the names of the variables."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aeterna.client.errors import ConfigurationError
from aeterna.client.token import FixedToken, TokenFile, TokenSource
from aeterna.contracts import trust

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from aeterna.client.operation import Service

GRAPH_URL = "AETERNA_GRAPH_URL"
THREADS_URL = "AETERNA_THREADS_URL"
POLICIES_URL = "AETERNA_POLICIES_URL"
TOKEN = "AETERNA_TOKEN"  # noqa: S105 - the name of a variable, not a secret
CA_FILE = trust.CA_FILE
TOKEN_FILE = "AETERNA_TOKEN_FILE"  # noqa: S105 - as above
_HINT = "`aeterna up` prints the values of a local runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the services are and who asks; a service without an address cannot be used, the others can.

    ``ca_file`` holds the authorities (PEM) that prove the services in the place of the system's; it is read again when
    it changes.
    """

    token: TokenSource
    graph_url: str | None = None
    threads_url: str | None = None
    policies_url: str | None = None
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        for url in (self.graph_url, self.threads_url, self.policies_url):
            if url is None:
                continue
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
                raise ConfigurationError(f"{url!r} is not the address of a service", "write http(s)://host[:port]")

    def url(self, service: Service) -> str:
        """Return where a service answers; raise `ConfigurationError` when nobody said."""
        url, name = {
            "graph": (self.graph_url, GRAPH_URL),
            "threads": (self.threads_url, THREADS_URL),
            "policies": (self.policies_url, POLICIES_URL),
        }[service]
        if url is None:
            raise ConfigurationError(f"{name} is not set", _HINT)
        return url

    def trusted(self) -> ssl.SSLContext | bool:
        """Return whom to believe; raise `ConfigurationError` for a file that holds no authorities."""
        if self.ca_file is None:
            return True
        try:
            return trust.FileTrust(self.ca_file)
        except OSError as unreadable:
            reason = unreadable.strerror or type(unreadable).__name__
            remedy = f"set {CA_FILE} to a file of certificates (PEM)"
            raise ConfigurationError(f"cannot read authorities in {self.ca_file}: {reason}", remedy) from unreadable

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of this process's environment; raise `ConfigurationError` naming what is missing.

        One address is enough; that of another service is missed once something is asked of it.
        """
        found = os.environ if environment is None else environment

        def told(name: str) -> str | None:
            return found.get(name, "").strip() or None

        urls = {"graph_url": told(GRAPH_URL), "threads_url": told(THREADS_URL), "policies_url": told(POLICIES_URL)}
        if not any(urls.values()):
            raise ConfigurationError(f"none of {GRAPH_URL}, {THREADS_URL} or {POLICIES_URL} is set", _HINT)
        token, file = told(TOKEN), told(TOKEN_FILE)
        if token is None and file is None:
            raise ConfigurationError(f"{TOKEN_FILE} is not set", _HINT)
        authorities = told(CA_FILE)
        return cls(
            token=FixedToken(token) if token else TokenFile(Path(file or "")),
            ca_file=Path(authorities) if authorities else None,
            **urls,
        )
