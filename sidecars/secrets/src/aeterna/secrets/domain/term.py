"""How long what a source gave out may be used, and when to see to it: the schedule of renewals, as pure arithmetic.

Half to two thirds of the way through a term it is due, as Vault's own agents have it. The jitter only shortens: a third
of the term is always left for what may go wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.secrets.domain.moment import Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.secrets.domain.secret import Grant

_LATEST: Final = 2 / 3
_JITTER: Final = 1 / 6
# A renewal that grants less than this of what was asked has met the end that no renewal moves (max_ttl).
_WHOLE: Final = 0.9
_POLL_JITTER: Final = 0.1
_ROTATION_JITTER: Final = 4.0

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
# Beyond this the exponent only overflows.
_MOST_DOUBLINGS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """``due`` is when to renew it, or to replace it if it is not ``renewable``; ``ttl`` is what a renewal asks for."""

    due: Moment
    ends: Moment
    ttl: float
    renewable: bool

    @classmethod
    def of(cls, grant: Grant, *, asked: Moment, random: Callable[[], float]) -> Term:
        """Return the term of what was granted; it counts from when it was asked for, since an answer may be late."""
        return cls(
            due=asked.after(due_after(grant.ttl, random)),
            ends=asked.after(grant.ttl),
            ttl=grant.ttl,
            renewable=grant.renewable and grant.ttl > 0,
        )

    def renewed(self, grant: Grant, *, asked: Moment, random: Callable[[], float]) -> Term:
        """Return the term after a renewal. One that got less than it asked for was the last: a replacement is due now.

        What was left when it was asked for is then left for the switch: three tenths of a whole term, or more.
        """
        ends = asked.after(grant.ttl)
        # By the steady clock alone: the other may have been set back in between.
        more = grant.renewable and grant.ttl >= _WHOLE * self.ttl and self.ends.steady < ends.steady
        due = asked.after(due_after(grant.ttl, random)) if more else asked
        return Term(due=due, ends=ends, ttl=self.ttl, renewable=more)


def due_after(life: float, random: Callable[[], float]) -> float:
    """Return after how many seconds of its life something is due: between a half and two thirds of it."""
    return life * (_LATEST - _JITTER * random())


def poll_after(interval: float, random: Callable[[], float]) -> float:
    """Return when to look again: up to a tenth before the interval is over, so that no two pods keep step."""
    return interval * (1 - _POLL_JITTER * random())


def look_after_rotation(rotates_in: float, random: Callable[[], float]) -> float:
    """Return when to look for what its source changes then: a little later, and not all pods at one moment."""
    return max(0.0, rotates_in) + 1 + _ROTATION_JITTER * random()


def pause_after(failures: int, random: Callable[[], float], *, told: float | None = None) -> float:
    """Return how long to wait after so many failures on end; ``told`` is what the source asked for, and never undercut.

    Doubles from a second to a minute. The jitter takes up to a half off, and is put on top of what was told.
    """
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(max(0, failures - 1), _MOST_DOUBLINGS))
    jittered = pause * (1 - random() / 2)
    # Everybody was told the same: what is put on top keeps all pods of a cluster from coming back at one moment.
    return jittered if told is None else max(jittered, told + random() * (told * _POLL_JITTER + pause / 2))
