"""Proof of workloads by the service-account tokens of their cluster, whose tenant is what the platform says of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from aeterna.service.adapters.signed_token import Proof, Remembered, SignedTokens, subject_of, token_id_of
from aeterna.service.caller import Caller, TenantId
from aeterna.service.clock import system_clock
from aeterna.service.errors import TenantMissingError, TokenInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.contracts.workloads import Workloads
    from aeterna.service.adapters.jwks import KeySet
    from aeterna.service.adapters.workloads_file import WorkloadsFile
    from aeterna.service.clock import Clock

SUBJECT_PREFIX: Final = "system:serviceaccount:"
_CLAIM: Final = "kubernetes.io"


class ServiceAccountVerifier:
    """Verifies projected service-account tokens (Kubernetes' bound tokens), each of them bound to a pod.

    The cluster vouches for namespace and service account; the document says whose the namespace is and what the
    account may be. Nothing else in the token counts: a claim that names a tenant, roles or a kind is not looked at.
    """

    def __init__(
        self,
        source_: str | KeySet,
        *,
        issuer: str,
        audience: str,
        workloads: WorkloadsFile,
        leeway: timedelta = timedelta(seconds=30),
        clock: Clock = system_clock,
    ) -> None:
        """Take the cluster's key set, or the file or address where it is found."""
        self._tokens = SignedTokens(source_, issuer=issuer, audience=audience, leeway=leeway, clock=clock)
        self._workloads = workloads
        self._known: Remembered[tuple[Proof, Workloads, Caller]] = Remembered()

    def verify(self, token: str) -> Caller:
        """Return the caller that the token proves, or raise as `TokenVerifier` says."""
        proof = self._tokens.prove(token)
        namespace, account = _bound(proof.claims)
        workloads = self._workloads.current()
        tenancy = workloads.namespaces.get(namespace)
        if tenancy is None:
            raise TenantMissingError(_CLAIM, "is of a namespace that no tenant has")
        caller = Caller(
            tenant=TenantId(tenancy.tenant),
            subject=subject_of(proof.claims),
            kind="Agent",
            roles=frozenset(tenancy.roles_of(account)),
            token_id=token_id_of(proof.claims),
        )
        self._known.note(token, (proof, workloads, caller))
        return caller

    def remembered(self, token: str) -> Caller | None:
        """Return the caller of a token that was verified before, without blocking, or None where it must be verified.

        What a token proved is forgotten with the document by which it proved it.
        """
        known = self._known.of(token)
        if known is None:
            return None
        proof, workloads, caller = known
        return caller if self._workloads.in_force(workloads) and self._tokens.holds(proof) else None


def _bound(claims: Mapping[str, object]) -> tuple[str, str]:
    """Return the namespace and the service account that the cluster bound the token to; raise `TokenInvalidError`."""
    bound = _entries(claims.get(_CLAIM))
    namespace = bound.get("namespace")
    account = _entries(bound.get("serviceaccount")).get("name")
    pod = _entries(bound.get("pod")).get("name")
    if not isinstance(namespace, str) or not isinstance(account, str) or not isinstance(pod, str) or not pod:
        raise TokenInvalidError("the token is not one that the cluster bound to a pod and its service account")
    if claims.get("sub") != f"{SUBJECT_PREFIX}{namespace}:{account}":
        raise TokenInvalidError("the token's subject is another than the service account that it is bound to")
    return namespace, account


def _entries(value: object) -> Mapping[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
