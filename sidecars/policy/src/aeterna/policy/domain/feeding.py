"""How the feed of bundles fares: what was refused and why, and what became of each look and each push."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["published", "confirmed", "refused", "unreachable"]
OUTCOMES: tuple[Outcome, ...] = ("published", "confirmed", "refused", "unreachable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A bundle that is not used: the error's stable code, its words, and when, in seconds since 1970."""

    code: str
    reason: str
    at: float


@dataclass(slots=True, kw_only=True)
class FeedState:
    """What is known of the feed since the process began; the one thing here that changes, and on one loop only.

    ``refusal`` is what stands between the feed's last bundle and its use, and None once one is used. ``succeeded_at``
    is when the feed was last known to be in step, in seconds since 1970, and 0 for never.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter[Outcome])
    refusal: Refusal | None = None
    succeeded_at: float = 0.0
    staged_changes: int = 0
    staged_files: int = 0

    def faults(self, kept: str | None) -> dict[str, str]:
        """Return what is wrong and stops no decision, by what it is wrong with; ``kept`` is the disk's reason."""
        found = {"feed": self.refusal.code} if self.refusal is not None else {}
        return found if kept is None else {**found, "state": kept}
