"""Keeping: the one process of a sidecar that brings what is in force up to what its feed has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from aeterna.cedar.errors import BundleError, BundleUnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from aeterna.policy.domain.feeding import FeedState, Outcome
    from aeterna.policy.ports import BundleSource
    from aeterna.policy.usecases.publishing import Publisher

_JITTER: Final = 0.1
_LONGEST_BACKOFF: Final = 60.0
_DOUBLINGS: Final = 16

log = structlog.stdlib.get_logger(__name__)


class Feed(Protocol):
    """Brings bundles to the publisher."""

    def begin(self) -> None:
        """Bring what there is at once, before there is an event loop."""
        ...

    async def run(self) -> None:
        """Bring what comes, until cancelled."""
        ...

    async def refresh(self) -> None:
        """Bring what there is now."""
        ...


class Keeper:
    """Runs one feed. Its seed is put in force only where nothing ever was; without one the feed is waited for."""

    def __init__(self, publisher: Publisher, feed: Feed, *, seed: BundleSource | None) -> None:
        self._publisher = publisher
        self._feed = feed
        self._seed = seed

    @property
    def state(self) -> FeedState:
        """How the feed fares."""
        return self._publisher.state

    def begin(self) -> None:
        """Make sure that something is in force, if there is a seed; blocks.

        Raises `BundleError` when the seed is of no use. Without a seed nothing may be in force, which denies all.
        """
        publications = self._publisher.publications
        self._feed.begin()
        current = publications.current()
        if current is not None:
            try:
                publications.bundle(current)
            except BundleUnreadableError:
                log.warning("policy.state_useless", digest=current.digest)
            else:
                return
        if self._seed is None:
            return
        self._publisher.offer_now(self._seed.read())
        refusal = self._publisher.state.refusal
        if publications.current() is None and refusal is not None:
            raise BundleUnreadableError("there are no policies to begin with", refusal.reason)

    async def run(self) -> None:
        """Keep up with the feed until cancelled."""
        await self._feed.run()

    async def refresh(self) -> None:
        """Look at the feed now."""
        await self._feed.refresh()


class PolledFeed:
    """A source that is looked at again and again.

    The jitter only shortens an interval: replicas that began together should not ask together, and none may take on a
    change later than was configured. While the source is silent the interval doubles, up to a minute.
    """

    def __init__(
        self,
        source: BundleSource,
        publisher: Publisher,
        *,
        interval: timedelta,
        random: Callable[[], float],
        local: bool,
    ) -> None:
        """Take ``random`` as a source of numbers in [0, 1); a ``local`` source is read before anything is served."""
        self._source = source
        self._publisher = publisher
        self._interval = interval.total_seconds()
        self._random = random
        self._local = local
        self._failures = 0
        self._looking = asyncio.Lock()

    def begin(self) -> None:
        """Publish what a local source has; one that is far away is not waited for."""
        if not self._local:
            return
        try:
            bundle = self._source.read()
        except BundleError as exc:
            self._publisher.refuse(exc)
            return
        self._publisher.offer_now(bundle)

    async def run(self) -> None:
        """Look until cancelled."""
        wait = self._local
        while True:
            if wait:
                await asyncio.sleep(self.delay())
            wait = True
            await self.refresh()

    async def refresh(self) -> None:
        """Look now; never raises."""
        async with self._looking:
            try:
                reached = await self._look() != "unreachable"
            except Exception:
                # Whoever asked, a loop or a signal's handler, would end and keep old policies for ever; this way their
                # age tells of it.
                log.exception("policy.look_failed")
                reached = False
            self._failures = 0 if reached else self._failures + 1

    def delay(self) -> float:
        """Return how many seconds to wait for the next look."""
        if self._failures == 0:
            return self._interval * (1 - _JITTER * self._random())
        doubled = self._interval * 2 ** min(self._failures - 1, _DOUBLINGS)
        ceiling = min(doubled, max(_LONGEST_BACKOFF, self._interval))
        return ceiling * (1 - self._random() / 2)

    async def _look(self) -> Outcome:
        try:
            bundle = await asyncio.to_thread(self._source.read)
        except BundleUnreadableError as exc:
            return self._publisher.unreachable(exc)
        except BundleError as exc:
            return self._publisher.refuse(exc)
        return await self._publisher.offer(bundle)
