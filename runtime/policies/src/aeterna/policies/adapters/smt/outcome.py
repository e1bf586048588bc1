"""What evaluating an expression comes to: a value, and when there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import z3

from aeterna.policies.adapters.smt.values import FALSE, TRUE, Truth, Value, all_of

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Outcome:
    """The value counts only where it is defined; without one it is an error always."""

    value: Value | None
    defined: z3.BoolRef = TRUE

    def after(self, defined: z3.BoolRef) -> Outcome:
        """Return the same, but an error wherever this is not so."""
        return Outcome(self.value, all_of(defined, self.defined))

    def of(self, then: Callable[[Value], Outcome]) -> Outcome:
        """Return what the function makes of the value, and an error wherever this one is."""
        return ERROR if self.value is None else then(self.value).after(self.defined)


ERROR: Final = Outcome(None, FALSE)


def truth(formula: z3.BoolRef, defined: z3.BoolRef = TRUE) -> Outcome:
    """Return a boolean outcome."""
    return Outcome(Truth(formula), defined)


def holds(outcome: Outcome) -> z3.BoolRef:
    """Return the formula that a boolean outcome is; an error holds nowhere, but see where it is defined."""
    return outcome.value.term if isinstance(outcome.value, Truth) else FALSE
