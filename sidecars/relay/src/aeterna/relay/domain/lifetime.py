"""How long a connection may go on with the login that it began with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# The share of its time after which a connection is ended as soon as it is quiet. A different one for each, so that not
# all of them begin again together.
_EARLIEST: Final = 0.6
_SPREAD: Final = 0.2
# So many seconds before the end it is ended whatever it does: the cache would cut it off in the middle.
_MARGIN: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """From ``soft`` on a connection ends when it is quiet, at ``hard`` it ends."""

    soft: float
    hard: float

    @classmethod
    def until(cls, end: float, *, now: float, luck: float) -> Lifetime:
        """Return the lifetime of what the cache ends at ``end``; ``luck`` is in [0, 1)."""
        life = max(0.0, end - now)
        soft = now + life * (_EARLIEST + _SPREAD * luck)
        return cls(soft=soft, hard=max(soft, end - _MARGIN))


@dataclass(slots=True, kw_only=True)
class Traffic:
    """What a connection did last; it is quiet when nothing came for a moment, and nobody waits for an answer.

    A quiet moment with an answer owed is a slow command; one without is the only time at which an end loses nothing
    but what somebody else may publish before the client is back.
    """

    at: float
    owing: bool = False

    def sent(self, now: float) -> None:
        """Note what the client sent."""
        self.at, self.owing = now, True

    def answered(self, now: float) -> None:
        """Note what the cache sent."""
        self.at, self.owing = now, False

    def quiet(self, now: float, moment: float) -> bool:
        """Tell whether nothing came for so many seconds and no answer is owed."""
        return not self.owing and now - self.at >= moment
