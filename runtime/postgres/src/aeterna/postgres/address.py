"""Where a database is and how one logs in to it: a connection string that may be used as it is, whatever it lacked."""

from __future__ import annotations

import importlib
import logging
import random
import time
from typing import TYPE_CHECKING, Final, Protocol

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo

from aeterna.contracts.hosts import is_loopback
from aeterna.identity.login import TokenLogin
from aeterna.postgres.login import TokenUnavailableError, told_to_the_driver

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.identity.login import TokenSource
    from aeterna.postgres.errors import Family
    from aeterna.postgres.login import Provider

_VERIFIED: Final = "verify-full"
_SYSTEM: Final = "system"
_PORT: Final = "5432"
_ACCOUNT: Final = ".iam"
_ACCOUNT_DOMAIN: Final = ".gserviceaccount.com"
_TOKENLESS: Final = "postgres.login_failed"
# They log what their issuers answer, in which these may repeat what they were sent; we say ourselves what failed.
_TALKATIVE: Final = ("botocore", "azure", "msal", "google.auth", "urllib3", "requests")


class Secret(Protocol):
    """Text that does not show itself, as pydantic's ``SecretStr``."""

    def get_secret_value(self) -> str:
        """Return the text."""
        ...


class AddressSettings(Protocol):
    """The fields of a service's settings that say where its database is."""

    @property
    def dsn(self) -> Secret:
        """Any connection string of libpq."""
        ...

    @property
    def dsn_login(self) -> Provider:
        """Who says who the login is."""
        ...

    @property
    def dsn_ca_file(self) -> Path | None:
        """Whom to believe that a server is who it says, if not whom the machine believes."""
        ...


class Address:
    """A connection string, and the login whose tokens are its passwords, if there is one."""

    def __init__(self, dsn: str, login: TokenLogin | None = None) -> None:
        self._dsn = dsn
        self._login = login

    @classmethod
    def of(
        cls, settings: AddressSettings, errors: Family, dsn: Secret | None = None, *, kept: str | None = None
    ) -> Address:
        """Return the address of the settings, or that of another login to the same database, ``dsn``.

        ``kept`` is the secret of the cloud that holds this login's password, where it logs in with no token.

        Raises `InsecureError` for one over which a password or a token could be read or be handed to a stranger.
        """
        text = (dsn or settings.dsn).get_secret_value()
        verified = secured(text, settings.dsn_login, settings.dsn_ca_file, errors)
        if settings.dsn_login == "password":
            return cls(verified)
        source = _source(settings.dsn_login, verified, kept)
        return cls(verified, TokenLogin(source, clock=time.time, random=random.random, event=_TOKENLESS))

    async def conninfo(self) -> str:
        """Return what to connect with now, or raise `TokenUnavailableError`; what a pool takes for its ``conninfo``."""
        if self._login is None:
            return self._dsn
        with told_to_the_driver():
            return make_conninfo(self._dsn, password=await self._login.password())

    def conninfo_now(self) -> str:
        """Do as `conninfo`, blocking."""
        if self._login is None:
            return self._dsn
        with told_to_the_driver():
            return make_conninfo(self._dsn, password=self._login.password_now())

    def doubt(self) -> None:
        """Take note that no connection could be made, which may have been for its token: the next one asks anew."""
        if self._login is not None:
            self._login.doubt()

    @property
    def failure(self) -> TokenUnavailableError | None:
        """Why there is no token, if that is why there is no connection."""
        failure = None if self._login is None else self._login.failure
        return None if failure is None else TokenUnavailableError.of(failure)


def secured(dsn: str, provider: Provider, ca_file: Path | None, errors: Family) -> str:
    """Return the connection string with full verification of the server, which only a socket of the machine may lack.

    Raises `InsecureError` where the string itself asks for less.
    """
    given = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
    token = provider != "password"
    if token and "password" in given:
        raise errors.insecure(f"it holds a password, although the login is that of {provider}")
    if token and "user" not in given:
        raise errors.insecure(f"it names no user, whom {provider} is to vouch for")
    if not token and _local(given):
        return dsn
    if given.get("sslmode", _VERIFIED) != _VERIFIED:
        raise errors.insecure(f"sslmode={given['sslmode']} lets a stranger be the server; use {_VERIFIED}")
    # Without a bundle of ours libpq would look for one in the home of a user that a container does not have.
    roots = str(ca_file) if ca_file is not None else given.get("sslrootcert", _SYSTEM)
    return make_conninfo(dsn, sslmode=_VERIFIED, sslrootcert=roots)


def _local(given: dict[str, str]) -> bool:
    """Return whether every host is this machine; a service file may name any."""
    if "service" in given:
        return False
    # As libpq has it: what the string lacks is in the environment.
    named = {option.keyword.decode(): (option.val or b"").decode() for option in Conninfo.get_defaults()}
    hosts = given.get("hostaddr") or given.get("host") or named.get("hostaddr") or named.get("host") or ""
    return all(_is_local(host) for host in hosts.split(","))


def _is_local(host: str) -> bool:
    return host in {"", "localhost"} or host.startswith(("/", "@")) or is_loopback(host)


def _source(provider: Provider, dsn: str, kept: str | None) -> TokenSource:
    """Return the issuer; its library is imported only where it is used, since each costs a start 0.2 s and 30 MB."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    given = conninfo_to_dict(dsn)
    if provider == "aws" and kept is not None:
        reading: TokenSource = importlib.import_module("aeterna.identity.aws_secret").AwsSecretSource(kept, time.time)
        return reading
    if provider == "aws":
        host, port, user = str(given["host"]), int(str(given.get("port") or _PORT)), str(given["user"])
        signing: TokenSource = importlib.import_module("aeterna.postgres.login_aws").rds_tokens(
            host, port, user, time.time
        )
        return signing
    issuer = importlib.import_module(f"aeterna.identity.{provider}")
    asking: TokenSource = (
        issuer.GcpTokenSource(issuer.CLOUD_SQL, _account_of(str(given["user"])))
        if provider == "gcp"
        else issuer.AzureTokenSource(issuer.POSTGRESQL)
    )
    return asking


def _account_of(user: str) -> str | None:
    """Return the account that a user of Cloud SQL is, if it is one: its address without what all of them end with."""
    return f"{user}{_ACCOUNT_DOMAIN}" if user.endswith(_ACCOUNT) else None
