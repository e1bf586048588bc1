"""Signed bundles over HTTP: fetched when they changed, believed by their signature, and never an older one."""

from __future__ import annotations

import time
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from aeterna.cedar.adapters import signing
from aeterna.cedar.domain.signed_bundle import MAX_BYTES, MEDIA_TYPE, REPLICA_HEADER, SIGNATURE_HEADER, decode
from aeterna.cedar.errors import BundleOutdatedError, BundleUnreadableError
from aeterna.contracts.hosts import is_loopback
from aeterna.policy.errors import AddressRefusedError

if TYPE_CHECKING:
    import ssl
    from datetime import timedelta
    from pathlib import Path

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policy.adapters.version_file import VersionFile

_MAX_ETAG_CHARS: Final = 1024


class HttpBundleSource:
    """Fetches from one address, without redirects and without the environment's proxies.

    After any failure the next fetch is a whole one: what happened meanwhile is unknown. The keys are read for each new
    bundle, so that a key can be rotated under a running sidecar.
    """

    def __init__(
        self,
        address: str,
        *,
        keys: Path,
        versions: VersionFile,
        replica: str,
        timeout: timedelta,
        token: Path | None = None,
        trust: ssl.SSLContext | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Take a file with the bearer token to show, if one is asked for; it is read each time.

        ``trust`` says whom to believe in the place of the system's authorities.

        Raise `AddressRefusedError` for plain HTTP to anywhere but this machine.
        """
        self._address = checked_address(address)
        self._token = token
        self._keys = keys
        self._versions = versions
        self._headers = {"Accept": MEDIA_TYPE, "Accept-Encoding": "identity", REPLICA_HEADER: replica}
        self._timeout = timeout.total_seconds()
        # One for all fetches, since each has a TLS context of its own, of 600 kB, that only a collection would free. No
        # connection is kept: a balancer's answer may be another replica each time.
        limits = httpx.Limits(max_keepalive_connections=0)
        # Cookies would pile up in it, and say nothing about a bundle.
        cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._client = httpx.Client(
            timeout=self._timeout,
            trust_env=False,
            verify=trust or True,
            transport=transport,
            limits=limits,
            cookies=cookies,
        )
        self._held: tuple[str, Bundle] | None = None

    def read(self) -> Bundle:
        """Return the current bundle; raise `BundleUnreadableError`, `BundleSignatureError` or `BundleOutdatedError`."""
        held, self._held = self._held, None
        asking = self._headers | self._authorization() | ({"If-None-Match": held[0]} if held is not None else {})
        try:
            with self._client.stream("GET", self._address, headers=asking) as response:
                if response.status_code == HTTPStatus.NOT_MODIFIED and held is not None:
                    self._held = held
                    return held[1]
                if response.status_code != HTTPStatus.OK:
                    raise BundleUnreadableError(self._address, f"answered {response.status_code}")
                body = self._body(response)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise BundleUnreadableError(self._address, f"does not answer: {type(exc).__name__}") from exc
        bundle = self._proven(response.headers.get(SIGNATURE_HEADER), body)
        etag = response.headers.get("ETag", "")
        # One that cannot be sent back as it came is none.
        sendable = 0 < len(etag) <= _MAX_ETAG_CHARS and etag.isascii() and etag.isprintable()
        self._held = (etag, bundle) if sendable else None
        return bundle

    def _authorization(self) -> dict[str, str]:
        if self._token is None:
            return {}
        try:
            token = self._token.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise BundleUnreadableError(str(self._token), type(exc).__name__) from exc
        if not token.isprintable():
            raise BundleUnreadableError(str(self._token), "is no token")
        return {"Authorization": f"Bearer {token}"}

    def _body(self, response: httpx.Response) -> bytes:
        """Return the body; it is bounded in bytes and, as a whole, in time: a slow drip would outlast every timeout."""
        deadline = time.monotonic() + self._timeout
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MAX_BYTES:
                raise BundleUnreadableError(self._address, f"sends more than {MAX_BYTES} bytes")
            if time.monotonic() > deadline:
                raise BundleUnreadableError(self._address, "takes too long to send the bundle")
        return bytes(body)

    def _proven(self, signature: str | None, body: bytes) -> Bundle:
        key = signing.verify(signing.public_keys(self._keys), signature, body)
        document = decode(body)
        used = self._versions.last(key)
        if document.version < used:
            raise BundleOutdatedError(document.version, used)
        bundle = document.bundle()
        self._versions.note(key, document.version)
        return bundle


def checked_address(address: str) -> str:
    """Return the address if it is https, or http on this machine's loopback; else raise `AddressRefusedError`."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None:
        raise AddressRefusedError("an address with a name and a password in it would be shown in logs")
    if not host or not (
        parts.scheme == "https" or (parts.scheme == "http" and (host == "localhost" or is_loopback(host)))
    ):
        raise AddressRefusedError(f"{address} is neither https nor http on this machine's loopback")
    return address
