"""What an enforcement point stands on: somebody who decides, somebody who counts, a clock and chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.enforcement.breaker import State
    from aeterna.enforcement.decision import Decision
    from aeterna.enforcement.errors import Doubt
    from aeterna.enforcement.question import Question


class Evaluator(Protocol):
    """Answers questions. Kept by ``client.DecisionClient``; faked in ``testing``."""

    async def evaluation(self, question: Question) -> Decision:
        """Return the decision, a deny being a value; raise `DecisionUnavailableError` when there is no clear one."""
        ...

    async def evaluations(self, questions: Sequence[Question]) -> list[Decision]:
        """Return one decision for each question, in their order; raise as ``evaluation`` when one is not clear."""
        ...


class Observer(Protocol):
    """Counts what happens; called on the path of every question, so it must be quick and must not raise."""

    def asked(self, outcome: Literal["permit", "deny"], seconds: float) -> None:
        """Note a question that the decision point answered, and how long that took."""
        ...

    def remembered(self) -> None:
        """Note a question that was answered from memory."""
        ...

    def unavailable(self, doubt: Doubt) -> None:
        """Note a question without a decision."""
        ...

    def circuit(self, state: State) -> None:
        """Note that the circuit breaker changed its state."""
        ...

    def stream(self, live: bool) -> None:  # noqa: FBT001 - a state is told, not an option chosen
        """Note that the epoch stream began or ended; without it nothing is remembered."""
        ...


class Clock(Protocol):
    """Says what time it is, in seconds since some fixed moment; it never goes back."""

    def __call__(self) -> float:
        """Return the present moment."""
        ...


class Random(Protocol):
    """Draws numbers."""

    def __call__(self) -> float:
        """Return a number in [0, 1)."""
        ...
