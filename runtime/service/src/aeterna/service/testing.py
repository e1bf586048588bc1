"""For tests of services: fakes of the chassis's ports, and keys that sign real tokens."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from aeterna.service.decision import Decision
from aeterna.service.errors import DecisionUnavailableError, TokenInvalidError
from aeterna.service.ports import NOTHING_MORE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from aeterna.service.caller import Caller
    from aeterna.service.decision import Resource
    from aeterna.service.json_value import JsonValue


class FakeTokenVerifier:
    """Proves exactly the tokens that it was given."""

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        self._callers = callers

    def verify(self, token: str) -> Caller:
        """Return the token's caller, or raise `TokenInvalidError`."""
        try:
            return self._callers[token]
        except KeyError:
            raise TokenInvalidError("the token is not one of the test's") from None


class FakeDecisionPoint:
    """Decides as it is told to, and remembers what it was asked."""

    def __init__(self, *, allow: bool | Callable[[Caller, str, Resource], bool] = True, available: bool = True) -> None:
        self._allow = allow
        self.available = available
        self.asked: list[tuple[Caller, str, Resource]] = []

    async def decide(
        self, caller: Caller, action: str, resource: Resource, context: Mapping[str, JsonValue] = NOTHING_MORE
    ) -> Decision:
        """Return the decision, or raise `DecisionUnavailableError` while not available."""
        del context
        await self.check()
        self.asked.append((caller, action, resource))
        allowed = self._allow if isinstance(self._allow, bool) else self._allow(caller, action, resource)
        return Decision(allowed=allowed, policies=("fake",), epoch=1, digest="sha256:fake")

    async def check(self) -> None:
        """Return while available."""
        if not self.available:
            raise DecisionUnavailableError("the test's decision point is switched off")


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """An ES256 key pair of a test's own issuer."""

    issuer: str = "urn:aeterna:test"
    key_id: str = "test-1"
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def jwk(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key."""
        return {
            **ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True),
            "kid": self.key_id,
            "use": "sig",
            "alg": "ES256",
        }

    def jwks(self) -> bytes:
        """Return the key set that holds only this key."""
        return json.dumps({"keys": [self.jwk()]}).encode()

    def write_jwks(self, path: Path) -> Path:
        """Write the key set to a file and return its path."""
        path.write_bytes(self.jwks())
        return path

    def token(
        self,
        tenant: str = "acme",
        *,
        subject: str = "ada",
        roles: Sequence[str] = ("admin",),
        kind: str = "user",
        now: float | None = None,
        without: Sequence[str] = (),
        **claims: object,
    ) -> str:
        """Return a token valid for five minutes; ``claims`` override or add, ``without`` leaves some out."""
        moment = int(time.time() if now is None else now)
        content: dict[str, object] = {
            "iss": self.issuer,
            "aud": "aeterna",
            "iat": moment,
            "exp": moment + 300,
            "sub": subject,
            "tenant": tenant,
            "roles": list(roles),
            "kind": kind,
            **claims,
        }
        kept = {name: value for name, value in content.items() if name not in without}
        return jwt.encode(kept, self.private, algorithm="ES256", headers={"kid": self.key_id})
