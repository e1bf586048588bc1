"""The two things every service needs from outside: a proof of who is calling, and a decision whether they may."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from aeterna.service.decision import Decision, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.service.caller import Caller
    from aeterna.service.json_value import JsonValue

__all__ = ["NOTHING_MORE", "Decision", "DecisionPoint", "Noting", "RememberingVerifier", "Resource", "TokenVerifier"]

NOTHING_MORE: Mapping[str, JsonValue] = MappingProxyType({})


class TokenVerifier(Protocol):
    """Proves tokens; may block, so call it off the event loop.

    Kept by ``adapters.jwt``, ``adapters.service_account`` and, for both, ``adapters.issuers``; faked in ``testing``.
    """

    def verify(self, token: str) -> Caller:
        """Return the caller that the token proves.

        Raise `TokenInvalidError` for a token that proves nobody, `TenantMissingError` for one without a tenant, and
        `KeysUnavailableError` or `WorkloadsUnavailableError` when it cannot be checked.
        """
        ...


@runtime_checkable
class RememberingVerifier(Protocol):
    """A `TokenVerifier` that knows some tokens again without blocking."""

    def remembered(self, token: str) -> Caller | None:
        """Return the caller of a token that is still proven, or None where only `TokenVerifier.verify` can tell."""
        ...


@runtime_checkable
class Noting(Protocol):
    """A part of the process that knows of faults which keep nobody from being served."""

    def notes(self) -> Mapping[str, object]:
        """Return what ``/health`` tells of them, nothing where there are none; no address, no secret."""
        ...


class DecisionPoint(Protocol):
    """Decides what callers may do. Kept by ``adapters.authzen``; faked in ``testing``."""

    async def decide(
        self, caller: Caller, action: str, resource: Resource, context: Mapping[str, JsonValue] = NOTHING_MORE
    ) -> Decision:
        """Return the decision, a deny being a value; raise `DecisionUnavailableError` when there is no clear one."""
        ...

    async def check(self) -> None:
        """Return when decisions can be had; raise `DecisionUnavailableError` when not."""
        ...
