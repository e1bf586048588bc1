"""What keeps a workload from proving who it is.

AeternaError
└── IdentityError
    └── TokenUnavailableError
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.errors import AeternaError

if TYPE_CHECKING:
    from aeterna.identity.login import Provider


class IdentityError(AeternaError):
    """The identity of this workload cannot be used."""

    code = "identity.error"


class TokenUnavailableError(IdentityError):
    """The workload's cloud gives it no token.

    It says the kind of the failure and never its text, in which an issuer may repeat what it was sent.
    """

    code = "identity.token_unavailable"

    def __init__(self, provider: Provider, reason: str) -> None:
        super().__init__(f"no token from {provider}: {reason}")
        self.provider: Provider = provider
        self.reason = reason
