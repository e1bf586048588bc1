"""Time as an argument: what code that must be tested at a chosen moment asks for it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Says what time it is, in seconds since the Unix epoch."""

    def __call__(self) -> float:
        """Return the present moment."""
        ...


def system_clock() -> float:
    """Return the time of the machine."""
    return time.time()
