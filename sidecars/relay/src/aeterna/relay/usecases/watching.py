"""Knows whether the cache answers this workload, by one connection of its own that asks every few seconds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.identity.errors import TokenUnavailableError
from aeterna.relay.domain.lifetime import Lifetime
from aeterna.relay.domain.resp import command
from aeterna.relay.errors import RelayError, UpstreamUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.relay.domain.tally import Tally
    from aeterna.relay.ports import Connection, Upstream
    from aeterna.service.clock import Clock

_EVERY_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 5.0
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0
_PING: Final = command("PING")
_PONG: Final = b"+PONG\r\n"

log = structlog.stdlib.get_logger(__name__)


class Watching:
    """Asks the cache for a sign of life, so that readiness costs a probe nothing; see `Relaying` for the arguments."""

    def __init__(self, upstream: Upstream, tally: Tally, *, clock: Clock, random: Callable[[], float]) -> None:
        self._upstream = upstream
        self._tally = tally
        self._clock = clock
        self._random = random
        self.trouble: str | None = "relay.not_asked_yet"
        """Why the cache cannot be used, by the code of the error; None while it can."""

    async def run(self) -> None:
        """Ask until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            try:
                opened = await self._upstream.open()
                try:
                    lifetime = Lifetime.until(opened.ends, now=self._clock(), luck=self._random())
                    pause = _FIRST_PAUSE
                    await self._asked(opened.connection, lifetime)
                finally:
                    opened.connection.close()
            except (RelayError, TokenUnavailableError) as exc:
                self._down(exc)
                await asyncio.sleep(pause * (1 - 0.5 * self._random()))
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _asked(self, connection: Connection, lifetime: Lifetime) -> None:
        """Ask again and again until the login is old; raise `UpstreamUnavailableError` without an answer."""
        while self._clock() < lifetime.soft:
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await connection.send(_PING)
                    answer = await connection.receive()
            except TimeoutError:
                raise UpstreamUnavailableError("no answer in time") from None
            except OSError as exc:
                raise UpstreamUnavailableError(type(exc).__name__) from None
            if answer != _PONG:
                raise UpstreamUnavailableError("no answer to a ping" if answer else "it hung up")
            self._up()
            await asyncio.sleep(_EVERY_SECONDS * (1 - 0.2 * self._random()))

    def _up(self) -> None:
        if self.trouble is not None:
            log.info("relay.cache_answers")
        self.trouble, self._tally.up = None, True

    def _down(self, error: RelayError | TokenUnavailableError) -> None:
        if self.trouble != error.code:
            log.warning("relay.cache_away", code=error.code, reason=error.reason)
        self.trouble, self._tally.up = error.code, False
