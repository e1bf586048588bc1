"""Requests asked of Cedar by way of cedarpy, to learn which policies take effect on them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cedarpy

from aeterna.policies.domain.checked import Effects
from aeterna.policies.domain.requests import described
from aeterna.policies.domain.typed.policy import Effect, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.cedar.domain.request import Request


class CedarWitnesses:
    """Makes witnesses that parse policies and schema once."""

    def of(self, schema: str, policies: Sequence[Policy]) -> CedarWitness:
        """Return the witness of policies that hold up against the schema."""
        return CedarWitness(cedarpy.Schema.from_str(schema), policies)


class CedarWitness:
    """Asks permits and forbids apart, since Cedar names no permit where a forbid takes effect."""

    def __init__(self, schema: cedarpy.Schema, policies: Sequence[Policy]) -> None:
        self._schema = schema
        self._halves = tuple(
            _Half([policy for policy in policies if policy.effect is effect])
            for effect in (Effect.PERMIT, Effect.FORBID)
        )

    def effects(self, request: Request, kept: Sequence[Mapping[str, object]] = ()) -> Effects | None:
        """Return which policies take effect on the request, or None if it is not valid by the schema."""
        try:
            entities = cedarpy.Entities.from_json_str(json.dumps([*kept, *described(request)]), self._schema)
            found = [half.effects(_question(request), entities, self._schema) for half in self._halves]
        except (ValueError, TypeError):
            return None
        return Effects(
            effective=frozenset[Policy]().union(*(one.effective for one in found)),
            silent=frozenset[Policy]().union(*(one.silent for one in found)),
        )


class _Half:
    """The policies of one effect, by the ids that Cedar's parser gives them: ``policy0``, ``policy1`` and so on."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = {f"policy{number}": policy for number, policy in enumerate(policies)}
        self._set = cedarpy.PolicySet.from_str("\n".join(policy.text for policy in policies))

    def effects(self, question: dict[str, object], entities: cedarpy.Entities, schema: cedarpy.Schema) -> Effects:
        asked = cedarpy.is_authorized(question, self._set, entities, schema)
        if asked.decision is cedarpy.Decision.NoDecision:
            raise ValueError("; ".join(asked.diagnostics.errors))
        effective = frozenset(self._policies[reason] for reason in asked.diagnostics.reasons)
        silent = frozenset(self._policies.values()) - effective
        if asked.diagnostics.errors:
            # Which of them failed is told in words alone, so each is asked for itself.
            silent = frozenset(policy for policy in silent if not _fails(policy, question, entities, schema))
        return Effects(effective=effective, silent=silent)


def _fails(policy: Policy, question: dict[str, object], entities: cedarpy.Entities, schema: cedarpy.Schema) -> bool:
    return bool(cedarpy.is_authorized(question, policy.text, entities, schema).diagnostics.errors)


def _question(request: Request) -> dict[str, object]:
    return {
        "principal": request.principal._asdict(),
        "action": request.action._asdict(),
        "resource": request.resource._asdict(),
        "context": json.dumps(request.context),
    }
