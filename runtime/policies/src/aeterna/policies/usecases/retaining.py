"""Removes the audit's oldest records when they have been kept as long as was promised."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.policies.errors import PoliciesError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aeterna.policies.domain.audit import Cut
    from aeterna.policies.ports import Audit

_PAUSE: Final = timedelta(hours=1)

log = structlog.stdlib.get_logger(__name__)


class Retention:
    """Keeps the audit for ``kept`` and no longer."""

    def __init__(self, audit: Audit, now: Callable[[], datetime], *, kept: timedelta) -> None:
        self._audit = audit
        self._now = now
        self._kept = kept

    async def once(self) -> Cut | None:
        """Remove what is old enough; None when nothing is."""
        at = self._now()
        cut = await self._audit.cut(at - self._kept, at=at)
        if cut is not None:
            # The hash in a log that is kept elsewhere is what a forged beginning would have to agree with.
            log.info("audit.cut", records=cut.records, through_seq=cut.through.seq, through_hash=cut.through.hash)
        return cut

    async def run(self) -> None:
        """Do it every hour until cancelled; what fails is tried again an hour later."""
        while True:
            try:
                await self.once()
            except PoliciesError as exc:
                log.warning("audit.cut_failed", code=exc.code)
            await asyncio.sleep(_PAUSE.total_seconds())
