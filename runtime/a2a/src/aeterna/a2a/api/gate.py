"""Who may call: the bearer's proof, the agent's own tenant, and the policy's decision, alike on every binding."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import structlog

from aeterna.a2a.errors import ForeignTenantError
from aeterna.service.decision import Resource
from aeterna.service.errors import PermissionDeniedError, TokenMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.service.caller import Caller
    from aeterna.service.ports import DecisionPoint, TokenVerifier

Action: TypeAlias = Literal["threads.read", "threads.write"]

ANY_TASK: Final = "*"
_SCHEME: Final = "bearer "

log = structlog.stdlib.get_logger(__name__)


class Gate:
    """Lets callers of the agent's tenant in, to what the policy permits them."""

    def __init__(self, verifier: TokenVerifier, decisions: DecisionPoint, *, tenant: str) -> None:
        """Take the tenant whose agent this is."""
        self._verifier = verifier
        self._decisions = decisions
        self._tenant = tenant

    async def prove(self, authorizations: Sequence[str]) -> Caller:
        """Return who sent these ``authorization`` values, of which there must be one.

        Raises what `TokenVerifier.verify` raises, `TokenMissingError`, or `ForeignTenantError` for other tenants.
        """
        if len(authorizations) != 1 or authorizations[0][: len(_SCHEME)].lower() != _SCHEME:
            raise TokenMissingError
        token = authorizations[0][len(_SCHEME) :].strip()
        if not token:
            raise TokenMissingError
        # Verifying may fetch keys, which blocks.
        caller = await asyncio.to_thread(self._verifier.verify, token)
        if caller.tenant != self._tenant:
            raise ForeignTenantError
        return caller

    async def permit(self, caller: Caller, action: Action, task_id: str = ANY_TASK) -> None:
        """Return when the policy permits it; raise `PermissionDeniedError` or `DecisionUnavailableError`."""
        resource = Resource(type="Thread", id=task_id, tenant=caller.tenant)
        decision = await self._decisions.decide(caller, action, resource)
        if not decision.allowed:
            log.info(
                "policy.denied",
                action=action,
                resource_type=resource.type,
                tenant=caller.tenant,
                policies=decision.policies,
                epoch=decision.epoch,
            )
            raise PermissionDeniedError(action, f"{resource.type} {resource.id!r}")

    def check_tenant(self, *named: str) -> None:
        """Raise `ForeignTenantError` where a request names a tenant that is not the agent's."""
        if any(name not in {"", self._tenant} for name in named):
            raise ForeignTenantError
