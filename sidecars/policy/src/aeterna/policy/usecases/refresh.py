"""Publishing what the source of bundles has now, and keeping the last good bundle when that is of no use."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import structlog

from aeterna.cedar.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.cedar.ports import Compiler
    from aeterna.policy.ports import BundleSource, Publications

log = structlog.stdlib.get_logger(__name__)


class Refresher:
    """Keeps what is published up to one source; reading and compiling happen off the event loop."""

    def __init__(
        self,
        source: BundleSource,
        compiler: Compiler,
        publications: Publications,
        *,
        interval: float,
        nudge: Callable[[], None],
    ) -> None:
        self._source = source
        self._compiler = compiler
        self._publications = publications
        self._interval = interval
        self._nudge = nudge
        self._lock = asyncio.Lock()

    def begin(self) -> None:
        """Publish what the source has, or raise `BundleError` where nothing was ever published."""
        bundle = self._source.read()
        self._compiler.compile(bundle)
        self._publications.publish(bundle)

    async def run(self) -> None:
        """Look at intervals until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            await self.refresh()

    async def refresh(self) -> Literal["unchanged", "published", "refused"]:
        """Publish the source's bundle if it is another and a good one; say what happened."""
        async with self._lock:
            try:
                return await asyncio.to_thread(self._look)
            except BundleError as exc:
                log.warning("policy.bundle_refused", code=exc.code, reason=str(exc))
                return "refused"
            finally:
                self._nudge()

    def _look(self) -> Literal["unchanged", "published"]:
        bundle = self._source.read()
        current = self._publications.current()
        if current is not None and current.digest == bundle.digest():
            self._publications.confirm()
            return "unchanged"
        self._compiler.compile(bundle)
        self._publications.publish(bundle)
        return "published"
