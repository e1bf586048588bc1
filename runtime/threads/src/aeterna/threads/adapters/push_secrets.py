"""Seals receivers' secrets with AES-256-GCM, under keys that are not in the database."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aeterna.service.errors import SettingsInvalidError
from aeterna.threads.domain.push import PushSecrets
from aeterna.threads.errors import SecretsUnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

_KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_FORMAT: Final = b"\x01"
_NEEDED: Final = (
    "AETERNA_THREADS_PUSH_SECRETS_KEY_FILE: one key a line is needed, 32 bytes in base64 (openssl rand -base64 32)"
)


class AesGcmSecretBox:
    """A `SecretBox`: the first key seals, every key opens.

    What is stored is ``format ‖ key id ‖ nonce ‖ ciphertext and tag``. The nonce is drawn at random for each seal,
    which AES-GCM allows for 2³² seals under one key (NIST SP 800-38D, 8.3).
    """

    def __init__(self, keys: tuple[bytes, ...], draw: Callable[[int], bytes] = os.urandom) -> None:
        """Take keys of 32 bytes each, the newest first."""
        self._ciphers = {_id(key): AESGCM(key) for key in keys}
        self._newest = _id(keys[0])
        self._draw = draw

    @classmethod
    def parse(cls, text: str) -> AesGcmSecretBox:
        """Take a file of one key a line in base64, the newest first; raise `SettingsInvalidError`, naming no key."""
        try:
            keys = tuple(base64.b64decode(line, validate=True) for line in text.split())
        except binascii.Error:
            keys = ()
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise SettingsInvalidError([_NEEDED])
        return cls(keys)

    def seal(self, secrets: PushSecrets, *, place: tuple[str, ...]) -> bytes | None:
        """See `SecretBox.seal`."""
        if secrets.token is None and secrets.credentials is None:
            return None
        nonce = self._draw(_NONCE_BYTES)
        text = json.dumps([secrets.token, secrets.credentials]).encode()
        sealed = self._ciphers[self._newest].encrypt(nonce, text, _bound(place))
        return _FORMAT + self._newest + nonce + sealed

    def open(self, sealed: bytes | None, *, place: tuple[str, ...]) -> PushSecrets:
        """See `SecretBox.open`."""
        if sealed is None:
            return PushSecrets()
        head = len(_FORMAT) + _ID_BYTES
        cipher = self._ciphers.get(sealed[len(_FORMAT) : head])
        if cipher is None or not sealed.startswith(_FORMAT):
            raise SecretsUnreadableError
        try:
            text = cipher.decrypt(sealed[head : head + _NONCE_BYTES], sealed[head + _NONCE_BYTES :], _bound(place))
        except (InvalidTag, ValueError):
            raise SecretsUnreadableError from None
        token, credentials = json.loads(text)
        return PushSecrets(token=token, credentials=credentials)


def _id(key: bytes) -> bytes:
    return hashlib.sha256(b"aeterna push secrets key" + key).digest()[:_ID_BYTES]


def _bound(place: tuple[str, ...]) -> bytes:
    return json.dumps(place).encode()
