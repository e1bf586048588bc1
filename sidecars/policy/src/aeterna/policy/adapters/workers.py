"""Worker processes on the same listening sockets: started, also when one has died, and drained before they stop."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.policy.domain.tally import PROCESS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from socket import socket

    from aeterna.policy.adapters.shared_tallies import SharedTallies
    from aeterna.service.clock import Clock

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
# A worker that lived for this long did not die of how it was started, so the next one need not wait.
_STEADY_SECONDS: Final = 10.0

log = structlog.stdlib.get_logger(__name__)


class Workers:
    """Runs as many workers as there are tallies.

    They inherit the listening sockets, so a connection waits there while no worker takes it. They are their parent's:
    at the other end of a pipe each sees it end, and drains. Each is a program of its own and no fork, because a parent
    with threads cannot be forked in safety.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        listeners: Sequence[socket],
        shared: SharedTallies,
        grace: timedelta,
        clock: Clock,
    ) -> None:
        """Take the program and its first arguments, and how long a worker may take to drain; ``clock`` is steady.

        A worker is told its number, the first listener, the tallies, what to watch, and the other listeners.
        """
        self._command = command
        self._listeners = listeners
        self._shared = shared
        self._grace = grace.total_seconds()
        self._clock = clock
        self._stopping = asyncio.Event()
        self._running: dict[int, asyncio.subprocess.Process] = {}

    async def run(self) -> None:
        """Keep the workers running; return when all have drained after `stop`."""
        watched, lifeline = os.pipe()
        try:
            async with asyncio.TaskGroup() as group:
                numbers = range(len(self._shared.tallies))
                keeping = [group.create_task(self._keep(number, watched)) for number in numbers]
                group.create_task(self._insist(keeping))
        finally:
            os.close(lifeline)
            os.close(watched)

    def stop(self) -> None:
        """Have every worker drain and end; called again, have them end at once."""
        self._stopping.set()
        self._signal(signal.SIGTERM)

    def nudge(self) -> None:
        """Have every worker look at what is published, if it has begun to listen to signals."""
        for number, process in self._running.items():
            if self._shared.tallies[number].process == process.pid and process.returncode is None:
                process.send_signal(signal.SIGHUP)

    async def _keep(self, number: int, watched: int) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            begun = self._clock()
            status = await self._one(number, watched)
            if self._stopping.is_set():
                return
            log.warning("policy.worker_ended", worker=number, status=status)
            if self._clock() - begun > _STEADY_SECONDS:
                pause = _FIRST_PAUSE
            try:
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
            except TimeoutError:
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _one(self, number: int, watched: int) -> int:
        """Run a worker to its end and return its exit status."""
        first, *others = (listener.fileno() for listener in self._listeners)
        inherited = (first, self._shared.descriptor, watched, *others)
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *(str(argument) for argument in (number, *inherited)),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=inherited,
            # Ctrl-C at a terminal goes to the parent alone: it tells the workers, once.
            start_new_session=True,
        )
        self._running[number] = process
        if self._stopping.is_set():
            process.terminate()
        try:
            return await process.wait()
        finally:
            del self._running[number]
            tally = self._shared.tallies[number]
            tally.words[PROCESS] = 0
            tally.in_use(epoch=0, digest="", confirmed=0, cached=0)

    async def _insist(self, keeping: Sequence[asyncio.Task[None]]) -> None:
        """End workers that do not drain in their time."""
        await self._stopping.wait()
        _, late = await asyncio.wait(keeping, timeout=self._grace)
        if late:
            log.warning("policy.workers_late", workers=sorted(self._running))
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._running.values():
            if process.returncode is None:
                process.send_signal(number)


async def parent_ended(watched: int) -> None:
    """Return when the parent at the other end of the pipe is gone."""
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(watched, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(watched)
