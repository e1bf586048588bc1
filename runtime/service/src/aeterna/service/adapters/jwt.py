"""Proof of people, and of programs outside of the cluster, by the JSON Web Tokens of one issuer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, cast

from aeterna.service.adapters.signed_token import Proof, Remembered, SignedTokens, subject_of, token_id_of
from aeterna.service.caller import Caller, parse_tenant
from aeterna.service.clock import system_clock
from aeterna.service.errors import TenantMissingError, TokenInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.service.adapters.jwks import KeySet
    from aeterna.service.caller import TenantId
    from aeterna.service.clock import Clock

_MAX_ROLE_CHARS: Final = 255
_MAX_ROLES: Final = 100
_KINDS: Final[Mapping[object, Literal["Agent", "User"]]] = {None: "User", "user": "User", "agent": "Agent"}


class JwksTokenVerifier:
    """Verifies tokens that name their tenant themselves, since their issuer knows it; see `SignedTokens`."""

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
        self._tokens = SignedTokens(source_, issuer=issuer, audience=audience, leeway=leeway, clock=clock)
        self._tenant_claim = tenant_claim
        self._known: Remembered[tuple[Proof, Caller]] = Remembered()

    def verify(self, token: str) -> Caller:
        """Return the caller that the token proves, or raise as `TokenVerifier` says."""
        proof = self._tokens.prove(token)
        tenant = self._tenant(proof.claims)
        caller = Caller(
            tenant=tenant,
            subject=subject_of(proof.claims),
            kind=_kind(proof.claims),
            roles=_roles(proof.claims),
            token_id=token_id_of(proof.claims),
        )
        self._known.note(token, (proof, caller))
        return caller

    def remembered(self, token: str) -> Caller | None:
        """Return the caller of a token that was verified before, without blocking, or None where it must be verified.

        Only the signature is not looked at again: the times are, and its key must still be the issuer's and fresh.
        """
        known = self._known.of(token)
        return known[1] if known is not None and self._tokens.holds(known[0]) else None

    def _tenant(self, claims: Mapping[str, object]) -> TenantId:
        claimed = claims.get(self._tenant_claim)
        if claimed is None:
            raise TenantMissingError(self._tenant_claim, "is missing")
        tenant = parse_tenant(claimed) if isinstance(claimed, str) else None
        if tenant is None:
            raise TenantMissingError(self._tenant_claim, "is not a tenant: 1 to 63 of a-z, 0-9 and '-'")
        return tenant


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
    return isinstance(name, str) and len(name) <= _MAX_ROLE_CHARS and name.isprintable()
