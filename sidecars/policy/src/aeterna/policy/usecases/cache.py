"""Decisions remembered for a while: least recently used out first, and none for longer than its time."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from aeterna.cedar.domain.verdict import Verdict
    from aeterna.service.clock import Clock

# A question that is longer than this is evaluated each time: otherwise a few senders of long ones could fill memory.
_MAX_KEY_BYTES: Final = 2048
_JITTER: Final = 0.1


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
        self._entries: OrderedDict[bytes, tuple[float, Verdict]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> Verdict | None:
        """Return the remembered verdict, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        expires, verdict = entry
        if self._clock() >= expires:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return verdict

    def put(self, key: bytes, verdict: Verdict) -> None:
        """Remember a verdict."""
        if self._capacity == 0 or len(key) > _MAX_KEY_BYTES:
            return
        expires = self._clock() + self._ttl * (1 - _JITTER * self._random())
        self._entries[key] = (expires, verdict)
        self._entries.move_to_end(key)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
