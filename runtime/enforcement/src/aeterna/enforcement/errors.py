"""What the enforcement point refuses, as one tree. A deny is not here: a deny is a value.

AeternaError
└── EnforcementError
    └── DecisionUnavailableError      nobody could say whether it is allowed: so it is not
"""

from __future__ import annotations

from enum import StrEnum

from aeterna.contracts.errors import AeternaError


class Doubt(StrEnum):
    """Why there is no decision; the values label a metric."""

    OPEN = "open"
    """The circuit is open: the last questions had no answer, so this one was not asked."""
    BUSY = "busy"
    """As many questions as may be are under way."""
    LATE = "late"
    """The answer did not come in time."""
    AWAY = "away"
    """The decision point cannot be reached, or hung up."""
    UNCLEAR = "unclear"
    """There was an answer, and it is not a decision."""
    UNASKABLE = "unaskable"
    """The question cannot be written as JSON."""


class EnforcementError(AeternaError):
    """The enforcement point cannot let something pass."""

    code = "enforcement.error"


class DecisionUnavailableError(EnforcementError):
    """The policy decision point did not give a clear answer, and doubt is a deny."""

    code = "policy.unavailable"

    def __init__(self, reason: str, doubt: Doubt = Doubt.UNCLEAR) -> None:
        super().__init__(reason)
        self.doubt = doubt
