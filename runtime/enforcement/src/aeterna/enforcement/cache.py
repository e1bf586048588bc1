"""Decisions remembered for seconds, and only while the decision point is heard to say which edition is in force."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aeterna.enforcement.decision import Decision, Edition
    from aeterna.enforcement.ports import Clock, Random

# A question that is longer than this is asked each time: otherwise a few senders of long ones could fill memory.
_MAX_KEY_BYTES: Final = 4096
_JITTER: Final = 0.1


class DecisionCache:
    """Decisions of the edition in force, least recently used out first.

    The law: once a newer edition was heard of, in the stream or in any answer, no decision of an older one is given
    from here. So a revoked grant is not served after the epoch that revoked it. Until the news arrives the time to
    live bounds the delay; its jitter only shortens it. A stream that is broken or silent switches the cache off.
    """

    def __init__(self, *, ttl: float, capacity: int, silence: float, clock: Clock, random: Random) -> None:
        """Take seconds; a capacity or a time to live of zero switches the cache off."""
        self._ttl = ttl
        self._capacity = capacity if ttl > 0 else 0
        self._silence = silence
        self._clock = clock
        self._random = random
        self._entries: OrderedDict[bytes, tuple[float, Decision]] = OrderedDict()
        self._edition: Edition | None = None
        self._heard_at = float("-inf")
        # Decisions of editions below this one are never remembered: somebody was already answered by a newer one.
        self._floor = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def live(self) -> bool:
        """Whether the edition in force is known, as of no longer ago than the silence that is put up with."""
        edition = self._edition
        return (
            edition is not None
            and edition.trusted
            and edition.epoch >= self._floor
            and self._clock() - self._heard_at <= self._silence
        )

    def heard(self, edition: Edition | None = None) -> None:
        """Note a sign of life of the stream, and which edition it names if it names one."""
        self._heard_at = self._clock()
        if edition is not None and edition != self._edition:
            self._entries.clear()
            self._edition = edition

    def lost(self) -> None:
        """Note that the stream ended. The next one may be another process's, whose epochs count from anywhere."""
        self._entries.clear()
        self._edition = None
        self._floor = 0

    def get(self, key: bytes) -> Decision | None:
        """Return the remembered decision, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if not self.live:
            self._entries.clear()
            return None
        expires, decision = entry
        if self._clock() >= expires:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return decision

    def note(self, key: bytes, decision: Decision, *, asked_at: float) -> None:
        """Take an answer: as news of the edition in force, and to remember if it is clear and of that edition.

        The time to live runs from the question: the decision may be as old as that.
        """
        edition = self._edition
        if edition is None or self._capacity == 0:
            return
        if (decision.epoch, decision.digest) != (edition.epoch, edition.digest):
            self._note_other(decision, edition)
            return
        # What comes with errors was in doubt: a policy was skipped, or all were too old to be trusted.
        if decision.errors or len(key) > _MAX_KEY_BYTES or not self.live:
            return
        expires = asked_at + self._ttl * (1 - _JITTER * self._random())
        self._entries[key] = (expires, replace(decision, remembered=True))
        self._entries.move_to_end(key)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def _note_other(self, decision: Decision, edition: Edition) -> None:
        """Forget everything when an answer was newer than the stream, and wait for the stream to catch up."""
        if decision.epoch is None or decision.epoch < edition.epoch:
            # No edition at all is nothing to go by; an older one is a worker process that has yet to follow.
            return
        self._entries.clear()
        # The same epoch with another content is no order at all: only a later edition can be trusted again.
        self._floor = max(self._floor, decision.epoch + (1 if decision.epoch == edition.epoch else 0))
