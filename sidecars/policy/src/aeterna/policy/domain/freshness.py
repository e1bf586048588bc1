"""How old a confirmation is, told by two clocks of which neither can be trusted alone."""

from __future__ import annotations


class Freshness:
    """The age of what is in force, which only doubt can raise and only a new confirmation can lower.

    The machine's time names the moment of a confirmation, so that it outlives the process, but it may be set forward or
    back. The steady time cannot be set, but begins anew with the machine and stands still while it sleeps.
    """

    def __init__(self) -> None:
        self._confirmed_at: float | None = None
        self._age = 0.0
        self._seen_at = 0.0

    def age(self, steady: float) -> float:
        """Return the age in seconds at a moment of the steady time."""
        return self._age + max(0.0, steady - self._seen_at)

    def see(self, confirmed_at: float, *, system: float, steady: float) -> None:
        """Take note of the moment of the last confirmation, as it is found at this moment of both clocks.

        A confirmation from the future is as doubtful as one that is as long ago, so it counts as that old. One that
        came since the last look cannot be older than that look, whatever the machine's time says. And while none comes,
        the age is the greater of what the two clocks say.
        """
        told = abs(system - confirmed_at)
        if self._confirmed_at is None:
            age = told
        elif confirmed_at != self._confirmed_at:
            age = min(told, max(0.0, steady - self._seen_at))
        else:
            age = max(told, self.age(steady))
        self._confirmed_at, self._age, self._seen_at = confirmed_at, age, steady
