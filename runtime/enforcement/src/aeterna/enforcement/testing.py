"""For tests of what stands on an enforcement point: an evaluator that decides as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.enforcement.decision import Decision
from aeterna.enforcement.errors import DecisionUnavailableError, Doubt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aeterna.enforcement.question import Question


class FakeEvaluator:
    """Decides as it is told to, and remembers what it was asked."""

    def __init__(self, *, allow: bool | Callable[[Question], bool] = True, available: bool = True) -> None:
        self._allow = allow
        self.available = available
        self.asked: list[Question] = []

    async def evaluation(self, question: Question) -> Decision:
        """Return the decision, or raise `DecisionUnavailableError` while not available."""
        question.body()
        if not self.available:
            raise DecisionUnavailableError("the test's decision point is switched off", Doubt.AWAY)
        self.asked.append(question)
        allowed = self._allow if isinstance(self._allow, bool) else self._allow(question)
        return Decision(allowed=allowed, policies=("fake",), epoch=1, digest="sha256:fake")

    async def evaluations(self, questions: Sequence[Question]) -> list[Decision]:
        """Return one decision for each question."""
        return [await self.evaluation(question) for question in questions]
