"""One process of the agent: it says that it lives, takes over what waits, and runs it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog
from a2a.server.agent_execution import AgentExecutor

from aeterna.a2a.errors import AgentError
from aeterna.a2a.ports import Leases, Ledger, TaskLog
from aeterna.a2a.usecases.channels import Channels
from aeterna.a2a.usecases.run import Begun, Run

if TYPE_CHECKING:
    from aeterna.a2a.domain.rows import Lease

_DOUBLINGS: Final = 10
_LONGEST_PAUSE: Final = timedelta(seconds=30)
_logger: Final[structlog.stdlib.BoundLogger] = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a dead process is noticed, and how much one process takes on.

    A process that is killed is thought dead ``ttl`` after its last beat, and its tasks are taken over at the next poll
    of another: within ``ttl + poll``.
    """

    ttl: timedelta = timedelta(seconds=2)
    beat: timedelta = timedelta(seconds=0.5)
    poll: timedelta = timedelta(seconds=0.5)
    patience: timedelta = timedelta(seconds=5)
    """A follower reads the log again after so long without news, in case that a wake was lost."""
    most_runs: int = 200
    most_attempts: int = 5
    """A message whose runs were cut off so often is failed instead of being run again: it may be what ends them."""


@dataclass(slots=True, kw_only=True)
class Runner:
    """Runs the tasks whose leases this process has."""

    name: str
    executor: AgentExecutor
    log: TaskLog
    leases: Leases
    ledger: Ledger
    channels: Channels
    pace: Pace
    alive: bool = False
    draining: bool = False
    left: bool = False
    submitting: dict[str, int] = field(default_factory=dict[str, int])
    """Tasks whose lease a write of this process asks for right now."""
    _runs: dict[str, tuple[Run, asyncio.Task[None]]] = field(
        default_factory=dict[str, tuple[Run, "asyncio.Task[None]"]]
    )

    _living: asyncio.Event = field(default_factory=asyncio.Event)
    _looking: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])

    @property
    def claim(self) -> str | None:
        """In whose name a message may ask for its task's lease, where this process can run it."""
        return self.name if self.alive and not self.draining and len(self._runs) < self.pace.most_runs else None

    async def work(self) -> None:
        """Beat, claim and listen until cancelled; then everything is dropped where it stands."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat())
                group.create_task(self._claim())
                group.create_task(self._listen())
        finally:
            self.alive = False
            for run, task in self._runs.values():
                run.stop()
                task.cancel()

    def start(self, lease: Lease, *, begun: Begun | None = None) -> None:
        """Run a task under a lease, unless it is run under this lease already."""
        found = self._runs.get(lease.task_id)
        if found is not None and found[0].lease.epoch >= lease.epoch:
            return
        if found is not None:
            found[0].stop()
        run = Run(
            lease=lease,
            executor=self.executor,
            log=self.log,
            ledger=self.ledger,
            channels=self.channels,
            most_attempts=self.pace.most_attempts,
            begun=begun,
        )
        task = asyncio.get_running_loop().create_task(self._run(run))
        self._runs[lease.task_id] = (run, task)
        task.add_done_callback(lambda _: self._ended(run))

    def stop(self, task_id: str) -> None:
        """Stop a task that was just cancelled, if it is run here."""
        if (found := self._runs.get(task_id)) is not None:
            found[0].stop(canceled=True)

    async def drain(self, seconds: float) -> None:
        """Take nothing new, let runs go on for so long, drop the rest unwritten and give all leases back."""
        self.draining = True
        tasks = [task for _, task in self._runs.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for run, task in list(self._runs.values()):
            run.stop()
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self.left, self.alive = True, False
        try:
            await self.leases.leave(self.name)
        except AgentError as error:
            await _logger.awarning("a2a.leave_failed", runner=self.name, code=error.code, error=str(error))
        self.channels.close()

    async def _run(self, run: Run) -> None:
        """Run a task; one that failed is given back after a while that grows, so that its attempts are counted."""
        await run.go()
        if not run.failed:
            return
        pause = self.pace.poll * 2 ** min(run.lease.attempts, _DOUBLINGS)
        await asyncio.sleep(min(pause, _LONGEST_PAUSE).total_seconds())
        try:
            await self.leases.release(run.lease.task_id, epoch=run.lease.epoch)
        except AgentError as error:
            await _logger.awarning("a2a.release_failed", task_id=run.lease.task_id, code=error.code)

    def _ended(self, run: Run) -> None:
        found = self._runs.get(run.lease.task_id)
        if found is not None and found[0] is run:
            del self._runs[run.lease.task_id]

    async def _beat(self) -> None:
        told = ""
        while not self.left:
            try:
                await self.leases.beat(self.name, ttl=self.pace.ttl)
                self.alive, told = True, ""
                self._living.set()
            except AgentError as error:
                if told != (told := str(error)):  # twice a second would hide everything else
                    await _logger.awarning("a2a.beat_failed", code=error.code, error=told)
            await asyncio.sleep(self.pace.beat.total_seconds())

    async def _claim(self) -> None:
        await self._living.wait()
        while True:
            room = self.pace.most_runs - len(self._runs)
            if self.alive and not self.draining and room > 0:
                try:
                    held = [*self._runs, *self.submitting]
                    for lease in await self.leases.claim(self.name, limit=min(room, 50), held=held):
                        if lease.task_id not in self.submitting:
                            self.start(lease)
                except AgentError as error:
                    await _logger.awarning("a2a.claim_failed", code=error.code, error=str(error))
            await asyncio.sleep(self.pace.poll.total_seconds())

    async def _listen(self) -> None:
        async for wake in self.log.wakes():
            self.channels.hint(wake.task_id, wake.version)
            for run, _ in list(self._runs.values()):
                if wake.task_id in {None, run.lease.task_id} and run.is_behind(wake.version):
                    self._look(run, wake.version)

    def _look(self, run: Run, version: int) -> None:
        looking = asyncio.get_running_loop().create_task(run.look(version))
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)
