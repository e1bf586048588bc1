"""How long a thread may live after its last write, and which wish for it is granted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aeterna.threads.errors import LifetimeError

SHORTEST: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """What a task gets that asks for nothing, and the longest that anybody may ask for."""

    default: timedelta = timedelta(hours=1)
    longest: timedelta = timedelta(days=365)

    def of_thread(self, wish: timedelta | None) -> timedelta | None:
        """Return the thread's time to live, None where it does not expire; raise `LifetimeError`."""
        if wish is not None and not SHORTEST <= wish <= self.longest:
            raise LifetimeError(wish, SHORTEST, self.longest)
        return wish

    def of_task(self, wish: timedelta | None) -> timedelta:
        """Return the task's time to live, which every task has; raise `LifetimeError`."""
        return self.of_thread(wish) or min(self.default, self.longest)
