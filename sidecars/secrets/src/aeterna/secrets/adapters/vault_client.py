"""Speaks the HTTP API of Vault and OpenBao through hvac's adapter; what goes wrong becomes our own errors here."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast
from urllib.parse import urlsplit

import requests
from hvac.adapters import RawAdapter

from aeterna.secrets.errors import (
    AccessDeniedError,
    BadRequestError,
    SecretAbsentError,
    SourceAnswerError,
    SourceFaultError,
    SourceUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from datetime import timedelta

    from aeterna.secrets.domain.configuration import VaultSource
    from aeterna.secrets.domain.secret import JsonValue

Method: TypeAlias = Literal["get", "post", "put"]
Answer: TypeAlias = "dict[str, JsonValue]"

# Sealed or in maintenance; a standby of one kind or another; too many requests; not yet as new as what was written.
_UNAVAILABLE: Final = {
    412: "is not up to date yet",
    429: "has too much to do",
    472: "is a standby for disasters",
    473: "is a standby",
    501: "is not initialized",
    502: "is out of reach behind a proxy",
    503: "is sealed, in maintenance or overloaded",
    504: "is out of reach behind a proxy",
}
_REDIRECTS: Final = frozenset({307, 308})
_NO_CONTENT: Final = 204
_BAD_REQUEST: Final = 400
_DENIED: Final = frozenset({401, 403})
_NOT_FOUND: Final = 404
_SERVER_ERROR: Final = 500
# A wait that is longer is a mistake of somebody's, and would outlast what it was to spare.
_LONGEST_WAIT: Final = 600.0
# Vault keeps entries of 1 MiB at most, which JSON can make several times as long.
_MOST_BYTES: Final = 4 * 1024 * 1024
_BLOCK: Final = 64 * 1024


class VaultClient:
    """One token's view of a Vault, or nobody's. Nothing comes from the environment: no token, address, proxy, netrc."""

    def __init__(
        self, vault: VaultSource, *, timeout: timedelta, token: str | None = None, key: bytes | None = None
    ) -> None:
        self.key = key or secrets.token_bytes(32)
        """Under it values are compared; whoever sees what comes of it cannot guess them."""
        self._vault = vault
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False
        # requests looks for a netrc wherever there is no other proof; what proves us is a header of its own.
        self._session.auth = _nobody
        if vault.ca_file is not None:
            self._session.verify = str(vault.ca_file)
        self._adapter = RawAdapter(
            base_uri=vault.address,
            token=token,
            session=self._session,
            namespace=vault.namespace,
            timeout=max(1, round(timeout.total_seconds())),
            allow_redirects=False,
        )

    def holding(self, token: str) -> VaultClient:
        """Return a client that proves itself by a token."""
        return VaultClient(self._vault, timeout=self._timeout, token=token, key=self.key)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def exchange(
        self,
        method: Method,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer's document, empty where there is none; raise `SourceError`, or `BadRequestError` for 400.

        A redirect of a standby is followed once, to the same host or under TLS: the token goes with it.
        """
        what = f"{method.upper()} {path}"
        with _translated():
            answer = self._send(method, path, body, query)
            if answer.status_code in _REDIRECTS:
                answer.close()
                answer = self._redirected(method, body, query, to=answer.headers.get("Location", ""))
            with answer:
                if answer.status_code == _NO_CONTENT:
                    return {}
                _check(answer, what)
                return _document(_bounded(answer))

    def _send(
        self, method: Method, path: str, body: Mapping[str, object] | None, query: Mapping[str, str] | None
    ) -> requests.Response:
        return self._adapter.request(method, f"/v1/{path}", raise_exception=False, json=body, params=query, stream=True)

    def _redirected(
        self, method: Method, body: Mapping[str, object] | None, query: Mapping[str, str] | None, *, to: str
    ) -> requests.Response:
        target, own = urlsplit(to), urlsplit(self._vault.address)
        if target.scheme != "https" and (target.scheme, target.netloc) != (own.scheme, own.netloc):
            raise SourceUnavailableError("leads to an address without TLS, where its token must not go")
        adapter = RawAdapter.from_adapter(self._adapter)
        adapter.base_uri = f"{target.scheme}://{target.netloc}"
        return adapter.request(method, target.path, raise_exception=False, json=body, params=query, stream=True)


@contextmanager
def _translated() -> Generator[None]:
    """Say of what requests raises only what kind it is: it holds the request, and the request has the token."""
    try:
        yield
    except requests.RequestException as exc:
        raise SourceUnavailableError(f"is out of reach: {type(exc).__name__}") from None
    except OSError as exc:
        # As requests has it when the file of authorities is not there.
        raise SourceUnavailableError(f"cannot be reached: {type(exc).__name__}") from None


def _check(answer: requests.Response, what: str) -> None:
    """Raise what a status means; the body is not looked at, since it may repeat what was asked."""
    status = answer.status_code
    if status in _UNAVAILABLE:
        raise SourceUnavailableError(_UNAVAILABLE[status], retry_after=_wait(answer.headers))
    if status in _DENIED:
        raise AccessDeniedError(what)
    if status == _NOT_FOUND and not _is_json(answer.headers):
        # What a secret is withdrawn for has to be said by Vault, and not by a proxy that has just lost it.
        raise SourceUnavailableError("is out of reach behind a proxy that says 404")
    if status == _NOT_FOUND:
        raise SecretAbsentError(what)
    if status == _BAD_REQUEST:
        raise BadRequestError(what)
    if status >= _SERVER_ERROR:
        raise SourceFaultError(status)
    if not answer.ok or status in _REDIRECTS:
        raise SourceAnswerError(f"to {what} has status {status}")


def _is_json(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/json"


def _wait(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds ``Retry-After`` asks for: a number, or a moment of the clock that ``Date`` is told by."""
    told, date = headers.get("Retry-After", ""), headers.get("Date", "")
    if told.isascii() and told.isdigit():
        return min(_LONGEST_WAIT, float(told))
    try:
        seconds = (parsedate_to_datetime(told) - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(_LONGEST_WAIT, max(0.0, seconds))


def _bounded(answer: requests.Response) -> bytes:
    """Return the body; one without an end would otherwise be the end of the process, by its memory."""
    body = bytearray()
    for part in answer.iter_content(_BLOCK):
        body += part
        if len(body) > _MOST_BYTES:
            raise SourceAnswerError(f"is larger than {_MOST_BYTES} bytes")
    return bytes(body)


def _document(body: bytes) -> Answer:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        # Numbers of thousands of digits and endless nesting as well.
        raise SourceAnswerError("is not JSON") from None
    if not isinstance(found, dict):
        raise SourceAnswerError("is no JSON object")
    return cast("Answer", found)


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
