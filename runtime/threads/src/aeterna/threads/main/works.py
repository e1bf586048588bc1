"""Watches what runs beside the requests: a process whose work has failed must not look as if it were of use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.threads.main.ground import Work

log = structlog.stdlib.get_logger(__name__)


async def watched(work: Work, stop: Callable[[], None]) -> None:
    """Await a work; when it fails in a way that it did not foresee, say so, have the process stopped, and raise.

    The connections close with the failure, and the server does not notice: it would answer 503 for ever.
    """
    try:
        await work()
    except Exception:
        log.critical("threads.work_failed", exc_info=True)
        stop()
        raise
