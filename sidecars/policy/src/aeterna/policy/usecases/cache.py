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
# What all entries together may take, roughly: a question as bytes and as objects, and each name that an answer gives
# twice, as a text of its own and as it is written down. A bundle may have hundreds of policies that say the same.
_MAX_BYTES: Final = 32 * 1024 * 1024
_ENTRY_BYTES: Final = 512
_KEY_COPIES: Final = 4
_NAME_BYTES: Final = 64
_NAME_COPIES: Final = 2
_JITTER: Final = 0.1


class Remembered:
    """A verdict, the tenant it was asked of, until when it may be repeated, and how it was last written down.

    ``written`` is the answer up to its age, in the words of whoever asked: to write it costs more than to remember it.
    ``told`` is what was asked and decided, for whoever writes decisions down.
    """

    __slots__ = ("expires", "size", "tenant", "told", "verdict", "written")

    def __init__(self, verdict: Verdict, tenant: str | None, expires: float, size: int) -> None:
        self.verdict = verdict
        self.tenant = tenant
        self.expires = expires
        self.size = size
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
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forget everything, one after the other, so that other threads get their turn."""
        while self._entries:
            self._entries.popitem()
        self._bytes = 0

    def get(self, key: bytes, now: float) -> Remembered | None:
        """Return what is remembered and may still be repeated at this moment of the cache's clock, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if now >= entry.expires:
            del self._entries[key]
            self._bytes -= entry.size
            return None
        self._entries.move_to_end(key)
        return entry

    def put(self, key: bytes, verdict: Verdict, tenant: str | None = None) -> Remembered | None:
        """Remember a verdict, and return the entry if it is."""
        size = _size(key, verdict)
        if self._capacity == 0 or len(key) > _MAX_KEY_BYTES or size > _MAX_BYTES:
            return None
        expires = self._clock() + self._ttl * (1 - _JITTER * self._random())
        entry = Remembered(verdict, tenant, expires, size)
        before = self._entries.pop(key, None)
        self._bytes += size - (before.size if before is not None else 0)
        self._entries[key] = entry
        while len(self._entries) > self._capacity or self._bytes > _MAX_BYTES:
            _, oldest = self._entries.popitem(last=False)
            self._bytes -= oldest.size
        return entry


def _size(key: bytes, verdict: Verdict) -> int:
    names = (*verdict.policies, *verdict.errors)
    return _ENTRY_BYTES + _KEY_COPIES * len(key) + sum(_NAME_BYTES + _NAME_COPIES * len(name) for name in names)
