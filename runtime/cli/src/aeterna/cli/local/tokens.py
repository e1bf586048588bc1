"""The local stand-in for an identity provider: a key pair of its own, the public half as JWKS, and signed tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from jwt.utils import base64url_encode

from aeterna.cli.errors import StateUnusableError
from aeterna.cli.local.state_dir import write_private

if TYPE_CHECKING:
    from aeterna.cli.local.state_dir import StateDir

ISSUER = "urn:aeterna:local"
AUDIENCE = "aeterna"
ALGORITHM = "ES256"
LIFETIME = timedelta(days=30)
RENEWAL = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Who a token speaks for."""

    tenant: str
    subject: str
    roles: Sequence[str]
    kind: str = "user"
    lifetime: timedelta = LIFETIME


LOCAL = Claims(tenant="local", subject="local-user", roles=("admin",))


class Signer:
    """Signs tokens with the key of one state folder."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    def __repr__(self) -> str:
        return f"Signer({self.key_id!r})"

    @classmethod
    def of(cls, state: StateDir) -> Signer:
        """Return the folder's signer; its key pair and key set are made when they are not there yet."""
        if not state.key.exists():
            fresh = ec.generate_private_key(ec.SECP256R1())
            write_private(state.key, _pem(fresh))
        key = _loaded(state)
        signer = cls(key)
        document = json.dumps(signer.jwks(), indent=2) + "\n"
        if not state.jwks.exists() or state.jwks.read_text(encoding="utf-8") != document:
            write_private(state.jwks, document)
        return signer

    @property
    def key_id(self) -> str:
        """The thumbprint of the public key (RFC 7638)."""
        point = self._public()
        text = json.dumps({name: point[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
        digest = hashes.Hash(hashes.SHA256())
        digest.update(text.encode())
        return base64url_encode(digest.finalize()).decode()

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public key as a key set (RFC 7517)."""
        return {"keys": [{**self._public(), "kid": self.key_id, "use": "sig", "alg": ALGORITHM}]}

    def token(self, claims: Claims, now: datetime) -> str:
        """Return a signed token."""
        payload = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": claims.subject,
            "tenant": claims.tenant,
            "roles": list(claims.roles),
            "kind": claims.kind,
            "jti": str(uuid4()),
            "iat": int(now.timestamp()),
            "exp": int((now + claims.lifetime).timestamp()),
        }
        return jwt.encode(payload, self._key, algorithm=ALGORITHM, headers={"kid": self.key_id})

    def fresh(self, token: str, now: datetime) -> bool:
        """Return whether the token is ours and lasts for at least another day."""
        try:
            claims = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return False
        expires = claims.get("exp")
        return isinstance(expires, int) and datetime.fromtimestamp(expires, UTC) - now > RENEWAL

    def _public(self) -> dict[str, str]:
        document: dict[str, str] = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {name: document[name] for name in ("kty", "crv", "x", "y")}


def local_token(state: StateDir, signer: Signer, now: datetime) -> str:
    """Return the folder's own token, minted again when it is about to expire or of another key."""
    if state.token.exists():
        kept = state.token.read_text(encoding="utf-8").strip()
        if signer.fresh(kept, now):
            return kept
    token = signer.token(LOCAL, now)
    write_private(state.token, token + "\n")
    return token


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def _loaded(state: StateDir) -> ec.EllipticCurvePrivateKey:
    hint = f"remove {state.key}, and a new one is made"
    try:
        key = serialization.load_pem_private_key(state.key.read_bytes(), password=None)
    except ValueError as malformed:
        raise StateUnusableError(state.key, "it does not hold a private key", hint) from malformed
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise StateUnusableError(state.key, "it does not hold an elliptic-curve key", hint)
    return key
