"""News of an agent's tasks as server-sent events: one stream for each process of the agent."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from aeterna.threads.errors import StreamsExhaustedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from aeterna.service.caller import TenantId
    from aeterna.threads.api.streams import StreamLimits
    from aeterna.threads.domain.task import AgentId, News
    from aeterna.threads.ports import Wakes

_BEGINNING: Final = b"retry: 1000\n\nevent: all\ndata: {}\n\n"
_ALL: Final = b"event: all\ndata: {}\n\n"
_HEARTBEAT: Final = b": heartbeat\n\n"


class WakeStreams:
    """The wake streams of one process.

    A stream begins with ``all``, since nobody knows what its reader has missed before. A reader that is slow is told
    late and once of what has grown meanwhile, since nothing is kept for it but the names of tasks.
    """

    def __init__(self, wakes: Wakes, limits: StreamLimits) -> None:
        self._wakes = wakes
        self._limits = limits
        self.count = 0

    def open(self, tenant: TenantId, agent: AgentId, *, draining: Callable[[], bool]) -> AsyncGenerator[bytes]:
        """Return the bytes of a stream, or raise `StreamsExhaustedError`."""
        if self.count >= self._limits.most:
            raise StreamsExhaustedError(self._limits.most)
        return self._events(tenant, agent, draining)

    async def _events(self, tenant: TenantId, agent: AgentId, draining: Callable[[], bool]) -> AsyncGenerator[bytes]:
        time = asyncio.get_running_loop().time
        end = time() + self._limits.lifetime.total_seconds()
        self.count += 1
        try:
            async with self._wakes.subscribe_agent(tenant, agent) as waiter:
                yield _BEGINNING
                while not draining() and time() < end:
                    news = await waiter.wait(self._limits.heartbeat)
                    if not draining():
                        yield _HEARTBEAT if news is None else _told(news)
        finally:
            self.count -= 1


def _told(news: News) -> bytes:
    if news.everything:
        return _ALL
    return b"".join(
        b"event: wake\ndata: %s\n\n" % json.dumps({"task_id": task_id, "version": version}).encode("ascii")
        for task_id, version in news.grown.items()
    )
