"""Keeps one source: its logins, and what is most due of its secrets, one call at a time."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import structlog

from aeterna.secrets.domain.term import pause_after
from aeterna.secrets.errors import AccessDeniedError, RequestFailedError, SourceError, SourceUnavailableError
from aeterna.secrets.usecases.calling import call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aeterna.secrets.domain.counts import Counts
    from aeterna.secrets.domain.moment import Moment
    from aeterna.secrets.ports import Entrance
    from aeterna.secrets.usecases.logins import Login, Logins
    from aeterna.secrets.usecases.tending import Entry, Tending

    Act: TypeAlias = Callable[[], Awaitable[None]]

# How often the clocks are looked at: one may have been set, and a machine may have slept.
_TICK_SECONDS: Final = 1.0
# Between two calls to a source, so that no answer of it can make this a busy loop.
_LEAST_SECONDS: Final = 0.01

log = structlog.stdlib.get_logger(__name__)


class SourceKeeper:
    """Does what is most due at one source. What nothing of a source can be had for stops all of it for a while."""

    def __init__(
        self,
        source: str,
        entrance: Entrance,
        logins: Logins,
        tending: Tending,
        *,
        counts: Counts,
        now: Callable[[], Moment],
        random: Callable[[], float],
    ) -> None:
        self.source = source
        self._entrance = entrance
        self._logins = logins
        self._tending = tending
        self._counts = counts
        self._now = now
        self._random = random
        self._blocked = now()
        self._outages = 0
        self._stopping = asyncio.Event()

    @property
    def login_ends(self) -> Moment | None:
        """When the login in use ends unless it is renewed; None for none, or for one that does not end."""
        return self._logins.current.ends if self._logins.current is not None else None

    def stop(self) -> None:
        """Have `run` return after what is under way."""
        self._stopping.set()

    async def run(self) -> None:
        """Keep the secrets until told to stop."""
        while not self._stopping.is_set():
            pause = min(_TICK_SECONDS, max(_LEAST_SECONDS, await self.step()))
            try:
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def step(self) -> float:
        """Do what is most due; return in how many seconds the next is, which is 0 after something was done."""
        now = self._now()
        if now.before(self._blocked):
            return now.until(self._blocked)
        due, act = self._next(now)
        if now.before(due):
            return now.until(due)
        try:
            await act()
        except SourceUnavailableError as exc:
            self._outages += 1
            pause = pause_after(self._outages, self._random, told=exc.retry_after)
            self._blocked = self._now().after(pause)
            self._tending.failed(exc, pause)
        else:
            self._outages = 0
        return 0.0

    def _next(self, now: Moment) -> tuple[Moment, Act]:
        """Return what is most due, and when that is."""
        current, tending = self._logins.current, self._tending
        if current is None:
            return self._logins.due or now, self._log_in
        found: list[tuple[Moment, Act]] = []
        if self._logins.due is not None:
            found.append((self._logins.due, self._keep_login))
        found += [(entry.due, partial(self._see_to, entry, current)) for entry in tending.entries]
        found += [(retired.due, partial(tending.revoke, retired)) for retired in tending.retired]
        found += [(now, partial(self._leave, login)) for login in self._logins.before if not tending.uses(login)]
        # What waits longest goes first, so that nothing that is always due keeps the rest from their turn.
        return min(found, key=lambda one: (now.until(one[0]), one[0].steady))

    async def _log_in(self) -> None:
        asked = self._now()
        try:
            session = await call(self._entrance.log_in)
        except SourceUnavailableError:
            # Behind what else is due: while there is a login, its secrets can be seen to.
            self._logins.refused()
            raise
        except RequestFailedError as exc:
            self._tending.failed(exc, self._logins.refused())
            return
        self._logins.began(session, asked=asked)
        self._counts.done[self.source, "login"] += 1
        log.info("secrets.logged_in", source=self.source)
        self._tending.logged_in()

    async def _keep_login(self) -> None:
        login = self._logins.renewable()
        if login is None or login.term is None:
            await self._log_in()
            return
        asked = self._now()
        try:
            grant = await call(login.session.renew, ttl=login.term.ttl)
        except SourceUnavailableError:
            self._logins.refused()
            raise
        except RequestFailedError as exc:
            # It may hold still, as when a policy forbids to prolong it or no node leads: it stays until another is had.
            self._tending.failed(exc, 0.0)
            await self._log_in()
            return
        self._logins.renewed(login, grant, asked=asked)
        self._counts.done[self.source, "login_renewal"] += 1
        self._tending.login_renewed(login)

    async def _see_to(self, entry: Entry, login: Login) -> None:
        refused = await self._tending.see_to(entry, login)
        # A policy that forbids a secret is not mended by logging in; a login that is gone is.
        if isinstance(refused, AccessDeniedError) and not await self._alive(login):
            self._logins.lost()
            entry.due = self._now()

    async def _alive(self, login: Login) -> bool:
        try:
            return await call(login.session.alive)
        except RequestFailedError as exc:
            self._tending.failed(exc, 0.0)
            return True

    async def _leave(self, login: Login) -> None:
        """End a login that was replaced, and on which nothing hangs any more."""
        self._logins.before.remove(login)
        await self._end(login)

    async def give_back(self) -> None:
        """End every login, and with each the leases that were had by it; for the end of the process."""
        for login in self._logins.taken():
            await self._end(login)

    async def _end(self, login: Login) -> None:
        try:
            await call(login.session.revoke)
        except SourceError as exc:
            self._tending.failed(exc, 0.0)
        else:
            log.info("secrets.logged_out", source=self.source)
