"""How authors say that an override is meant: ``@overridden_by`` on a permit, ``@guardrail`` on a forbid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.policies.domain.typed.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aeterna.policies.domain.typed.policy import Policy

OVERRIDDEN_BY: Final = "overridden_by"
"""On a permit: the ``@id``s, with commas between, of the forbids that are meant to override it."""
GUARDRAIL: Final = "guardrail"
"""On a forbid: why it is meant to override whatever permit it meets."""
_SEPARATOR: Final = re.compile(r"[,\s]+")


def overridden_by(permit: Policy) -> tuple[str, ...]:
    """Return the forbids that may override this permit, as its annotation names them."""
    return tuple(name for name in _SEPARATOR.split(permit.annotations.get(OVERRIDDEN_BY, "")) if name)


def is_guardrail(policy: Policy) -> bool:
    """Tell whether this is a forbid that is meant to override any permit."""
    return policy.effect is Effect.FORBID and GUARDRAIL in policy.annotations


def excuse(permit: Policy, forbid: Policy) -> str | None:
    """Return the annotation by which the forbid is meant to override the permit, or None when nothing says so."""
    if is_guardrail(forbid):
        why = forbid.annotations[GUARDRAIL]
        return f"@{GUARDRAIL} of {forbid.id}" + (f": {why}" if why else "")
    return f"@{OVERRIDDEN_BY} of {permit.id}" if forbid.id in overridden_by(permit) else None


def mistakes(policies: Iterable[Policy]) -> Iterator[tuple[Policy, str]]:
    """Yield what is wrong with the annotations of policies that count together, with the policy to mend."""
    together = tuple(policies)
    effects = {policy.id: policy.effect for policy in together}
    for policy in together:
        permits = policy.effect is Effect.PERMIT
        if permits and GUARDRAIL in policy.annotations:
            yield policy, f"@{GUARDRAIL} belongs on a forbid, and this is a permit"
        if OVERRIDDEN_BY not in policy.annotations:
            continue
        if not permits:
            yield policy, f"@{OVERRIDDEN_BY} belongs on a permit, and this is a forbid"
        elif not overridden_by(policy):
            yield policy, f"@{OVERRIDDEN_BY} names no policy"
        for name in overridden_by(policy) if permits else ():
            if name not in effects:
                yield policy, f'@{OVERRIDDEN_BY} names "{name}", and there is no such policy'
            elif effects[name] is not Effect.FORBID:
                yield policy, f'@{OVERRIDDEN_BY} names "{name}", which is a permit: only a forbid overrides'
