"""Threads as server-sent events: how many, for how long, and how they end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.threads.api.bodies import MessageBody
from aeterna.threads.domain.conversation import Message
from aeterna.threads.errors import StreamsExhaustedError, ThreadsError
from aeterna.threads.usecases.follow import Follower

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import ThreadId
    from aeterna.threads.ports import ThreadStore, Wakes

# How long a browser's EventSource waits before it comes back; sent first, which also carries the headers out at once.
_RETRY: Final = b"retry: 1000\n\n"
_HEARTBEAT: Final = b": heartbeat\n\n"

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How often a quiet stream says so, how long a stream lasts, and how many one process holds."""

    heartbeat: timedelta = timedelta(seconds=15)
    lifetime: timedelta = timedelta(minutes=10)
    most: int = 2000


class Streams:
    """The event streams of one process."""

    def __init__(self, store: ThreadStore, wakes: Wakes, limits: StreamLimits) -> None:
        self._store = store
        self._follower = Follower(store, wakes, limits.heartbeat)
        self._limits = limits
        self.count = 0

    async def open(
        self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, draining: Callable[[], bool]
    ) -> AsyncGenerator[bytes]:
        """Return the bytes of a stream, or raise what would make it end at once.

        That is `StreamsExhaustedError`, `ThreadNotFoundError`, `PositionAheadError`, or the store out of reach.
        """
        if self.count >= self._limits.most:
            raise StreamsExhaustedError(self._limits.most)
        await self._store.messages(tenant, thread_id, after_seq=after_seq, limit=0)
        return self._events(tenant, thread_id, after_seq, draining)

    async def _events(
        self, tenant: TenantId, thread_id: ThreadId, after_seq: int, draining: Callable[[], bool]
    ) -> AsyncGenerator[bytes]:
        time = asyncio.get_running_loop().time
        end = time() + self._limits.lifetime.total_seconds()
        followed = self._follower.follow(
            tenant, thread_id, after_seq=after_seq, ending=lambda: draining() or time() >= end
        )
        with self._counted():
            yield _RETRY
            try:
                async with aclosing(followed) as news:
                    async for item in news:
                        yield MessageBody.of(item).event() if isinstance(item, Message) else _HEARTBEAT
            except ThreadsError as exc:
                # The status is long sent. The stream ends between two events, and the client's return with its
                # Last-Event-ID is answered with the problem itself for as long as there is one.
                log.warning("threads.stream_ended", code=exc.code)

    @contextmanager
    def _counted(self) -> Generator[None]:
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1
