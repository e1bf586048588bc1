"""A login that its cloud vouches for, as psycopg sees it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

import psycopg

from aeterna.identity import errors

if TYPE_CHECKING:
    from collections.abc import Generator

Provider: TypeAlias = Literal["password", "aws", "gcp", "azure"]
"""Who says who a login is; ``password`` is the connection string itself."""


class TokenUnavailableError(psycopg.OperationalError):
    """No token could be had; to the pool and to everything else it is a connection that could not be made.

    It says the kind of the failure and never its text, in which an issuer may repeat what it was sent.
    """

    def __init__(self, provider: str, reason: str) -> None:
        super().__init__(f"no token for the database from {provider}: {reason}")
        self.provider = provider
        self.reason = reason

    @classmethod
    def of(cls, error: errors.TokenUnavailableError) -> TokenUnavailableError:
        """Return what an identity without a token is to the driver."""
        return cls(error.provider, error.reason)


@contextmanager
def told_to_the_driver() -> Generator[None]:
    """Raise that there is no token as an error that the driver knows what to do with."""
    try:
        yield
    except errors.TokenUnavailableError as exc:
        raise TokenUnavailableError.of(exc) from exc
