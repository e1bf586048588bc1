"""The cache, the index and the slices change nothing but the cost: every decision is the one that plain Cedar gives.

Plain Cedar is one handle over all policies of a tenant, asked with one handle over all of its entities.
``AETERNA_TEST_COMPARISONS`` is how many verdicts are compared.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

import cedarpy
import pytest

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.handles import Limits
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.domain.verdict import Verdict
from aeterna.policy.domain.publication import Publication
from aeterna.policy.domain.question import Entity, Question
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.policy.usecases.decide import Decider
from fixtures.cedar_models import TENANTS, World, requests, world
from fixtures.cedar_policies import populate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.cedar.adapters.engine import CedarEngine
    from aeterna.cedar.domain.request import BroughtEntity, Request, Uid

COMPARISONS = int(os.environ.get("AETERNA_TEST_COMPARISONS", "100000"))
ASKED_OF_A_WORLD = 1250
PARTS = 8
# Worlds are small: what is kept for the sake of large ones is tried by limits that are smaller still.
LIMITS = (Limits(), Limits(entities=0), Limits(entities=0, together=4, large=2), Limits(together=0, large=1))
NUMBERED = re.compile(r"`policy(\d+)`")


@dataclass(frozen=True)
class PlainCedar:
    """Cedar as its documentation shows it, for one tenant: everything in one set."""

    policies: cedarpy.PolicySet
    names: Sequence[str]
    entities: cedarpy.Entities
    schema: cedarpy.Schema

    @classmethod
    def of(cls, made: World, tenant: str | None) -> PlainCedar:
        """Return what counts for the tenant: what is everybody's, and its own."""
        realms = [None, tenant] if tenant in TENANTS else [None]
        named = [pair for realm in realms for pair in made.policies[realm].items()]
        schema = cedarpy.Schema.from_str(made.schema)
        return cls(
            policies=cedarpy.PolicySet.from_str("\n".join(text for _, text in named)),
            names=[name for name, _ in named],
            entities=cedarpy.Entities.from_json_str(
                json.dumps([entity for realm in realms for entity in made.entities[realm]]), schema
            ),
            schema=schema,
        )

    def evaluate(self, request: Request) -> Verdict | None:
        """Return the verdict, with any error a deny, or None where Cedar refuses to be asked."""
        try:
            entities = (
                self.entities.with_added_json_str(json.dumps([_entity(it) for it in request.brought]), self.schema)
                if request.brought
                else self.entities
            )
            result = cedarpy.is_authorized(
                {
                    "principal": request.principal._asdict(),
                    "action": request.action._asdict(),
                    "resource": request.resource._asdict(),
                    **({"context": dict(request.context)} if request.context else {}),
                },
                self.policies,
                entities,
                self.schema,
            )
        except ValueError:
            return None
        return Verdict(
            allowed=result.allowed and not result.diagnostics.errors,
            policies=tuple(sorted(self._named(f"`{reason}`")[1:-1] for reason in result.diagnostics.reasons)),
            errors=tuple(sorted(self._named(error)[:300] for error in result.diagnostics.errors)),
        )

    def _named(self, text: str) -> str:
        return NUMBERED.sub(lambda found: f"`{self.names[int(found[1])]}`", text)


def _entity(entity: BroughtEntity) -> dict[str, object]:
    def uid(of: Uid) -> dict[str, str]:
        return {"type": of.type, "id": of.id}

    parents = [uid(parent) for parent in entity.parents]
    return {"uid": uid(entity.uid), "attrs": entity.attributes, "parents": parents, "tags": entity.tags}


def bundle_of(made: World) -> Bundle:
    """Return the world as a bundle, each realm in its folder."""
    files = {"world.cedarschema": made.schema}
    for tenant in (None, *TENANTS):
        folder = f"tenants/{tenant}/" if tenant else ""
        files[f"{folder}some.cedar"] = "\n".join(made.policies[tenant].values())
        files[f"{folder}entities.json"] = json.dumps(made.entities[tenant])
    return Bundle.of(files)


@lru_cache(maxsize=1)
def parsed(schema: str) -> cedarpy.Schema:
    """Return a handle on the schema of the world that is being made."""
    return cedarpy.Schema.from_str(schema)


def keeps_to(text: str, schema: str) -> bool:
    """Say whether a policy keeps to a schema."""
    return bool(cedarpy.validate_policies(text, parsed(schema)))


def deciders(made: World, engine: CedarEngine) -> Mapping[str | None, Decider]:
    """Return what decides for each tenant and for somebody of no tenant, each with a cache that forgets nothing."""

    def cache() -> VerdictCache:
        return VerdictCache(ttl=timedelta(days=1), capacity=10_000, clock=lambda: 0.0, random=lambda: 0.0)

    found = {tenant: Decider(cache=cache, tenant=tenant) for tenant in (None, *TENANTS, "nobody's")}
    for decider in found.values():
        decider.adopt(engine, Publication(epoch=1, digest=bundle_of(made).digest(), confirmed_at=time.time()))
    return found


def question_of(request: Request) -> Question:
    """Return the question that a request is asked by."""
    return Question(
        subject=Entity(type=request.principal.type, id=request.principal.id),
        action=request.action.id,
        action_type=request.action.type,
        resource=Entity(type=request.resource.type, id=request.resource.id),
        context=request.context,
        described=request.brought,
        literal=True,
    )


@pytest.mark.parametrize("part", range(PARTS))
def test_every_decision_is_the_one_that_plain_cedar_makes(part: int) -> None:
    """Decision, determining policies and errors, by name; where Cedar refuses to be asked, a deny with an error."""
    seen = {"allowed": 0, "denied": 0, "failed": 0, "refused": 0, "cached": 0}
    for number in range(max(1, COMPARISONS // PARTS // ASKED_OF_A_WORLD)):
        random = Random(part * 1_000_000 + number)  # noqa: S311 - a world of its own for each number, and no secret
        made = world(random)
        populate(random, made, keeps_to)
        deciding = deciders(made, CedarCompiler(LIMITS[number % len(LIMITS)]).compile(bundle_of(made)))
        plain = {tenant: PlainCedar.of(made, tenant) for tenant in deciding}
        asked = requests(random, made, ASKED_OF_A_WORLD * 9 // 10)

        for request in (*asked, *random.choices(asked, k=ASKED_OF_A_WORLD - len(asked))):
            expected = plain[request.tenant].evaluate(request)
            decision = deciding[request.tenant].decide(question_of(request))

            seen["cached"] += decision.cached
            if expected is None:
                seen["refused"] += 1
                assert not decision.allowed
                assert decision.errors, (part, number, request)
                continue
            seen["allowed" if expected.allowed else "failed" if expected.errors else "denied"] += 1
            got = Verdict(allowed=decision.allowed, policies=decision.policies, errors=tuple(sorted(decision.errors)))
            assert got == expected, (part, number, request)
    assert all(seen.values()), seen
