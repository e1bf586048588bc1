"""The life of the sidecar: everything that runs in it, from the first login to the last lease given back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from aeterna.secrets.errors import SecretNotReadyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import timedelta

    from aeterna.secrets.ports import Wiping
    from aeterna.secrets.usecases.handover import Handover
    from aeterna.secrets.usecases.holdings import Holdings
    from aeterna.secrets.usecases.keeping import SourceKeeper

log = structlog.stdlib.get_logger(__name__)


class Life:
    """Runs the keepers and the handover. ``failed`` is called when one of them ends, which none does by itself."""

    def __init__(
        self,
        keepers: Sequence[SourceKeeper],
        handover: Handover,
        *,
        holdings: Holdings,
        wiping: Wiping,
        revoke_timeout: timedelta,
        failed: Callable[[], None],
    ) -> None:
        self._keepers = keepers
        self._handover = handover
        self._holdings = holdings
        self._wiping = wiping
        self._revoke_timeout = revoke_timeout.total_seconds()
        self._failed = failed
        self._kept: list[asyncio.Task[None]] = []
        self._rest: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Begin to log in and to fetch."""
        self._kept = [self._started(keeper.run) for keeper in self._keepers]
        self._rest = [self._started(self._handover.run)]

    async def ready(self) -> None:
        """Return when every secret is held and was handed over; raise `SecretNotReadyError`."""
        if not self._handover.complete:
            raise SecretNotReadyError(min(self._holdings.missing, default="files"))

    async def end(self) -> None:
        """Take everything away at once, and then give back what sources leased, as far as there is time for it."""
        for keeper in self._keepers:
            keeper.stop()
        for task in self._rest:
            task.cancel()
        await asyncio.gather(*self._rest, return_exceptions=True)
        self._holdings.drop(self._holdings.names)
        await self._wiping.end()
        await asyncio.gather(*map(self._give_back, self._keepers, self._kept))

    async def _give_back(self, keeper: SourceKeeper, kept: asyncio.Task[None]) -> None:
        """End one source's logins; a question that is not answered holds up neither these nor another source's."""
        try:
            async with asyncio.timeout(self._revoke_timeout):
                await asyncio.wait([kept], timeout=self._revoke_timeout / 2)
                await keeper.give_back()
                await asyncio.wait([kept])
                # What was under way may have been a login.
                await keeper.give_back()
        except TimeoutError:
            kept.cancel()
            log.warning("secrets.not_given_back", source=keeper.source)

    def _started(self, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(run())
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Future[None]) -> None:
        """Say what kind of failure it was, and never what it said: a traceback may hold what is kept."""
        if not task.cancelled() and (exc := task.exception()) is not None:
            log.critical("secrets.failed", kind=type(exc).__name__)
            self._failed()
