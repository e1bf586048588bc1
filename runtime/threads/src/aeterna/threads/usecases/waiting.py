"""A reader's wait inside one process: whoever learns of news sets its event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


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
