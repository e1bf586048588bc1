"""Rules requests out by the heads of policies alone, so that a solver is asked only about what may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.cedar.domain.request import Uid
from aeterna.policies.domain.typed.formula import Environment

if TYPE_CHECKING:
    from aeterna.policies.domain.typed.policy import Policy, Scope
    from aeterna.policies.domain.typed.types import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """An environment with what the schema puts above it.

    ``actions`` are its action and all groups above, ``principal_types`` and ``resource_types`` are the types that such
    an entity may be in, however far above; its own type is among them, since every entity is in itself.
    """

    environment: Environment
    actions: frozenset[Uid]
    principal_types: frozenset[str]
    resource_types: frozenset[str]

    def admit(self, policy: Policy) -> bool:
        """Tell whether the policy's head can match here at all."""
        return (
            self._admits_action(policy.action)
            and _admits(policy.principal, self.environment.principal_type, self.principal_types)
            and _admits(policy.resource, self.environment.resource_type, self.resource_types)
        )

    def _admits_action(self, scope: Scope) -> bool:
        if scope.equal is not None and scope.equal != self.environment.action:
            return False
        return scope.within is None or not self.actions.isdisjoint(scope.within)


def surroundings(schema: Schema) -> tuple[Surroundings, ...]:
    """Return every environment of the schema with what is above it."""
    return tuple(
        Surroundings(
            environment=environment,
            actions=schema.groups_above(environment.action) | {environment.action},
            principal_types=schema.types_above(environment.principal_type) | {environment.principal_type},
            resource_types=schema.types_above(environment.resource_type) | {environment.resource_type},
        )
        for environment in schema.environments()
    )


def apart(one: Policy, other: Policy) -> bool:
    """Tell whether two heads match no request together because they name different principals or resources."""
    return _differ(one.principal, other.principal) or _differ(one.resource, other.resource)


def _admits(scope: Scope, type_: str, above: frozenset[str]) -> bool:
    if scope.type not in {None, type_}:
        return False
    if scope.equal is not None and scope.equal.type != type_:
        return False
    return scope.within is None or any(uid.type in above for uid in scope.within)


def _differ(one: Scope, other: Scope) -> bool:
    return one.equal is not None and other.equal is not None and one.equal != other.equal
