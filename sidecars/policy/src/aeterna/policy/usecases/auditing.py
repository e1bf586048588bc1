"""Which decisions are written down, and what is answered when one cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, Protocol

from aeterna.policy.domain.audit import Entry
from aeterna.policy.domain.tally import AUDITED, UNAUDITED, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.policy.domain.decision import Decision
    from aeterna.policy.domain.question import Question
    from aeterna.policy.ports import DecisionLog
    from aeterna.service.clock import Clock

UNWRITTEN: Final = "the decision could not be written down"


class Audit(Protocol):
    """Sees every decision before it is answered."""

    def audited(self, question: Question, decision: Decision, trace_id: str | None) -> Decision:
        """Return what is to be answered; it never blocks and never raises."""
        ...

    def close(self) -> None:
        """Write what is left; blocks for a moment."""
        ...


class Auditor:
    """Has decisions written down: every deny if so asked, and of the others the share that is sampled.

    ``full`` is what happens when the log cannot take one more: "drop" answers all the same and counts it, both in a
    metric and in the log; "deny" answers no, for those to whom an action without a record is worse than none.
    """

    def __init__(
        self,
        log: DecisionLog,
        *,
        sample: float,
        denies: bool,
        full: Literal["drop", "deny"],
        clock: Clock,
        random: Callable[[], float],
        tally: Tally | None = None,
    ) -> None:
        """Take ``sample`` from 0 to 1, and ``random`` as a source of numbers in [0, 1)."""
        self._log = log
        self._sample = sample
        self._denies = denies
        self._full = full
        self._clock = clock
        self._random = random
        self._tally = tally or Tally()

    def audited(self, question: Question, decision: Decision, trace_id: str | None) -> Decision:
        """Return what is to be answered."""
        sampled = self._sample >= 1 or (self._denies and not decision.allowed) or self._random() < self._sample
        if not sampled:
            return decision
        if self._log.offer(Entry(self._clock(), question, decision, trace_id)):
            self._tally.words[AUDITED] += 1
            return decision
        self._tally.words[UNAUDITED] += 1
        if self._full == "drop":
            return decision
        return replace(decision, allowed=False, policies=(), errors=(*decision.errors, UNWRITTEN))

    def close(self) -> None:
        """Write what is left."""
        self._log.close()


class _NotAudited:
    """No decision is written down."""

    def audited(self, question: Question, decision: Decision, trace_id: str | None) -> Decision:
        """Return the decision."""
        del question, trace_id
        return decision

    def close(self) -> None:
        """Do nothing."""


NOT_AUDITED: Final[Audit] = _NotAudited()
