"""Time as an argument: what code that must be tested at a chosen moment asks for it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Says what time it is, in seconds since a moment that the clock's provider names."""

    def __call__(self) -> float:
        """Return the present moment."""
        ...


def system_clock() -> float:
    """Return the time of the machine since the Unix epoch; for moments that others name, as in tokens."""
    return time.time()


def steady_clock() -> float:
    """Return the time since some fixed moment; for durations, since the machine's time may be set back."""
    return time.monotonic()
