"""What findings say, in words that need no knowledge of how they were found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.policies.domain.annotations import GUARDRAIL, OVERRIDDEN_BY
from aeterna.policies.domain.typed.policy import Effect

if TYPE_CHECKING:
    from aeterna.policies.domain.typed.policy import Policy


def vacuous(policy: Policy) -> str:
    """Say that a policy does nothing."""
    return f"{policy.id} never takes effect: no valid request meets its scope and its conditions"


def redundant(later: Policy, earlier: Policy) -> str:
    """Say that two policies are one."""
    return f"{later.id} {_does(later)} exactly what {earlier.id} {_does(earlier)}: one of them can go"


def shadowed(inner: Policy, outer: Policy) -> str:
    """Say that one policy is part of another."""
    return f"whatever {inner.id} {_does(inner)}, {outer.id} {_does(outer)} too: {inner.id} adds nothing"


def overridden(permit: Policy, forbid: Policy) -> str:
    """Say that a permit permits nothing."""
    return f"whatever {permit.id} permits, {forbid.id} forbids: {permit.id} permits nothing"


def opposing(permit: Policy, forbid: Policy) -> str:
    """Say that a forbid takes away some of what a permit gives."""
    return f"some requests that {permit.id} permits are denied, because {forbid.id} forbids them"


def remedy(permit: str, forbid: str) -> str:
    """Say how to mean an override, by the ids of its policies."""
    meant = f'@{OVERRIDDEN_BY}("{forbid}") on {permit}, or @{GUARDRAIL} on {forbid}'
    return f"narrow {permit}, or say that this is meant: {meant}"


def idle_guardrail(forbid: Policy) -> str:
    """Say that a forbid guards nothing."""
    return f"@{GUARDRAIL} on {forbid.id} excuses nothing: no permit ever meets it"


def idle_override(permit: Policy, forbid: Policy) -> str:
    """Say that two policies never meet."""
    return f'@{OVERRIDDEN_BY} on {permit.id} excuses nothing: no request makes both it and "{forbid.id}" take effect'


def undecided_alone(policy: Policy, reason: str) -> str:
    """Say that nothing is known of a policy."""
    return f"whether {policy.id} ever takes effect is not known, so it was compared with no other policy: {reason}"


def undecided_likeness(one: Policy, other: Policy, reason: str) -> str:
    """Say that it is not known whether one of two policies repeats the other."""
    return f"whether {one.id} and {other.id} repeat each other is not known: {reason}"


def undecided_opposition(permit: Policy, forbid: Policy, reason: str) -> str:
    """Say that it is not known whether two policies oppose each other."""
    return f"whether {forbid.id} forbids anything that {permit.id} permits is not known: {reason}"


def late(policy: Policy, others: int, reason: str) -> str:
    """Say that a policy was not compared with some others."""
    return f"{policy.id} was not compared with {others} of the other policies: {reason}"


def _does(policy: Policy) -> str:
    return "permits" if policy.effect is Effect.PERMIT else "forbids"
