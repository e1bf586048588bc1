"""Tokens of two issuers, people's and the cluster's, each of which is believed in its own matters alone."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, cast

from aeterna.service.adapters.jwks import KeySet, source
from aeterna.service.adapters.jwt import JwksTokenVerifier
from aeterna.service.adapters.service_account import SUBJECT_PREFIX, ServiceAccountVerifier
from aeterna.service.adapters.signed_token import MAX_TOKEN_CHARS
from aeterna.service.adapters.workloads_file import WorkloadsFile, WorkloadsMetrics
from aeterna.service.errors import TokenInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import CollectorRegistry

    from aeterna.service.caller import Caller
    from aeterna.service.ports import TokenVerifier
    from aeterna.service.settings import ServiceSettings


def verifier_of(settings: ServiceSettings, registry: CollectorRegistry) -> TokenVerifier:
    """Return what verifies tokens as the settings say: people's, and the cluster's where there is a document of it."""
    people = JwksTokenVerifier(
        settings.jwks,
        issuer=settings.issuer,
        audience=settings.audience,
        tenant_claim=settings.tenant_claim,
        leeway=settings.token_leeway,
    )
    if settings.workloads is None or settings.workload_issuer is None or settings.workload_jwks is None:
        return people
    file = WorkloadsFile(settings.workloads)
    WorkloadsMetrics(file, registry)
    keys = source(
        settings.workload_jwks,
        ca_file=settings.workload_jwks_ca_file,
        token_file=settings.workload_jwks_token_file,
    )
    workloads = ServiceAccountVerifier(
        KeySet(keys),
        issuer=settings.workload_issuer,
        audience=settings.audience,
        workloads=file,
        leeway=settings.token_leeway,
    )
    return IssuersTokenVerifier(people, workloads, workload_issuer=settings.workload_issuer, file=file)


class IssuersTokenVerifier:
    """Hands each token to the verifier of the issuer that it names, which proves that it is.

    Subjects are unique within an issuer only: one of people's that looks like a service account's is refused, or
    whoever can choose his name there would own what an agent owns.
    """

    def __init__(
        self,
        people: JwksTokenVerifier,
        workloads: ServiceAccountVerifier,
        *,
        workload_issuer: str,
        file: WorkloadsFile,
    ) -> None:
        self._people = people
        self._workloads = workloads
        self._workload_issuer = workload_issuer
        self._file = file

    def verify(self, token: str) -> Caller:
        """Return the caller that the token proves, or raise as `TokenVerifier` says."""
        if _claimed_issuer(token) == self._workload_issuer:
            return self._workloads.verify(token)
        caller = self._people.verify(token)
        if caller.subject.startswith(SUBJECT_PREFIX):
            raise TokenInvalidError("the token's subject is a service account's, which its issuer cannot vouch for")
        return caller

    def remembered(self, token: str) -> Caller | None:
        """Return the caller of a token that is still proven, or None where it must be verified."""
        known = self._workloads.remembered(token)
        if known is not None:
            return known
        known = self._people.remembered(token)
        return None if known is None or known.subject.startswith(SUBJECT_PREFIX) else known

    def notes(self) -> Mapping[str, object]:
        """Return what is wrong with the document of namespaces and tenants; nothing while it is in force."""
        document = self._file.look()
        if self._file.fault is None:
            return {}
        return {"workloads": {"fault": self._file.fault, "in_force": document is not None}}


def _claimed_issuer(token: str) -> object:
    """Return the issuer that a token names, proven by nothing; None where it names none."""
    if len(token) > MAX_TOKEN_CHARS:
        return None
    try:
        payload = token.split(".")[1]
        claims: object = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        return None
    return cast("dict[str, object]", claims).get("iss") if isinstance(claims, dict) else None
