"""Decisions remembered for a while: least recently used out first, and none for longer than its time."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from aeterna.cedar.domain.verdict import Verdict
    from aeterna.policy.domain.decision import Decision
    from aeterna.policy.domain.question import Question
    from aeterna.service.clock import Clock

# A question that is longer than this is evaluated each time: otherwise a few senders of long ones could fill memory.
_MAX_KEY_BYTES: Final = 2048
_JITTER: Final = 0.1


class Remembered:
    """A verdict, the tenant it was asked of, until when it may be repeated, and how it was last written down.

    ``written`` is the answer up to its age, in the words of whoever asked: to write it costs more than to remember it.
    ``told`` is what was asked and decided, for whoever writes decisions down.
    """

    __slots__ = ("expires", "tenant", "told", "verdict", "written")

    def __init__(self, verdict: Verdict, tenant: str | None, expires: float) -> None:
        self.verdict = verdict
        self.tenant = tenant
        self.expires = expires
        self.written: bytes | None = None
        self.told: tuple[Question, Decision] | None = None


class VerdictCache:
    """Verdicts of one edition by question.

    Every edition has a cache of its own, so a new edition empties it by leaving it behind, and an evaluation that was
    under way while the editions changed cannot put an old verdict among the new. The jitter only shortens the time to
    live: entries of one moment should not all expire in one other, and none may outlive what was configured.
    """

    def __init__(self, *, ttl: timedelta, capacity: int, clock: Clock, random: Callable[[], float]) -> None:
        """Take ``random`` as a source of numbers in [0, 1); a capacity or a time of zero switches the cache off."""
        self._ttl = ttl.total_seconds()
        self._capacity = capacity if self._ttl > 0 else 0
        self._clock = clock
        self._random = random
        self._entries: OrderedDict[bytes, Remembered] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forget everything, one after the other, so that other threads get their turn."""
        while self._entries:
            self._entries.popitem()

    def get(self, key: bytes, now: float) -> Remembered | None:
        """Return what is remembered and may still be repeated at this moment of the cache's clock, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if now >= entry.expires:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry

    def put(self, key: bytes, verdict: Verdict, tenant: str | None = None) -> Remembered | None:
        """Remember a verdict, and return the entry if it is."""
        if self._capacity == 0 or len(key) > _MAX_KEY_BYTES:
            return None
        entry = Remembered(verdict, tenant, self._clock() + self._ttl * (1 - _JITTER * self._random()))
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
        return entry
