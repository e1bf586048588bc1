"""What may be asked of a solver: which policies are to take effect together, and which are not."""

from __future__ import annotations

from dataclasses import dataclass

from aeterna.cedar.domain.request import Request, Uid
from aeterna.policies.domain.typed.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Environment:
    """One shape of request that the schema knows; every valid request has exactly one."""

    principal_type: str
    action: Uid
    resource_type: str


@dataclass(frozen=True, slots=True)
class TakesEffect:
    """The policy's scope and conditions hold and nothing in them fails, so that it permits or forbids."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class Fails:
    """Evaluating the policy ends in an error, an overflow say; Cedar skips it, our engine denies."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class Not:
    """The other one does not hold."""

    wanted: Formula


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one holds; of none, always."""

    wanted: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one holds; of none, never."""

    wanted: tuple[Formula, ...]


Formula = TakesEffect | Fails | Not | AllOf | AnyOf


def takes_effect(policy: Policy) -> Formula:
    """Return that the policy takes effect."""
    return TakesEffect(policy)


def fails(policy: Policy) -> Formula:
    """Return that evaluating the policy ends in an error."""
    return Fails(policy)


def not_(wanted: Formula) -> Formula:
    """Return that the formula does not hold."""
    return Not(wanted)


def all_of(*wanted: Formula) -> Formula:
    """Return that every formula holds."""
    return AllOf(wanted)


def any_of(*wanted: Formula) -> Formula:
    """Return that at least one formula holds."""
    return AnyOf(wanted)


def policies_of(wanted: Formula) -> tuple[Policy, ...]:
    """Return the policies that the formula speaks of, each once, in the order of their first mention."""
    found: dict[Policy, None] = {}
    open_ = [wanted]
    while open_:
        match open_.pop():
            case TakesEffect(policy) | Fails(policy):
                found[policy] = None
            case Not(inner):
                open_.append(inner)
            case AllOf(several) | AnyOf(several):
                open_.extend(reversed(several))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A valid request with every entity it needs, of which Cedar itself said what the formula says."""

    request: Request
