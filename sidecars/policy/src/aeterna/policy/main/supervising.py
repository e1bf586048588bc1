"""Composes the parent of several workers: it keeps what is published, and them alive."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.policy.adapters.shared_tallies import SharedTallies
from aeterna.policy.adapters.state_folder import StateFolder
from aeterna.policy.adapters.workers import Workers
from aeterna.policy.api.worker_metrics import KEEPER_METRICS, told_every_second
from aeterna.policy.main.keeping import keeping
from aeterna.service.clock import steady_clock, system_clock
from aeterna.service.lifecycle import address_of
from aeterna.service.metrics import new_registry

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from aeterna.policy.settings import PolicySettings

# The first argument of the program, by which the parent has it be a worker.
WORKER: Final = "worker"
_PROGRAM: Final = (sys.executable, "-P", "-m", "aeterna.policy")
# What a worker gets beyond its drain before it is ended.
_GRACE: Final = timedelta(seconds=5)

log = structlog.stdlib.get_logger(__name__)


async def supervise(
    settings: PolicySettings, folder: Path, listener: socket.socket, probes: socket.socket | None = None
) -> None:
    """Keep what is published and the workers that follow it, until told to stop.

    Any worker answers those who come to ``probes``, for all of them: its parent listens to nobody.
    """
    shared = SharedTallies.created(settings.workers)
    workers = Workers(
        (*_PROGRAM, WORKER, str(folder)),
        listeners=[each for each in (listener, probes) if each is not None],
        shared=shared,
        grace=settings.drain_delay + settings.drain_timeout + _GRACE,
        clock=steady_clock,
    )
    registry = new_registry()
    kept = keeping(
        settings, StateFolder(folder, clock=system_clock), CedarCompiler(), nudge=workers.nudge, registry=registry
    )
    loop = asyncio.get_running_loop()
    hangups = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hangups.set)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, workers.stop)

    async def refreshing() -> None:
        while True:
            await hangups.wait()
            hangups.clear()
            await kept.keeper.refresh()
            workers.nudge()

    async def telling() -> None:
        await told_every_second(registry, folder / KEEPER_METRICS)

    log.info("service.listening", address=address_of(listener), workers=settings.workers)
    beside = [asyncio.ensure_future(run()) for run in (*kept.beside, refreshing, telling)]
    try:
        await workers.run()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    log.info("service.stopped")
