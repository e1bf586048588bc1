"""What a replica does beside answering: the leader keeps everything, and each its own certificate new."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.contracts.errors import AeternaError
from aeterna.injector.domain.authority import Seen
from aeterna.injector.errors import ClusterUnavailableError, InjectorError
from aeterna.service.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime

    from aeterna.injector.ports import UpkeepObserver
    from aeterna.injector.usecases.authority import AuthorityKeeper
    from aeterna.injector.usecases.leading import Leadership
    from aeterna.injector.usecases.missing import MissedPods
    from aeterna.injector.usecases.serving import OwnCertificate, ServingCertificates
    from aeterna.injector.usecases.telling import Telling
    from aeterna.injector.usecases.trust import TrustKeeper
    from aeterna.service.clock import Clock

LONGEST: Final = timedelta(seconds=60)
"""A pass that takes longer is given up: what it read is too old to write anything by."""
_FIRST: Final = timedelta(milliseconds=200)
_SPREAD: Final = 0.2

log = structlog.stdlib.get_logger(__name__)


class Upkeep:
    """One replica's loop. A part that fails is counted and tried again with the next pass; nothing here ends it."""

    def __init__(  # noqa: PLR0913 - the parts of a pass
        self,
        *,
        leadership: Leadership,
        authority: AuthorityKeeper,
        serving: ServingCertificates,
        trust: TrustKeeper,
        telling: Telling,
        missed: MissedPods,
        own: OwnCertificate,
        observer: UpkeepObserver,
        interval: timedelta,
        look_every: timedelta,
        now: Callable[[], datetime],
        steady: Clock,
        random: Callable[[], float],
    ) -> None:
        self._leadership = leadership
        self._authority = authority
        self._serving = serving
        self._trust = trust
        self._telling = telling
        self._missed = missed
        self._own = own
        self._observer = observer
        self._interval = interval
        self._look_every = look_every
        self._now = now
        self._steady = steady
        self._random = random
        self._looked: float | None = None

    async def run(self) -> None:
        """Go on until cancelled, and let another lead at once then."""
        try:
            while True:
                await self.once()
                wait = self._interval if self._own.is_shown else min(_FIRST, self._interval)
                await asyncio.sleep(wait.total_seconds() * (1 - _SPREAD * self._random()))
        finally:
            await self._leadership.release()

    async def once(self) -> None:
        """Do one pass: as the leader all of it, otherwise this replica's own certificate alone."""
        leading = False
        async with self._part("lease"):
            leading = await self._leadership.hold()
        self._observer.leads(leading)
        if leading:
            begun = self._steady()
            await self._lead()
            self._observer.passed(self._steady() - begun)
        async with self._part("own_certificate"):
            await self._own.refresh(self._now())

    async def ready(self) -> None:
        """Raise `NotReadyError` while there is no certificate to show."""
        if not self._own.is_shown:
            raise NotReadyError({"certificate": "none yet"})

    async def _lead(self) -> None:
        async with self._part("authority"):
            await self._keep()
        if self._looked is None or self._steady() - self._looked >= self._look_every.total_seconds():
            self._looked = self._steady()
            async with self._part("pods"):
                await self._missed.look(sorted((await self._trust.read()).injected))

    async def _keep(self) -> None:
        """Look at everything, decide, publish whom to trust, and only then issue: in this order in every pass."""
        now = self._now()
        served = await self._serving.read()
        trust = await self._trust.read()
        shown = tuple(each for one in served for each in one.authorities)
        seen = Seen(trusted=self._trust.known_everywhere(trust), shown=frozenset(each.fingerprint for each in shown))
        authority = await self._authority.keep(seen, shown=shown, now=now)
        await self._telling.refresh()
        async with self._part("trust"):
            await self._trust.keep(trust, authority)
        await self._serving.keep(served, authority, now=now)

    @asynccontextmanager
    async def _part(self, name: str) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                yield
        except TimeoutError:
            self._failed(name, ClusterUnavailableError(name, "took too long"))
        except AeternaError as exc:
            self._failed(name, exc)
        except Exception:
            # The edge of the loop: whatever a driver raises, the other parts and the next pass go on, or nothing would
            # ever be renewed again.
            self._observer.failed(name, InjectorError.code)
            log.exception("upkeep.failed", part=name)

    def _failed(self, part: str, problem: AeternaError) -> None:
        self._observer.failed(part, problem.code)
        log.warning("upkeep.failed", part=part, code=problem.code, reason=str(problem))
