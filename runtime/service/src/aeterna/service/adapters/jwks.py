"""The public keys that prove tokens, fetched from a file or an address, kept fresh and survived without."""

from __future__ import annotations

import json
import ssl
import threading
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from aeterna.service.clock import steady_clock
from aeterna.service.errors import KeysUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aeterna.service.clock import Clock

ALGORITHMS: Final = ("ES256", "RS256", "EdDSA")
_MAX_DOCUMENT_BYTES: Final = 256 * 1024
_MIN_RSA_BITS: Final = 2048
# RFC 7517, 8.5: kube-apiserver answers 406 to whoever takes plain JSON alone.
_MEDIA_TYPES: Final = "application/jwk-set+json, application/json"


class KeySet:
    """Finds a verification key by its id, asking the source as seldom as it can.

    The set is refetched after ``fresh_for``, or when an unknown key id shows up, since that is how an issuer's rotation
    announces itself; but never more often than every ``min_interval``, or forged key ids would make us hammer the
    issuer. While the source is silent the last set is used until it is ``stale_for`` old, and then no longer: a key
    that was withdrawn must not be trusted for ever. Safe to call from several threads.
    """

    def __init__(
        self,
        fetch: Callable[[], bytes],
        *,
        fresh_for: timedelta = timedelta(minutes=5),
        stale_for: timedelta = timedelta(hours=1),
        min_interval: timedelta = timedelta(seconds=10),
        clock: Clock = steady_clock,
    ) -> None:
        self._fetch = fetch
        self._fresh_for = fresh_for.total_seconds()
        self._stale_for = stale_for.total_seconds()
        self._min_interval = min_interval.total_seconds()
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str | None, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")

    def key(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key, or None where the issuer has none of this id; raise `KeysUnavailableError` without a set."""
        now = self._clock()
        if now - self._fetched_at > self._fresh_for or key_id not in self._keys:
            self._refresh(now, wait=key_id not in self._keys)
        if now - self._fetched_at > self._stale_for:
            raise KeysUnavailableError("the issuer's keys could not be fetched")
        return self._keys.get(key_id)

    def fresh(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key if that takes no fetching, which another thread may do: None may mean either."""
        return self._keys.get(key_id) if self._clock() - self._fetched_at <= self._fresh_for else None

    def _refresh(self, now: float, *, wait: bool) -> None:
        """Fetch the set if it is time to; a failed attempt leaves the old set in place.

        Whoever has a key already does not wait for another thread's attempt: a slow issuer must not stop everybody.
        """
        if not self._lock.acquire(blocking=wait):
            return
        try:
            if now - self._tried_at < self._min_interval:
                return
            self._tried_at = now
            try:
                document = self._fetch()
            except KeysUnavailableError:
                return
            keys = _parse(document)
            if keys:
                self._keys, self._fetched_at = keys, now
        finally:
            self._lock.release()


def source(
    location: str,
    *,
    timeout: timedelta = timedelta(seconds=3),
    ca_file: Path | None = None,
    token_file: Path | None = None,
) -> Callable[[], bytes]:
    """Return how to fetch a key set from an address (``https://…``) or a file; it raises `KeysUnavailableError`.

    ``ca_file`` proves the address in the place of the system's authorities, ``token_file`` holds what it wants to be
    shown; both are read for each fetch, since both are replaced under a process.
    """
    if location.startswith(("https://", "http://")):
        return lambda: _download(location, timeout, ca_file, token_file)
    path = Path(location.removeprefix("file://"))
    return lambda: _read(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise KeysUnavailableError(f"the key set {path} cannot be read") from exc


def _download(address: str, timeout: timedelta, ca_file: Path | None, token_file: Path | None) -> bytes:
    """Fetch without redirects and without the environment's proxies: whoever answers decides whom we trust."""
    latest = steady_clock() + timeout.total_seconds()
    headers = {"Accept": _MEDIA_TYPES, **_authorization(token_file)}
    try:
        with (
            httpx.Client(timeout=timeout.total_seconds(), trust_env=False, verify=_trusted(ca_file)) as client,
            client.stream("GET", address, headers=headers) as response,
        ):
            if response.status_code != HTTPStatus.OK:
                raise KeysUnavailableError(f"the key set's address answered {response.status_code}")
            document = bytearray()
            for chunk in response.iter_bytes():
                document += chunk
                if len(document) > _MAX_DOCUMENT_BYTES:
                    raise KeysUnavailableError("the key set is too large to be one")
                # httpx waits that long for each piece, and whoever wants a new key waits with us.
                if steady_clock() > latest:
                    raise KeysUnavailableError("the key set's address takes too long")
            return bytes(document)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise KeysUnavailableError("the key set's address does not answer") from exc


def _trusted(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as exc:
        raise KeysUnavailableError(f"the authorities in {ca_file} cannot be read") from exc


def _authorization(token_file: Path | None) -> dict[str, str]:
    if token_file is None:
        return {}
    try:
        token = token_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise KeysUnavailableError(f"the token {token_file} cannot be read") from exc
    if not token.isprintable() or " " in token:
        raise KeysUnavailableError(f"the token {token_file} is none")
    return {"Authorization": f"Bearer {token}"}


def _parse(document: bytes) -> Mapping[str | None, jwt.PyJWK]:
    """Return the usable keys by id; a single key is also found by None, for issuers that send no key ids."""
    try:
        parsed: object = json.loads(document)
    except (ValueError, RecursionError):
        return {}
    entries = cast("dict[str, object]", parsed).get("keys") if isinstance(parsed, dict) else None
    keys: dict[str | None, jwt.PyJWK] = {}
    for entry in cast("list[object]", entries) if isinstance(entries, list) else ():
        key = _key(cast("dict[str, object]", entry)) if isinstance(entry, dict) else None
        if key is not None:
            keys[key.key_id] = key
    if len(keys) == 1:
        keys[None] = next(iter(keys.values()))
    return keys


def _key(entry: dict[str, object]) -> jwt.PyJWK | None:
    """Return a key that we would accept a signature of, or None for one that is not meant for that or is too weak."""
    if entry.get("use", "sig") != "sig" or not isinstance(entry.get("kid"), str | None):
        return None
    try:
        key = jwt.PyJWK(entry)
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        # The others are what PyJWT raises of a key without a part, or with one of another kind. The rest are good.
        return None
    if key.algorithm_name not in ALGORITHMS:
        return None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < _MIN_RSA_BITS:
        return None
    return key
