"""Keeps the index of the search a moment behind what is appended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from aeterna.threads.errors import ThreadsError

if TYPE_CHECKING:
    from aeterna.threads.ports import SearchIndex

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexLimits:
    """How long after a sweep the next one begins, and how many threads one transaction does."""

    interval: timedelta = timedelta(seconds=1)
    threads: int = 100


class Indexing:
    """The sweeps of one process; of all processes one does them."""

    def __init__(self, index: SearchIndex, limits: IndexLimits) -> None:
        self._index = index
        self._limits = limits

    async def run(self) -> None:
        """Sweep until cancelled; what fails is tried again in the next sweep."""
        failing = False
        while True:
            await asyncio.sleep(self._limits.interval.total_seconds())
            try:
                await self.catch_up()
                failing = False
            except ThreadsError as exc:
                # Once, and not each second for as long as a database is away.
                if not failing:
                    log.warning("threads.indexing_failed", code=exc.code)
                failing = True

    async def catch_up(self) -> None:
        """Sweep until nothing is left, unless another process is at it."""
        while await self._index.sweep(limit=self._limits.threads):
            pass
