"""An Azure Key Vault, asked with a token that Entra ID gives for the pod's own projected one (workload identity).

https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import WorkloadIdentityCredential

from aeterna.secrets.adapters import cloud_rest
from aeterna.secrets.adapters.quiet_libraries import quieten
from aeterna.secrets.domain.secret import Secret
from aeterna.secrets.errors import (
    AccessDeniedError,
    ConfigurationInvalidError,
    LeaseLostError,
    SecretAbsentError,
    SourceUnavailableError,
)

if TYPE_CHECKING:
    from aeterna.secrets.domain.configuration import AzureSource
    from aeterna.secrets.domain.secret import Grant, Lease, Reference

_API: Final = "7.4"
_PUBLIC: Final = "vault.azure.net"
# Of each of Azure's clouds. A token is for one of these, and goes to no other host.
_DOMAINS: Final = (_PUBLIC, "vault.azure.cn", "vault.usgovcloudapi.net")
_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,127}")
_VERSION: Final = re.compile(r"[A-Za-z0-9]{1,64}")


class AzureKeyVault:
    """A `SecretSource` without leases. A client's secret or certificate in the environment is not looked for."""

    def __init__(self, source: AzureSource) -> None:
        quieten()
        self._vault = cloud_rest.trusted_endpoint("vault_url", source.vault_url)
        self._scope = f"https://{_domain(self._vault)}/.default"
        self._client = httpx.Client(timeout=cloud_rest.TIMEOUT, follow_redirects=False)
        self._credential: WorkloadIdentityCredential | None = None

    def fetch(self, reference: Reference) -> Secret:
        """See `SecretSource.fetch`; ``version`` is one of the vault's own."""
        if not _NAME.fullmatch(reference.path) or not _VERSION.fullmatch(reference.version or "newest"):
            raise SecretAbsentError(reference.path)
        place = f"{reference.path}/{reference.version}" if reference.version else reference.path
        url = f"{self._vault}/secrets/{place}?api-version={_API}"
        try:
            document = cloud_rest.ask(self._client, url, self._token(), reference)
        except AccessDeniedError:
            # The credential would give the token it has until that ends, believed or not.
            self._credential = None
            raise
        content = cloud_rest.text_of(document.get("value")).encode()
        version = cloud_rest.text_of(document.get("id")).rpartition("/")[2]
        return Secret(fields=cloud_rest.fields_of(content, reference), version=version)

    def renew(self, lease: Lease, *, ttl: float) -> Grant:
        """See `SecretSource.renew`; no lease comes from here."""
        del lease, ttl
        raise LeaseLostError

    def revoke(self, lease: Lease) -> None:
        """See `SecretSource.revoke`; no lease comes from here."""

    def _token(self) -> str:
        try:
            if self._credential is None:
                self._credential = WorkloadIdentityCredential(connection_timeout=3, read_timeout=5, retry_total=1)
            return self._credential.get_token(self._scope).token
        except ClientAuthenticationError as exc:
            # Entra ID in trouble is one of these as well, and has a status that says so.
            if exc.status_code is not None and exc.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                raise SourceUnavailableError(f"has an Entra ID that answers {exc.status_code}") from None
            raise AccessDeniedError("a login: Entra ID does not believe the pod's token") from None
        except AzureError as exc:
            raise SourceUnavailableError(f"has an Entra ID out of reach ({type(exc).__name__})") from None
        except (OSError, ValueError):
            raise AccessDeniedError("a login: the pod has no workload identity") from None


def _domain(vault: str) -> str:
    host = urlsplit(vault).hostname or ""
    if cloud_rest.is_loopback(vault):
        return _PUBLIC
    found = next((domain for domain in _DOMAINS if host.endswith(f".{domain}")), None)
    if found is None:
        raise ConfigurationInvalidError("vault_url", f"must be of one of {', '.join(_DOMAINS)}")
    return found
