"""Taking on what the source of bundles has now, and keeping the last good edition when that is of no use."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import structlog

from aeterna.cedar.errors import BundleError

if TYPE_CHECKING:
    from aeterna.cedar.ports import Compiler
    from aeterna.policy.ports import BundleSource
    from aeterna.policy.usecases.decide import Decider

log = structlog.stdlib.get_logger(__name__)


class Refresher:
    """Brings the decider up to its source's bundle; reading and compiling happen off the event loop."""

    def __init__(self, decider: Decider, source: BundleSource, compiler: Compiler) -> None:
        self._decider = decider
        self._source = source
        self._compiler = compiler
        self._lock = asyncio.Lock()

    async def refresh(self) -> Literal["unchanged", "adopted", "refused"]:
        """Adopt the source's bundle if it is another and a good one; say what happened."""
        async with self._lock:
            try:
                bundle = await asyncio.to_thread(self._source.read)
                digest = bundle.digest()
                if digest == self._decider.edition.digest:
                    self._decider.confirm()
                    return "unchanged"
                engine = await asyncio.to_thread(self._compiler.compile, bundle)
            except BundleError as exc:
                log.warning("policy.bundle_refused", code=exc.code, reason=str(exc), kept=self._decider.edition.digest)
                return "refused"
            self._decider.adopt(engine, digest)
            log.info("policy.bundle_adopted", digest=digest, epoch=self._decider.edition.epoch)
            return "adopted"
