"""How many tokens a tenant may have a model count: within five minutes, and within a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=5)
DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLimits:
    """What a tenant may spend. Windows begin at whole multiples of their length in UTC."""

    window: int = 200_000
    day: int = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a tenant spent and has reserved, in the window and the day that these numbers are of."""

    window: int = 0
    window_tokens: int = 0
    day: int = 0
    day_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Tokens set aside for one call, in the window and the day in which it began."""

    tokens: int
    window: int
    day: int


def reserved(spending: Spending, tokens: int, limits: TokenLimits, at: datetime) -> tuple[Spending, Reservation] | None:
    """Return what is spent with ``tokens`` more, or None where that is over a limit."""
    now = _rolled(spending, at)
    if now.window_tokens + tokens > limits.window or now.day_tokens + tokens > limits.day:
        return None
    taken = replace(now, window_tokens=now.window_tokens + tokens, day_tokens=now.day_tokens + tokens)
    return taken, Reservation(tokens=tokens, window=now.window, day=now.day)


def settled(spending: Spending, reservation: Reservation, used: int) -> Spending:
    """Return what is spent when a call has ended: what it used in the place of what was set aside.

    What was set aside in a window that is over is not given back to the present one.
    """
    difference = used - reservation.tokens
    window = difference if reservation.window == spending.window else 0
    day = difference if reservation.day == spending.day else 0
    return replace(
        spending,
        window_tokens=max(0, spending.window_tokens + window),
        day_tokens=max(0, spending.day_tokens + day),
    )


def _rolled(spending: Spending, at: datetime) -> Spending:
    """Return the spending of this moment; a clock that went back does not open a window again."""
    since = at - _EPOCH
    window, day = max(spending.window, since // WINDOW), max(spending.day, since // DAY)
    return Spending(
        window=window,
        window_tokens=spending.window_tokens if window == spending.window else 0,
        day=day,
        day_tokens=spending.day_tokens if day == spending.day else 0,
    )
