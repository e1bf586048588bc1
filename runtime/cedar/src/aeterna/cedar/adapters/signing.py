"""Signatures of bundles: Ed25519 by way of cryptography, in a header of one line.

The header is ``ed25519;<key id>;<base64>``. A key's id is the beginning of its own digest, so that nobody has to give
keys names, and a reader that holds several finds the right one at once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from aeterna.cedar.errors import BundleSignatureError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ALGORITHM: Final = "ed25519"
_KEY_ID_CHARS: Final = 16
_END: Final = b"-----END PUBLIC KEY-----"
_MAX_KEY_BYTES: Final = 64 * 1024


def new_key() -> tuple[bytes, bytes]:
    """Return a new private key and its public key, both as PEM."""
    private = Ed25519PrivateKey.generate()
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """Return the key that a PEM without a password holds, or raise `BundleSignatureError`."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's own words could show a piece of the key.
        raise BundleSignatureError("the private key is no PEM, or has a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleSignatureError("the private key is not of Ed25519")
    return key


def public_keys(location: Path) -> Mapping[str, Ed25519PublicKey]:
    """Return the keys of a PEM file, or of all ``*.pem`` of a folder, by id; raise `BundleSignatureError` for none.

    A key is rotated by having the old and the new one here for a while.
    """
    keys: dict[str, Ed25519PublicKey] = {}
    try:
        files = sorted(location.glob("*.pem")) if location.is_dir() else [location]
        for file in files:
            with file.open("rb") as opened:
                text = opened.read(_MAX_KEY_BYTES)
            keys.update({key_id(key): key for key in _keys_in(text, file)})
    except OSError as exc:
        raise BundleSignatureError(f"the public keys in {location} cannot be read: {type(exc).__name__}") from exc
    if not keys:
        raise BundleSignatureError(f"there is no public key in {location}")
    return keys


def key_id(key: Ed25519PublicKey) -> str:
    """Return the id that a signature names its key by."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:_KEY_ID_CHARS]


def sign(private: Ed25519PrivateKey, body: bytes) -> str:
    """Return the header that proves the body."""
    signature = base64.b64encode(private.sign(body)).decode()
    return f"{_ALGORITHM};{key_id(private.public_key())};{signature}"


def verify(keys: Mapping[str, Ed25519PublicKey], header: str | None, body: bytes) -> str:
    """Return the id of the key that signed the body, or raise `BundleSignatureError`."""
    if header is None:
        raise BundleSignatureError("the bundle is not signed")
    algorithm, _, rest = header.partition(";")
    named, _, written = rest.partition(";")
    if algorithm != _ALGORITHM:
        raise BundleSignatureError(f"the signature is not of {_ALGORITHM}")
    key = keys.get(named)
    if key is None:
        raise BundleSignatureError("the bundle is signed by a key that is not trusted")
    try:
        key.verify(base64.b64decode(written, validate=True), body)
    except (binascii.Error, ValueError, InvalidSignature):
        raise BundleSignatureError("the signature does not match the bundle") from None
    return named


def _keys_in(text: bytes, file: Path) -> list[Ed25519PublicKey]:
    keys: list[Ed25519PublicKey] = []
    for block in text.split(_END)[:-1]:
        try:
            key = load_pem_public_key(block.lstrip() + _END + b"\n")
        except (ValueError, UnsupportedAlgorithm):
            raise BundleSignatureError(f"{file} holds a key that cannot be read") from None
        if not isinstance(key, Ed25519PublicKey):
            raise BundleSignatureError(f"{file} holds a key that is not of Ed25519")
        keys.append(key)
    return keys
