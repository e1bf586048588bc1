"""Who is calling: the parsed content of a verified token, and nothing that a request could say of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, NewType

TenantId = NewType("TenantId", str)

# The same alphabet as a DNS label, so that a tenant can name a namespace, a bucket prefix and a table location.
TENANT_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def parse_tenant(text: str) -> TenantId | None:
    """Return the tenant that the text names, or None where it cannot be one."""
    return TenantId(text) if TENANT_PATTERN.fullmatch(text) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A subject of one tenant, proven by a token.

    ``subject`` is the token's ``sub`` (1 to 255 characters), unique within the issuer. ``roles`` may hold names that
    no policy knows; they grant nothing. ``token_id`` is the token's ``jti`` where it has one.
    """

    tenant: TenantId
    subject: str
    kind: Literal["Agent", "User"]
    roles: frozenset[str]
    token_id: str | None
