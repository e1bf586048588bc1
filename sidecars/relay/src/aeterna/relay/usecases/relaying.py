"""Carries what a client and the cache say to each other, for as long as the login holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.identity.errors import TokenUnavailableError
from aeterna.relay.domain.lifetime import Lifetime, Traffic
from aeterna.relay.errors import LoginRefusedError, RelayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.relay.domain.tally import End, Tally
    from aeterna.relay.ports import Connection, LoggedIn, Upstream
    from aeterna.service.clock import Clock

QUIET_SECONDS: Final = 0.1
_LOOK_SECONDS: Final = 0.05
# As Redis says it itself.
_FULL: Final = b"-ERR max number of clients reached\r\n"

log = structlog.stdlib.get_logger(__name__)


class Relaying:
    """Relays up to ``most`` clients at once; ``clock`` tells the time since the Unix epoch, ``random`` is in [0, 1)."""

    def __init__(
        self, upstream: Upstream, tally: Tally, *, most: int, clock: Clock, random: Callable[[], float]
    ) -> None:
        self._upstream = upstream
        self._tally = tally
        self._most = most
        self._clock = clock
        self._random = random
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Have each connection end once it is quiet; the process was asked to stop."""
        self._leaving.set()

    async def serve(self, client: Connection) -> None:
        """Relay one client to its end; never raises what either side does."""
        if self._tally.open >= self._most:
            self._tally.refused["limit"] += 1
            log.warning("relay.full", connections=self._most)
            await _told(client, _FULL)
            return
        self._tally.open += 1
        try:
            await self._relayed(client)
        finally:
            self._tally.open -= 1
            client.close()

    async def _relayed(self, client: Connection) -> None:
        try:
            cache = await self._upstream.open()
        except (RelayError, TokenUnavailableError) as exc:
            # Nothing is said to the client: an error would be taken for the answer to its first command.
            login = isinstance(exc, LoginRefusedError | TokenUnavailableError)
            self._tally.refused["login" if login else "unreachable"] += 1
            return
        self._tally.login_ends = cache.ends
        try:
            end = await self._carried(client, cache)
        finally:
            cache.connection.close()
        self._tally.ended[end] += 1

    async def _carried(self, client: Connection, cache: LoggedIn) -> End:
        """Carry both directions until one side ends or the connection's time is over; return why it ended."""
        traffic = Traffic(at=self._clock())
        lifetime = Lifetime.until(cache.ends, now=self._clock(), luck=self._random())
        tasks: dict[asyncio.Task[None], End] = {
            asyncio.create_task(self._up(client, cache.connection, traffic)): "client",
            asyncio.create_task(self._down(cache.connection, client, traffic)): "cache",
            asyncio.create_task(self._aged(traffic, lifetime)): "age",
            asyncio.create_task(self._left(traffic)): "drain",
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, OSError):
                raise outcome
        first = next(task for task in tasks if task in done)
        return "broken" if first.exception() is not None else tasks[first]

    async def _up(self, client: Connection, cache: Connection, traffic: Traffic) -> None:
        while data := await client.receive():
            traffic.sent(self._clock())
            await cache.send(data)
            self._tally.sent_bytes += len(data)

    async def _down(self, cache: Connection, client: Connection, traffic: Traffic) -> None:
        while data := await cache.receive():
            traffic.answered(self._clock())
            await client.send(data)
            self._tally.received_bytes += len(data)

    async def _aged(self, traffic: Traffic, lifetime: Lifetime) -> None:
        await asyncio.sleep(max(0.0, lifetime.soft - self._clock()))
        while self._clock() < lifetime.hard and not traffic.quiet(self._clock(), QUIET_SECONDS):  # noqa: ASYNC110 - that nothing comes is no event
            await asyncio.sleep(_LOOK_SECONDS)

    async def _left(self, traffic: Traffic) -> None:
        await self._leaving.wait()
        while not traffic.quiet(self._clock(), QUIET_SECONDS):  # noqa: ASYNC110 - that nothing comes is no event
            await asyncio.sleep(_LOOK_SECONDS)


async def _told(client: Connection, words: bytes) -> None:
    try:
        await client.send(words)
    except OSError:
        pass
    finally:
        client.close()
