"""Google's Secret Manager, asked with a token of the metadata server: the pod's own workload identity.

https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import httpx
import orjson

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
    from collections.abc import Callable, Mapping

    from aeterna.secrets.domain.configuration import GcpSource
    from aeterna.secrets.domain.secret import Grant, Lease, Reference

_HOST: Final = "GCE_METADATA_HOST"
_METADATA: Final = "metadata.google.internal"
_TOKEN: Final = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105 - a path
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
# The metadata server gives the token that it has until less than this is left of it.
_EARLY_SECONDS: Final = 60.0
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_FULL: Final = re.compile(
    r"projects/[a-z0-9:.-]{1,63}(/locations/(?P<location>[a-z0-9-]{1,63}))?/secrets/[A-Za-z0-9_-]{1,255}"
)
_VERSION: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LATEST: Final = "latest"


class GcpSecretManager:
    """A `SecretSource` without leases. A key file in the environment is not looked for.

    ``environment`` may say where the metadata server is, as Google's own libraries have it; ``steady`` is a clock.
    """

    def __init__(self, source: GcpSource, *, environment: Mapping[str, str], steady: Callable[[], float]) -> None:
        quieten()
        self._project = source.project
        named = source.endpoint
        self._endpoint = None if named is None else cloud_rest.trusted_endpoint("endpoint", named)
        self._metadata = f"http://{environment.get(_HOST) or _METADATA}{_TOKEN}"
        self._steady = steady
        self._client = httpx.Client(timeout=cloud_rest.TIMEOUT, follow_redirects=False)
        # No proxy: the metadata server is the machine's own, and another one would be somebody else's.
        self._near = httpx.Client(timeout=cloud_rest.TIMEOUT, follow_redirects=False, trust_env=False)
        self._token: tuple[str, float] | None = None

    def fetch(self, reference: Reference) -> Secret:
        """See `SecretSource.fetch`; ``version`` is a number or an alias."""
        version = reference.version or _LATEST
        name = reference.path if "/" in reference.path else f"projects/{self._project}/secrets/{reference.path}"
        found = _FULL.fullmatch(name)
        if found is None or not _VERSION.fullmatch(version):
            raise SecretAbsentError(reference.path)
        url = f"{self._endpoint or endpoint_of(found['location'])}/v1/{name}/versions/{version}:access"
        try:
            document = cloud_rest.ask(self._client, url, self._current_token(), reference)
        except AccessDeniedError:
            # Another token may be believed, or may more than this one.
            self._token = None
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

    def _current_token(self) -> str:
        """Return a token that still lasts a while; by hand, because Google's library tries for 15 seconds."""
        if self._token is None or self._steady() >= self._token[1]:
            asked_at = self._steady()
            try:
                answer = self._near.get(
                    self._metadata, params={"scopes": _SCOPE}, headers={"Metadata-Flavor": "Google"}
                )
            except httpx.HTTPError as exc:
                raise SourceUnavailableError(f"has a metadata server out of reach ({type(exc).__name__})") from None
            if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise SourceUnavailableError(f"has a metadata server that answers {answer.status_code}")
            if answer.status_code != HTTPStatus.OK:
                raise AccessDeniedError("a login: the metadata server gives the pod no token")
            token, lasts = _read_token(answer.content)
            self._token = (token, asked_at + lasts - _EARLY_SECONDS)
        return self._token[0]


def endpoint_of(location: str | None) -> str:
    """Return where Google has secrets; those of a location are at that location's own address and at no other."""
    return f"https://secretmanager.{f'{location}.rep.' if location is not None else ''}googleapis.com"


def _read_token(content: bytes) -> tuple[str, float]:
    try:
        document: object = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = None
    if is_object(document):
        token, lasts = document.get("access_token"), document.get("expires_in")
        if isinstance(token, str) and token and isinstance(lasts, int):
            return token, float(lasts)
    raise AccessDeniedError("a login: the metadata server's answer is no token")
