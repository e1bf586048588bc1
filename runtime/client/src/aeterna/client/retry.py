"""When to try again and how long to wait: exponential backoff with full jitter, bounded per call and per client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from aeterna.client.errors import ClientError, NoAnswerError, ProblemError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

# Statuses by which a service or a proxy before it says "not now". 500 is not among them: it is a defect, not a load.
TRANSIENT = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How patient one call is.

    The wait before attempt n is drawn evenly from 0 to ``first * 2**(n-1)``, at most ``longest`` ("full jitter"):
    clients that failed together do not come back together. ``Retry-After`` is obeyed where it asks for longer. No
    attempt starts later than ``total`` after the first one.
    """

    attempts: int = 4
    first: timedelta = timedelta(milliseconds=100)
    longest: timedelta = timedelta(seconds=5)
    total: timedelta = timedelta(seconds=30)

    def pause(self, attempt: int, error: ClientError, random: Callable[[], float]) -> float:
        """Return the seconds to wait after failed attempt number ``attempt`` (the first is 1)."""
        ceiling = min(self.longest.total_seconds(), self.first.total_seconds() * 2 ** (attempt - 1))
        asked = error.problem.retry_after if isinstance(error, ProblemError) else None
        return max(asked or 0.0, ceiling * random())


NEVER = RetryPolicy(attempts=1)


class RetryBudget:
    """Stops retrying when most calls of a client fail, so that retries do not bury a service that is down.

    A failed attempt costs one token, a success gives back a tenth; retries are allowed while more than half of the
    tokens are left (the throttle of gRPC's retry design, gRFC A6).
    """

    def __init__(self, tokens: float = 10.0) -> None:
        self._most = tokens
        self._left = tokens

    def succeeded(self) -> None:
        """Note an attempt that was answered."""
        self._left = min(self._most, self._left + 0.1)

    def failed(self) -> None:
        """Note an attempt that failed for a reason that may pass."""
        self._left = max(0.0, self._left - 1.0)

    @property
    def allows(self) -> bool:
        """Whether another retry may be sent."""
        return self._left > self._most / 2


def may_pass(error: ClientError) -> bool:
    """Return whether the same request may succeed later."""
    if isinstance(error, ProblemError):
        return error.problem.status in TRANSIENT
    return isinstance(error, UnreachableError | NoAnswerError)
