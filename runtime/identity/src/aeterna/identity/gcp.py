"""Tokens of Google Cloud: an OAuth access token of the pod's own service account, or of one that it may act as."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

import google.auth
import requests
from google.auth import impersonated_credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from aeterna.identity.errors import TokenUnavailableError
from aeterna.identity.login import Provider, Token

CLOUD_SQL: Final = "https://www.googleapis.com/auth/sqlservice.login"
"""The scope that Cloud SQL takes (https://cloud.google.com/sql/docs/postgres/iam-logins)."""
CLOUD_PLATFORM: Final = "https://www.googleapis.com/auth/cloud-platform"
"""The scope that Memorystore takes (https://cloud.google.com/memorystore/docs/valkey/about-iam-auth)."""


class GcpTokenSource:
    """Asks the metadata server, or whatever else the application's default credentials are, for access tokens.

    ``account`` is the address of the account whose token is wanted. Where it is not the pod's own, the pod acts as it
    (``roles/iam.serviceAccountTokenCreator``), as migrations do as a database's administrator. Default: the pod's own.
    ``request`` is the library's way to call anybody.
    """

    provider: Provider = "gcp"

    def __init__(self, scope: str, account: str | None = None, request: object = None) -> None:
        self._scope = scope
        self._account = account
        # Any, as everything that follows from it: the library says nothing of its types.
        self._library: Any = google.auth
        self._acting: Any = impersonated_credentials
        self._request: Any = request or Request(requests.Session())

    def fetch(self) -> Token:
        """See `TokenSource.fetch`."""
        try:
            # Found anew each time, which costs little beside the call: what a metadata server in trouble has answered
            # must not be remembered as there being none.
            credentials, _project = self._library.default(scopes=(self._scope,), request=self._request)
            credentials.refresh(self._request)
            if self._account not in {None, getattr(credentials, "service_account_email", self._account)}:
                credentials = self._acting.Credentials(credentials, self._account, [self._scope])
                credentials.refresh(self._request)
        except (GoogleAuthError, requests.RequestException) as exc:
            raise TokenUnavailableError(self.provider, type(exc).__name__) from None
        if not credentials.token or credentials.expiry is None:
            raise TokenUnavailableError(self.provider, "the credentials gave no token that ends")
        # The library keeps times in UTC without saying so.
        return Token(value=credentials.token, expires_at=credentials.expiry.replace(tzinfo=UTC).timestamp())
