"""When a question has taken long enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A moment behind which no further read is begun; what was read is still answered with."""

    stopwatch: Callable[[], float]
    at: float

    @classmethod
    def after(cls, seconds: float, stopwatch: Callable[[], float]) -> Deadline:
        """Return the one that many seconds from now."""
        return cls(stopwatch=stopwatch, at=stopwatch() + seconds)

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self.stopwatch() >= self.at
