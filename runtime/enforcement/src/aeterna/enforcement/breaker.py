"""A circuit breaker: after several failures in a row nothing is asked for a while, then one probe is."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.enforcement.ports import Clock, Random

_JITTER: Final = 0.2


class State(StrEnum):
    """Whether questions pass."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Breaker:
    """Counts failures in a row and opens at ``failures``; after ``pause`` seconds one probe decides how it goes on.

    A pause is shortened by up to a fifth at random: enforcement points that lost one decision point should not all
    come back to it in one moment.
    """

    def __init__(
        self, *, failures: int, pause: float, clock: Clock, random: Random, changed: Callable[[State], None]
    ) -> None:
        """Begin closed; ``changed`` is told of every new state."""
        self._threshold = failures
        self._pause = pause
        self._clock = clock
        self._random = random
        self._changed = changed
        self._state = State.CLOSED
        self._failures = 0
        self._probe_at = 0.0
        # Counts the states: what began under an earlier one says nothing about this one.
        self._turn = 0

    @property
    def state(self) -> State:
        """Whether questions pass."""
        return self._state

    def enter(self) -> Passage | None:
        """Return the passage of one question, which must end in exactly one of three ways; or None: do not ask."""
        if self._state is State.OPEN and self._clock() >= self._probe_at:
            self._become(State.HALF_OPEN)
            return Passage(self, self._turn)
        return Passage(self, self._turn) if self._state is State.CLOSED else None

    def end(self, turn: int, *, answered: bool | None) -> None:
        """Take how a passage ended; None is a question that was given up, which says nothing."""
        if turn != self._turn:
            return
        if self._state is State.HALF_OPEN:
            if answered is None:
                # The probe is free again; otherwise a caller that hung up would keep the circuit open for ever.
                self._open(at=self._clock())
            elif answered:
                self._failures = 0
                self._become(State.CLOSED)
            else:
                self._open(at=self._clock() + self._pause * (1 - _JITTER * self._random()))
        elif answered:
            self._failures = 0
        elif answered is not None:
            self._failures += 1
            if self._failures >= self._threshold:
                self._open(at=self._clock() + self._pause * (1 - _JITTER * self._random()))

    def _open(self, *, at: float) -> None:
        self._probe_at = at
        self._become(State.OPEN)

    def _become(self, state: State) -> None:
        self._state = state
        self._turn += 1
        self._changed(state)


class Passage:
    """One question's way through the breaker."""

    __slots__ = ("_breaker", "_turn")

    def __init__(self, breaker: Breaker, turn: int) -> None:
        self._breaker = breaker
        self._turn = turn

    def answered(self) -> None:
        """Say that the other side is there, whatever it answered."""
        self._breaker.end(self._turn, answered=True)

    def failed(self) -> None:
        """Say that the other side is not there, or not in time."""
        self._breaker.end(self._turn, answered=False)

    def given_up(self) -> None:
        """Say that nobody waited for the answer."""
        self._breaker.end(self._turn, answered=None)
