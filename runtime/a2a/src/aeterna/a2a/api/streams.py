"""Streams of events on any binding: heartbeats while nothing happens, and an end when the process drains."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from a2a.utils.errors import A2AError, InternalError
from prometheus_client import Gauge

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator

    from prometheus_client import CollectorRegistry

    from aeterna.a2a.api.exchange import Binding

T = TypeVar("T")

# How long a browser's EventSource waits before it comes back; sent first, which also carries the headers out at once.
RETRY: Final = b"retry: 1000\n\n"
HEARTBEAT: Final = b": heartbeat\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How often a quiet stream says so, how long a stream lasts, and how many one process holds."""

    heartbeat: timedelta = timedelta(seconds=15)
    lifetime: timedelta = timedelta(minutes=10)
    most: int = 2000


class Streams:
    """The streams of one process."""

    def __init__(self, limits: StreamLimits, registry: CollectorRegistry) -> None:
        self._limits = limits
        self._ending = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._gauge = Gauge("aeterna_a2a_streams", "Event streams open here.", ("binding",), registry=registry)
        self.count = 0
        self.leaving = False
        """Whether the process was asked to end, so that what does not end by itself soon goes on elsewhere."""
        for binding in ("jsonrpc", "rest", "grpc"):
            self._gauge.labels(binding)

    @property
    def ending(self) -> bool:
        """Whether the process is going away."""
        return self._ending.is_set()

    def end(self) -> None:
        """End every stream between two of its events; clients go on with another process."""
        self._ending.set()

    async def wait_end(self) -> None:
        """Return when streams end."""
        await self._ending.wait()

    async def wait_empty(self) -> None:
        """Return when no stream is open."""
        await self._empty.wait()

    def check_room(self) -> None:
        """Raise `A2AError` while as many streams are open as this process holds."""
        if self.count >= self._limits.most:
            raise full(self._limits.most)

    async def paced(self, source: AsyncGenerator[T], binding: Binding) -> AsyncGenerator[T | None]:
        """Give out what the source gives, None for a heartbeat, until the source, the process or the lifetime ends."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limits.lifetime.total_seconds()
        ending = loop.create_task(self._ending.wait())
        news = loop.create_task(_next(source))
        try:
            with self._counted(binding):
                while not self.ending and (left := end - loop.time()) > 0:
                    pause = min(self._limits.heartbeat.total_seconds(), left)
                    await asyncio.wait({news, ending}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                    if news.done():
                        found = news.result()
                        if not found:
                            return
                        yield found[0]
                        news = loop.create_task(_next(source))
                    elif not self.ending:
                        yield None
        finally:
            ending.cancel()
            news.cancel()
            await asyncio.wait({news})
            await source.aclose()

    @contextmanager
    def _counted(self, binding: Binding) -> Generator[None]:
        self.count += 1
        self._empty.clear()
        try:
            with self._gauge.labels(binding).track_inprogress():
                yield
        finally:
            self.count -= 1
            if not self.count:
                self._empty.set()


async def _next(source: AsyncIterator[T]) -> tuple[T] | tuple[()]:
    """Return the next of the source in a tuple, an empty one at its end: a task cannot raise StopAsyncIteration."""
    async for item in source:
        return (item,)
    return ()


def full(most: int) -> A2AError:
    """Return the error of a process that holds as many streams as it may."""
    return InternalError(
        message=f"{most} streams are open here, which is the limit; try again", data={"retryDelay": "1s"}
    )
