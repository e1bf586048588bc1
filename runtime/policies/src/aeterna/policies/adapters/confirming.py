"""Cedar itself, asked whether one policy takes effect on a request: what a solver says is worth no more than this."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import cedarpy

from aeterna.policies.domain.requests import described
from aeterna.policies.domain.typed.formula import AllOf, AnyOf, Fails, Formula, Not, TakesEffect
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from aeterna.cedar.domain.request import Request
    from aeterna.policies.domain.typed.policy import Policy


class CedarConfirmer:
    """Asks one policy at a time, so that no other hides whether it takes effect; what it asks with is parsed once."""

    def __init__(self, schema: str) -> None:
        """Take the schema's text; raise ValueError if Cedar refuses it."""
        self._schema = cedarpy.Schema.from_str(schema)
        self._alone: WeakKeyDictionary[Policy, cedarpy.PolicySet] = WeakKeyDictionary()

    def fulfils(self, request: Request, wanted: Formula) -> bool:
        """Return whether the formula holds of the request, by Cedar; raise `UndecidedError` if Cedar refuses it."""
        try:
            entities = cedarpy.Entities.from_json_str(json.dumps(described(request)), self._schema)
        except ValueError as exc:
            raise UndecidedError(f"Cedar refuses the entities of an example: {exc}") from exc
        return self._holds(request, entities, wanted)

    def _holds(self, request: Request, entities: cedarpy.Entities, wanted: Formula) -> bool:
        match wanted:
            case TakesEffect(policy):
                return self._asked(request, entities, policy)[0]
            case Fails(policy):
                return self._asked(request, entities, policy)[1]
            case Not(inner):
                return not self._holds(request, entities, inner)
            case AllOf(several):
                return all(self._holds(request, entities, one) for one in several)
            case AnyOf(several):
                return any(self._holds(request, entities, one) for one in several)

    def _asked(self, request: Request, entities: cedarpy.Entities, policy: Policy) -> tuple[bool, bool]:
        """Return whether the policy takes effect, and whether it fails."""
        if policy not in self._alone:
            self._alone[policy] = cedarpy.PolicySet.from_str(policy.text)
        asked = {
            "principal": request.principal._asdict(),
            "action": request.action._asdict(),
            "resource": request.resource._asdict(),
            "context": dict(request.context),
        }
        try:
            result = cedarpy.is_authorized(asked, self._alone[policy], entities, self._schema)
        except (ValueError, TypeError) as exc:
            raise UndecidedError(f"Cedar refuses an example: {exc}") from exc
        if result.decision is cedarpy.Decision.NoDecision:
            raise UndecidedError(f"Cedar refuses an example: {result.diagnostics.errors}")
        return bool(result.diagnostics.reasons), bool(result.diagnostics.errors)
