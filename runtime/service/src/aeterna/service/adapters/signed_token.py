"""Proof that a token is its issuer's own: signature, issuer, audience and times (RFC 7519), whatever it says beside."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import jwt

from aeterna.service.adapters.jwks import ALGORITHMS, KeySet, source
from aeterna.service.clock import system_clock
from aeterna.service.errors import TokenInvalidError

if TYPE_CHECKING:
    from datetime import timedelta

    from jwt.types import Options

    from aeterna.service.clock import Clock

MAX_TOKEN_CHARS: Final = 16 * 1024
_MAX_SUBJECT_CHARS: Final = 255
_REMEMBERED: Final = 1024
_ENDS: Final = sys.float_info.max
# Times are checked below against the clock we were given; PyJWT would ask the machine's.
_OPTIONS: Final[Options] = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["exp", "iat", "iss", "aud", "sub"],
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a token says that its issuer signed, by which key, and for how long that holds."""

    claims: Mapping[str, object]
    key_id: str | None
    key: jwt.PyJWK
    begins: float
    expires: float


class SignedTokens:
    """Proves tokens with the key set of one issuer, for one audience.

    Only ES256, RS256 and EdDSA are accepted, each only with a key of its own kind, so neither ``none`` nor a public
    key used as a shared secret gets through.
    """

    def __init__(
        self,
        source_: str | KeySet,
        *,
        issuer: str,
        audience: str,
        leeway: timedelta,
        clock: Clock = system_clock,
    ) -> None:
        """Take the key set, or the file or address where it is found."""
        self._keys = source_ if isinstance(source_, KeySet) else KeySet(source(source_))
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway.total_seconds()
        self._clock = clock

    def prove(self, token: str) -> Proof:
        """Return what the token proves now; raise `TokenInvalidError` or `KeysUnavailableError`."""
        if len(token) > MAX_TOKEN_CHARS:
            raise TokenInvalidError("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenInvalidError("the token is not a signed JWT") from None
        if header.get("alg") not in ALGORITHMS:
            raise TokenInvalidError(f"the token must be signed with one of {', '.join(ALGORITHMS)}")
        key_id = header.get("kid")
        key = self._keys.key(key_id)
        if key is None:
            raise TokenInvalidError("the token is signed with a key that its issuer does not publish")
        claims = self._decoded(token, key)
        self._check_times(claims)
        begins = max(_time(claims, "iat"), _time(claims, "nbf") if "nbf" in claims else -_ENDS)
        return Proof(claims=claims, key_id=key_id, key=key, begins=begins, expires=_time(claims, "exp"))

    def holds(self, proof: Proof) -> bool:
        """Tell, without blocking, whether a proof still holds: its times, and its key, fresh and the issuer's."""
        now = self._clock()
        valid = proof.expires > now - self._leeway and proof.begins <= now + self._leeway
        return valid and self._keys.fresh(proof.key_id) is proof.key

    def _decoded(self, token: str, key: jwt.PyJWK) -> Mapping[str, object]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                options=_OPTIONS,
            )
        except jwt.MissingRequiredClaimError as exc:
            raise TokenInvalidError(f"the token lacks the claim {exc.claim!r}") from None
        except jwt.InvalidIssuerError:
            raise TokenInvalidError("the token is of another issuer") from None
        except jwt.InvalidAudienceError:
            raise TokenInvalidError("the token is for another audience") from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenInvalidError("the token's signature or content is not valid") from None

    def _check_times(self, claims: Mapping[str, object]) -> None:
        now = self._clock()
        if _time(claims, "exp") <= now - self._leeway:
            raise TokenInvalidError("the token has expired")
        if _time(claims, "iat") > now + self._leeway:
            raise TokenInvalidError("the token was issued in the future; compare the clocks")
        if "nbf" in claims and _time(claims, "nbf") > now + self._leeway:
            raise TokenInvalidError("the token is not valid yet")


class Remembered(Generic[T]):
    """What the last tokens proved, by digest, so that no token stays in memory; safe to use from several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, T] = OrderedDict()

    def note(self, token: str, proven: T) -> None:
        """Remember it; the first to come is the first to be forgotten."""
        self._known[_digest(token)] = proven
        while len(self._known) > _REMEMBERED:
            try:
                self._known.popitem(last=False)
            except KeyError:  # another thread was faster
                break

    def of(self, token: str) -> T | None:
        """Return what a token proved, which may not hold any longer."""
        return self._known.get(_digest(token)) if len(token) <= MAX_TOKEN_CHARS else None


def subject_of(claims: Mapping[str, object]) -> str:
    """Return the subject, or raise `TokenInvalidError`."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT_CHARS or not subject.isprintable():
        raise TokenInvalidError(f"the token's claim 'sub' must be 1 to {_MAX_SUBJECT_CHARS} printable characters")
    return subject


def token_id_of(claims: Mapping[str, object]) -> str | None:
    """Return the token's own id, where it has one."""
    token_id = claims.get("jti")
    return token_id if isinstance(token_id, str) else None


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _time(claims: Mapping[str, object], name: str) -> float:
    """Return a NumericDate; RFC 7519 allows fractions.

    A boolean is no number here, and neither is NaN, which Python's JSON reads and which no comparison ever refuses.
    Nor is an integer beyond every float, which Python's JSON reads as well and which no float can be compared with.
    """
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_ENDS <= value <= _ENDS:
        raise TokenInvalidError(f"the token's claim {name!r} is not a time")
    return value
