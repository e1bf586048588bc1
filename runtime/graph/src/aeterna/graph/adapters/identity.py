"""Short-lived tokens for the identity of a workload: from a file, an OAuth server, or the cloud around it.

Sources: RFC 8693 (token exchange), RFC 7523 (assertions), Google's "Access tokens from the metadata server", and
Microsoft's "Workload identity federation".
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlencode, urlsplit

from aeterna.graph.domain.catalogs import AwsLogin, AzureLogin, ExchangeLogin, FileLogin, GoogleLogin, Login, NoLogin
from aeterna.graph.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aeterna.graph.ports import Stopwatch

TokenSource: TypeAlias = "Callable[[], str]"

_OPERATION: Final = "log in"
_TIMEOUT: Final = 5.0  # seconds
_EARLY: Final = 120.0  # seconds before its end at which a token is not used any more
_MOST: Final = 1 << 20  # bytes of an answer
_GOOGLE_TOKEN: Final = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105 - a path


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A token and for how many seconds it is valid."""

    token: str
    seconds: float


def token_source(login: Login, *, environment: Mapping[str, str], stopwatch: Stopwatch) -> TokenSource | None:
    """Return what gives a valid token whenever it is asked; None where the login has no tokens.

    AWS has none: there, requests are signed by its own library. Each call may raise `StorageError`.
    """
    match login:
        case NoLogin() | AwsLogin():
            return None
        case FileLogin(path=path):
            return partial(_read, path)
        case ExchangeLogin():
            return RenewedToken(partial(_exchange, login), stopwatch)
        case GoogleLogin():
            return RenewedToken(
                partial(_google, environment.get("GCE_METADATA_HOST", "metadata.google.internal")), stopwatch
            )
        case AzureLogin():
            return RenewedToken(partial(_azure, login, environment), stopwatch)


class RenewedToken:
    """A token that is kept while it is valid and then asked for again; safe for use by several threads."""

    def __init__(self, ask: Callable[[], Granted], stopwatch: Stopwatch) -> None:
        self._ask = ask
        self._stopwatch = stopwatch
        self._lock = threading.Lock()
        self._token: str | None = None
        self._until = 0.0

    def __call__(self) -> str:
        """Return a token that is valid for a while; raise `StorageError` when none is to be had."""
        with self._lock:
            if self._token is None or self._stopwatch() >= self._until:
                asked_at = self._stopwatch()
                granted = self._ask()
                # One that is shorter than the margin is used for half of its time, not thrown away at once.
                self._until = asked_at + max(granted.seconds - _EARLY, granted.seconds / 2)
                self._token = granted.token
            return self._token


def _read(path: Path) -> str:
    try:
        token = path.read_text().strip()
    except OSError as failure:
        raise StorageError(_OPERATION, f"no token to read: {failure}") from failure
    if not token:
        raise StorageError(_OPERATION, f"the file {path} is empty")
    return token


def _exchange(login: ExchangeLogin) -> Granted:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": _read(login.path),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "scope": login.scope,
    }
    return _granted("POST", login.token_uri, form=form)


def _google(host: str) -> Granted:
    # Plain HTTP by design: the address is the machine's own and never leaves it.
    return _granted("GET", f"http://{host}{_GOOGLE_TOKEN}", headers={"Metadata-Flavor": "Google"})


def _azure(login: AzureLogin, environment: Mapping[str, str]) -> Granted:
    try:
        tenant, client = environment["AZURE_TENANT_ID"], environment["AZURE_CLIENT_ID"]
        file = Path(environment["AZURE_FEDERATED_TOKEN_FILE"])
    except KeyError as missing:
        raise StorageError(_OPERATION, f"the pod has no workload identity: {missing.args[0]} is not set") from missing
    authority = environment.get("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/").rstrip("/")
    form = {
        "grant_type": "client_credentials",
        "client_id": client,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": _read(file),
        "scope": login.scope,
    }
    return _granted("POST", f"{authority}/{tenant}/oauth2/v2.0/token", form=form)


def _granted(
    method: str, address: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Granted:
    """Ask for a token and read the answer of RFC 6749, section 5.1."""
    sent = dict(headers or {})
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        status, body = _request(method, address, urlencode(form) if form else None, sent)
        if not 200 <= status < 300:  # noqa: PLR2004 - the range of success
            raise StorageError(_OPERATION, f"{urlsplit(address).hostname} answered {status}")
        answer = json.loads(body)
        return Granted(token=str(answer["access_token"]), seconds=float(answer["expires_in"]))
    except (OSError, HTTPException) as failure:
        raise StorageError(_OPERATION, f"{urlsplit(address).hostname}: {failure}") from failure
    except (ValueError, KeyError, TypeError) as unclear:
        # Not shown: it may hold a token.
        raise StorageError(_OPERATION, f"{urlsplit(address).hostname} answered something else") from unclear


def _request(method: str, address: str, body: str | None, headers: dict[str, str]) -> tuple[int, bytes]:
    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    try:
        connection.request(method, parts.path or "/", body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST)
    finally:
        connection.close()
