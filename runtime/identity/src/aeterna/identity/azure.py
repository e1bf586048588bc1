"""Tokens of Azure: an access token of Entra ID for the pod's own managed identity."""

from __future__ import annotations

from typing import Final

from azure.core.exceptions import AzureError
from azure.identity import ManagedIdentityCredential

from aeterna.identity.errors import TokenUnavailableError
from aeterna.identity.login import Provider, Token

POSTGRESQL: Final = "https://ossrdbms-aad.database.windows.net/.default"
"""What Azure Database for PostgreSQL takes.

https://learn.microsoft.com/azure/postgresql/flexible-server/how-to-configure-sign-in-azure-ad-authentication
"""
REDIS: Final = "https://redis.azure.com/.default"
"""What Azure Managed Redis takes (https://learn.microsoft.com/azure/redis/entra-for-authentication)."""


class AzureTokenSource:
    """Asks Entra ID with the projected token of the pod's service account, or the machine's managed identity."""

    provider: Provider = "azure"

    def __init__(self, scope: str) -> None:
        self._scope = scope

    def fetch(self) -> Token:
        """See `TokenSource.fetch`."""
        try:
            # In a pod with a workload identity this is its projected token, elsewhere what the machine is. It is made
            # for one question, because it would give the token it has until that ends, refused or not.
            with ManagedIdentityCredential(connection_timeout=3, read_timeout=5, retry_total=1) as credential:
                token = credential.get_token(self._scope)
        except (AzureError, OSError, ValueError) as exc:
            # The last two are a projected token that is not there, and a variable of the platform that is not.
            raise TokenUnavailableError(self.provider, type(exc).__name__) from None
        return Token(value=token.token, expires_at=float(token.expires_on))
