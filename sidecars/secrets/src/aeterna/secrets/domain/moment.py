"""A moment told by two clocks, of which neither can be trusted alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """``steady`` cannot be set but may stand still while a machine sleeps; ``wall`` may be set forward or back."""

    steady: float
    wall: float

    def after(self, seconds: float) -> Moment:
        """Return the moment that is so many seconds later."""
        return Moment(steady=self.steady + seconds, wall=self.wall + seconds)

    def before(self, other: Moment) -> bool:
        """Say whether this is earlier by both clocks: what has ended by one of them has ended."""
        return self.steady < other.steady and self.wall < other.wall

    def until(self, other: Moment) -> float:
        """Return how many seconds are left to another moment, by the clock that says fewer; 0 when it is past."""
        return max(0.0, min(other.steady - self.steady, other.wall - self.wall))

    def earliest(self, other: Moment | None) -> Moment:
        """Return the earlier of two, by each clock; None is never."""
        if other is None:
            return self
        return Moment(steady=min(self.steady, other.steady), wall=min(self.wall, other.wall))
