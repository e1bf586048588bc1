"""A reader's wait inside one process: whoever learns of news tells it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aeterna.threads.domain.task import News

if TYPE_CHECKING:
    from datetime import timedelta

    from aeterna.threads.domain.conversation import ThreadId

# More tasks than that in one go are as well looked at all together.
_MOST: Final = 1000


class EventWaiter:
    """The `Waiter` of every `Wakes` that runs in the reader's own event loop."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    async def wait(self, timeout: timedelta) -> bool:  # noqa: ASYNC109 - as in the port
        """See `Waiter.wait`."""
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                await self.event.wait()
        except TimeoutError:
            return False
        self.event.clear()
        return True


class NewsWaiter:
    """The `AgentWaiter` of every `Wakes` that runs in the reader's own event loop.

    What comes while nobody waits is kept once for each task, and beyond a thousand tasks not one by one: a slow reader
    costs no more memory than that.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._grown: dict[ThreadId, int] = {}
        self._everything = False

    def tell(self, task_id: ThreadId, version: int) -> None:
        """Let the reader know of a task that has grown to a version."""
        if not self._everything:
            self._grown[task_id] = max(version, self._grown.get(task_id, 0))
            if len(self._grown) > _MOST:
                self.tell_everything()
                return
        self._event.set()

    def tell_everything(self) -> None:
        """Let the reader know that any task may have grown."""
        self._everything = True
        self._grown = {}
        self._event.set()

    async def wait(self, timeout: timedelta) -> News | None:  # noqa: ASYNC109 - as in the port
        """See `AgentWaiter.wait`."""
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                await self._event.wait()
        except TimeoutError:
            return None
        self._event.clear()
        news = News(grown=self._grown, everything=self._everything)
        self._grown, self._everything = {}, False
        return news
