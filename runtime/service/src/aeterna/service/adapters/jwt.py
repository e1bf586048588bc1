"""Proof of callers by signed JSON Web Tokens (RFC 7519) of one issuer, for one audience."""

from __future__ import annotations

import sys
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal, cast

import jwt

from aeterna.service.adapters.jwks import ALGORITHMS, KeySet, source
from aeterna.service.caller import Caller, parse_tenant
from aeterna.service.clock import system_clock
from aeterna.service.errors import TenantMissingError, TokenInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt.types import Options

    from aeterna.service.caller import TenantId
    from aeterna.service.clock import Clock

_MAX_TOKEN_CHARS: Final = 16 * 1024
_MAX_SUBJECT_CHARS: Final = 255
_MAX_ROLES: Final = 100
_REMEMBERED: Final = 1024
_ENDS: Final = sys.float_info.max
_KINDS: Final[Mapping[object, Literal["Agent", "User"]]] = {None: "User", "user": "User", "agent": "Agent"}
# Times are checked below against the clock we were given; PyJWT would ask the machine's.
_OPTIONS: Final[Options] = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["exp", "iat", "iss", "aud", "sub"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proven:
    """What a token proved, by which key, and for how long that holds."""

    caller: Caller
    key_id: str | None
    key: jwt.PyJWK
    begins: float
    expires: float


class JwksTokenVerifier:
    """Verifies tokens with the key set of their issuer.

    Only ES256, RS256 and EdDSA are accepted, each only with a key of its own kind, so neither ``none`` nor a public
    key used as a shared secret gets through.
    """

    def __init__(
        self,
        source_: str | KeySet,
        *,
        issuer: str,
        audience: str,
        tenant_claim: str = "tenant",
        leeway: timedelta = timedelta(seconds=30),
        clock: Clock = system_clock,
    ) -> None:
        """Take the key set, or the file or address where it is found."""
        self._keys = source_ if isinstance(source_, KeySet) else KeySet(source(source_))
        self._issuer = issuer
        self._audience = audience
        self._tenant_claim = tenant_claim
        self._leeway = leeway.total_seconds()
        self._clock = clock
        # By digest, so that no token stays in memory; the first to come is the first to be forgotten.
        self._proven: OrderedDict[bytes, _Proven] = OrderedDict()

    def verify(self, token: str) -> Caller:
        """Return the caller that the token proves, or raise as `TokenVerifier` says."""
        claims, key_id, key = self._claims(token)
        self._check_times(claims)
        tenant = self._tenant(claims)
        caller = Caller(
            tenant=tenant,
            subject=_subject(claims),
            kind=_kind(claims),
            roles=_roles(claims),
            token_id=_token_id(claims),
        )
        begins = max(_time(claims, "iat"), _time(claims, "nbf") if "nbf" in claims else -_ENDS)
        proven = _Proven(caller=caller, key_id=key_id, key=key, begins=begins, expires=_time(claims, "exp"))
        self._proven[_digest(token)] = proven
        while len(self._proven) > _REMEMBERED:
            try:
                self._proven.popitem(last=False)
            except KeyError:  # another thread was faster
                break
        return caller

    def remembered(self, token: str) -> Caller | None:
        """Return the caller of a token that was verified before, without blocking, or None where it must be verified.

        Only the signature is not looked at again: the times are, and its key must still be the issuer's and fresh.
        """
        if len(token) > _MAX_TOKEN_CHARS or (proven := self._proven.get(_digest(token))) is None:
            return None
        now = self._clock()
        valid = proven.expires > now - self._leeway and proven.begins <= now + self._leeway
        return proven.caller if valid and self._keys.fresh(proven.key_id) is proven.key else None

    def _claims(self, token: str) -> tuple[Mapping[str, object], str | None, jwt.PyJWK]:
        """Return the claims of a token whose signature, issuer and audience are right, and the key that proves it."""
        if len(token) > _MAX_TOKEN_CHARS:
            raise TokenInvalidError("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError):
            raise TokenInvalidError("the token is not a signed JWT") from None
        if header.get("alg") not in ALGORITHMS:
            raise TokenInvalidError(f"the token must be signed with one of {', '.join(ALGORITHMS)}")
        key_id = header.get("kid")
        key = self._keys.key(key_id)
        if key is None:
            raise TokenInvalidError("the token is signed with a key that its issuer does not publish")
        try:
            claims = jwt.decode(
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
        except (jwt.PyJWTError, ValueError):
            raise TokenInvalidError("the token's signature or content is not valid") from None
        return claims, key_id, key

    def _check_times(self, claims: Mapping[str, object]) -> None:
        now = self._clock()
        if _time(claims, "exp") <= now - self._leeway:
            raise TokenInvalidError("the token has expired")
        if _time(claims, "iat") > now + self._leeway:
            raise TokenInvalidError("the token was issued in the future; compare the clocks")
        if "nbf" in claims and _time(claims, "nbf") > now + self._leeway:
            raise TokenInvalidError("the token is not valid yet")

    def _tenant(self, claims: Mapping[str, object]) -> TenantId:
        claimed = claims.get(self._tenant_claim)
        if claimed is None:
            raise TenantMissingError(self._tenant_claim, "is missing")
        tenant = parse_tenant(claimed) if isinstance(claimed, str) else None
        if tenant is None:
            raise TenantMissingError(self._tenant_claim, "is not a tenant: 1 to 63 of a-z, 0-9 and '-'")
        return tenant


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


def _subject(claims: Mapping[str, object]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT_CHARS or not subject.isprintable():
        raise TokenInvalidError(f"the token's claim 'sub' must be 1 to {_MAX_SUBJECT_CHARS} printable characters")
    return subject


def _kind(claims: Mapping[str, object]) -> Literal["Agent", "User"]:
    kind = claims.get("kind")
    if not isinstance(kind, str | None) or kind not in _KINDS:
        raise TokenInvalidError("the token's claim 'kind' must be 'agent' or 'user'")
    return _KINDS[kind]


def _roles(claims: Mapping[str, object]) -> frozenset[str]:
    roles = claims.get("roles", [])
    if not isinstance(roles, list):
        raise TokenInvalidError("the token's claim 'roles' must be a list of strings")
    names = cast("list[object]", roles)
    if len(names) > _MAX_ROLES or not all(_is_role(name) for name in names):
        raise TokenInvalidError(f"the token's claim 'roles' must be at most {_MAX_ROLES} strings that can be printed")
    return frozenset(cast("list[str]", names))


def _is_role(name: object) -> bool:
    # A lone surrogate cannot be written as UTF-8: asked about it, the decision point would seem to be unavailable.
    return isinstance(name, str) and len(name) <= _MAX_SUBJECT_CHARS and name.isprintable()


def _token_id(claims: Mapping[str, object]) -> str | None:
    token_id = claims.get("jti")
    return token_id if isinstance(token_id, str) else None
