"""Resyncing: whoever pushes is asked again and again to push everything; silence may mean no change, or nobody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.policy.errors import FeedUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from aeterna.policy.ports import Resync

_JITTER: Final = 0.1
_FIRST_RETRY: Final = 1.0
_LONGEST_RETRY: Final = 10.0
_DOUBLINGS: Final = 16

log = structlog.stdlib.get_logger(__name__)


class Resyncing:
    """Asks at once, then at intervals.

    The jitter only shortens an interval, so none is confirmed later than was configured. While nothing can come the
    wait doubles up to ten seconds, less up to a half by chance: a fleet that lost one server does not return as one.
    """

    def __init__(
        self,
        resync: Resync,
        *,
        interval: timedelta,
        random: Callable[[], float],
        begun: Callable[[], None] = lambda: None,
        failed: Callable[[FeedUnreachableError], object] = lambda _: None,
        without_entities: Callable[[], None] = lambda: None,
    ) -> None:
        """Take ``random`` as a source of numbers in [0, 1); ``begun`` is called before each ask, on the event loop.

        ``failed`` is called there too, with the reason why nothing will come, and ``without_entities`` when policies
        alone will.
        """
        self._resync = resync
        self._interval = interval.total_seconds()
        self._random = random
        self._begun = begun
        self._failed = failed
        self._without_entities = without_entities
        self._failures = 0

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.ask()
            await asyncio.sleep(self.delay())

    async def ask(self) -> None:
        """Ask now."""
        self._begun()
        try:
            entities = await asyncio.to_thread(self._resync.ask)
        except FeedUnreachableError as exc:
            if self._failures == 0:
                log.warning("policy.feed_unreachable", code=exc.code, reason=str(exc))
            self._failures += 1
            self._failed(exc)
        else:
            if self._failures > 0:
                log.info("policy.feed_returned", failures=self._failures)
            self._failures = 0
            if not entities:
                self._without_entities()

    def delay(self) -> float:
        """Return how many seconds to wait before the next ask."""
        if self._failures == 0:
            return self._interval * (1 - _JITTER * self._random())
        doubled = _FIRST_RETRY * 2 ** min(self._failures - 1, _DOUBLINGS)
        return min(doubled, _LONGEST_RETRY, self._interval) * (1 - self._random() / 2)
