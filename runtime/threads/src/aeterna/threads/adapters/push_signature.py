"""Signs notifications as compact JWS, and publishes the keys by which receivers check them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm
from jwt.utils import base64url_encode

from aeterna.service.errors import SettingsInvalidError

if TYPE_CHECKING:
    from datetime import datetime

    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.push import Notification

SIGNATURE_HEADER: Final = "Aeterna-Signature"
LIFETIME: Final = timedelta(minutes=5)
TYPE: Final = "a2a-notification+jwt"
_NEEDED: Final = (
    "AETERNA_THREADS_PUSH_SIGNING_KEY_FILE: its first PEM block must be an unencrypted private key, Ed25519 or P-256 "
    "(openssl genpkey -algorithm ed25519), and every other one such a key too"
)

PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey
PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey

_PEM: Final = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Key:
    kid: str
    algorithm: str
    jwk: dict[str, Any]
    private: PrivateKey | None


class NotificationSigner:
    """Signs with the first key of a file, and publishes all of them, so that keys can be changed without a gap."""

    def __init__(self, keys: tuple[_Key, ...], issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer

    @classmethod
    def parse(cls, text: str, *, issuer: str) -> NotificationSigner:
        """Take PEM blocks of Ed25519 or P-256: a private key that signs, then keys, private or public, to publish.

        Raises `SettingsInvalidError`, which quotes nothing of the file.
        """
        try:
            keys = tuple(_key(found.group(0)) for found in _PEM.finditer(text))
        except (ValueError, TypeError, UnsupportedAlgorithm):
            keys = ()
        if not keys or keys[0].private is None:
            raise SettingsInvalidError([_NEEDED])
        return cls(keys, issuer)

    def jwks(self) -> JsonValue:
        """Return the public keys as RFC 7517 has them, the signing one first."""
        return {"keys": [key.jwk for key in self._keys]}

    def sign(self, notification: Notification, *, at: datetime) -> str:
        """Return the compact JWS (RFC 7515) of the notification as it is sent at that moment."""
        key = self._keys[0]
        claims = {
            "iss": self._issuer,
            "aud": notification.url.text,
            "iat": at,
            "exp": at + LIFETIME,
            "jti": notification.notification_id,
            "taskId": notification.task_id,
            "configId": notification.config_id,
            "seq": notification.seq,
            "request_body_sha256": hashlib.sha256(notification.body).hexdigest(),
        }
        # The constructor's callers cannot bring a first key without its private part; see `parse`.
        assert key.private is not None  # noqa: S101 - narrows the type
        return jwt.encode(claims, key.private, algorithm=key.algorithm, headers={"kid": key.kid, "typ": TYPE})


def _key(pem: str) -> _Key:
    private: PrivateKey | None = None
    if "PRIVATE" in pem.partition("\n")[0]:
        loaded = load_pem_private_key(pem.encode(), password=None)
        if not isinstance(loaded, Ed25519PrivateKey | EllipticCurvePrivateKey):
            raise TypeError
        private, public = loaded, loaded.public_key()
    else:
        shown = load_pem_public_key(pem.encode())
        if not isinstance(shown, Ed25519PublicKey | EllipticCurvePublicKey):
            raise TypeError
        public = shown
    algorithm, jwk = _jwk(public)
    # RFC 7638: the members that every key of the kind has, in order, without spaces.
    required = {name: jwk[name] for name in ("crv", "kty", "x", "y") if name in jwk}
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":")).encode()
    kid = base64url_encode(hashlib.sha256(canonical).digest()).decode()
    return _Key(kid, algorithm, {**required, "alg": algorithm, "use": "sig", "kid": kid}, private)


def _jwk(public: PublicKey) -> tuple[str, dict[str, Any]]:
    if isinstance(public, Ed25519PublicKey):
        return "EdDSA", OKPAlgorithm.to_jwk(public, as_dict=True)
    if not isinstance(public.curve, SECP256R1):
        raise TypeError
    return "ES256", ECAlgorithm.to_jwk(public, as_dict=True)
