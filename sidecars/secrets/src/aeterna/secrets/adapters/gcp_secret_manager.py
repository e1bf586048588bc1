"""Google's Secret Manager, asked with a token of the metadata server: the pod's own workload identity.

https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import httpx
import requests
from google.auth import compute_engine
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import Request

from aeterna.contracts.json_value import is_object
from aeterna.secrets.adapters import cloud_rest
from aeterna.secrets.adapters.quiet_libraries import quieten
from aeterna.secrets.domain.secret import Secret
from aeterna.secrets.errors import (
    AccessDeniedError,
    LeaseLostError,
    SecretAbsentError,
    SourceAnswerError,
    SourceUnavailableError,
)

if TYPE_CHECKING:
    from aeterna.secrets.domain.configuration import GcpSource
    from aeterna.secrets.domain.secret import Grant, Lease, Reference

_ENDPOINT: Final = "https://secretmanager.googleapis.com"
_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_FULL: Final = re.compile(r"projects/[a-z0-9:.-]{1,63}(/locations/[a-z0-9-]{1,63})?/secrets/[A-Za-z0-9_-]{1,255}")
_VERSION: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LATEST: Final = "latest"


class GcpSecretManager:
    """A `SecretSource` without leases. A key file in the environment is not looked for."""

    def __init__(self, source: GcpSource) -> None:
        quieten()
        self._project = source.project
        self._endpoint = cloud_rest.trusted_endpoint("endpoint", source.endpoint or _ENDPOINT)
        self._client = httpx.Client(timeout=cloud_rest.TIMEOUT, follow_redirects=False)
        self._request = Request(requests.Session())
        # Any: the library says nothing of its types.
        self._credentials: Any = None

    def fetch(self, reference: Reference) -> Secret:
        """See `SecretSource.fetch`; ``version`` is a number or an alias."""
        version = reference.version or _LATEST
        name = reference.path if "/" in reference.path else f"projects/{self._project}/secrets/{reference.path}"
        if not _FULL.fullmatch(name) or not _VERSION.fullmatch(version):
            raise SecretAbsentError(reference.path)
        url = f"{self._endpoint}/v1/{name}/versions/{version}:access"
        try:
            document = cloud_rest.ask(self._client, url, self._token(), reference)
        except AccessDeniedError:
            # Another token may be believed, or may more than this one.
            self._credentials = None
            raise
        payload = document.get("payload")
        if not is_object(payload):
            raise SourceAnswerError("has no payload")
        content = cloud_rest.from_base64(payload.get("data", ""))
        number = cloud_rest.text_of(document.get("name")).rpartition("/")[2]
        return Secret(fields=cloud_rest.fields_of(content, reference), version=number)

    def renew(self, lease: Lease, *, ttl: float) -> Grant:
        """See `SecretSource.renew`; no lease comes from here."""
        del lease, ttl
        raise LeaseLostError

    def revoke(self, lease: Lease) -> None:
        """See `SecretSource.revoke`; no lease comes from here."""

    def _token(self) -> str:
        """Return a token that still lasts a while; the library keeps it that long."""
        library: Any = compute_engine
        try:
            if self._credentials is None:
                self._credentials = library.Credentials(scopes=_SCOPES)
            if not self._credentials.valid:
                self._credentials.refresh(self._request)
        except (TransportError, requests.RequestException) as exc:
            raise SourceUnavailableError(f"has a metadata server in trouble ({type(exc).__name__})") from None
        except GoogleAuthError:
            raise AccessDeniedError("a login: the metadata server gives the pod no token") from None
        if not self._credentials.token:
            raise AccessDeniedError("a login: the metadata server gives the pod no token")
        return str(self._credentials.token)
