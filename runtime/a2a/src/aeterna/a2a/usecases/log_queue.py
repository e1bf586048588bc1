"""The SDK's `EventQueue` over a task's log: an agent may run ahead of what is durable, its subscribers may not."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

import structlog
from a2a.server.events import EventQueue
from a2a.types import Message, Task, TaskArtifactUpdateEvent, TaskState, TaskStatus

from aeterna.a2a.domain.events import Change, Event, state_after
from aeterna.a2a.domain.fold import fold_artifact
from aeterna.a2a.domain.replay import answering
from aeterna.a2a.domain.rows import Write
from aeterna.a2a.errors import LeaseGoneError, StoreAwayError
from aeterna.a2a.usecases.channels import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from a2a.types import Artifact

    from aeterna.a2a.domain.events import Progress
    from aeterna.a2a.domain.replay import Replay
    from aeterna.a2a.domain.rows import Lease, Written
    from aeterna.a2a.ports import TaskLog
    from aeterna.a2a.usecases.channels import Channel

RUN_AHEAD: Final = 256
"""So many events may wait to become durable before `enqueue_event` waits for them."""
MAX_ROWS: Final = 128
MAX_BYTES: Final = 256 * 1024
"""Rows and bytes in one write, unless a single event has more."""
_AGAIN: Final = 0.5

_T = TypeVar("_T")
_logger: Final[structlog.stdlib.BoundLogger] = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    event: Event
    change: Change


class LogQueue(EventQueue):
    """What an executor says about one message; nobody is told of anything that is not durable.

    ``on_lost`` is called once when the lease is gone; from then on every call raises `LeaseGoneError`.
    """

    def __init__(  # noqa: PLR0913 - a queue stands between so many
        self,
        lease: Lease,
        progress: Progress,
        *,
        log: TaskLog,
        channel: Channel,
        message: Message,
        message_seq: int,
        version: int,
        replay: Replay,
        on_lost: Callable[[Exception], None],
    ) -> None:
        self._lease = lease
        self._progress = progress
        self._log = log
        self._channel = channel
        self._message = message
        self._message_seq = message_seq
        self._told_state = progress.state
        self._replay = replay
        self._on_lost = on_lost
        self._marked = False
        self._repaired = False
        self._repairing = asyncio.Lock()
        self._pending: list[_Pending] = []
        self._writing = 0
        self._turn: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._ending = False
        self._handled = False
        self._broken: Exception | None = None
        self.version = version
        self.visited = False

    async def enqueue_event(self, event: Event) -> None:
        """Take an event; it becomes durable soon, and at the latest when the executor returns or runs a step."""
        self._require()
        if self._progress.over:
            await _logger.awarning("a2a.event_after_end", task_id=self._lease.task_id, kind=type(event).__name__)
            return
        if self._replay.known(event):
            return
        if self._replay.diverged:
            # What others say meanwhile waits, so that it comes after what is put back.
            async with self._repairing:
                if not self._repaired:
                    self._repaired = True
                    await self._repair()
        if self._progress.state is None and not isinstance(event, Message | Task):
            self._take(self._submitted())
        self._take(self._replay.named(event))
        while len(self._pending) + self._writing >= RUN_AHEAD:
            self._room.clear()
            await self._room.wait()
            self._require()

    async def settled(self) -> None:
        """Return when nothing is being written, whether or not it succeeded."""
        while self._turn is not None and not self._turn.done():
            await asyncio.wait({self._turn})

    async def flush(self) -> None:
        """Return when everything that was taken is durable."""
        while self._turn is not None and not self._turn.done():
            await asyncio.shield(self._turn)
        self._require()

    async def finish(self) -> None:
        """Make the rest durable together with the fact that the message was handled."""
        self._ending = True
        while not self._handled:
            self._kick()
            await self.flush()

    def reopen(self) -> None:
        """Go on after the store refused a write, from what is durable."""
        self._pending.clear()
        self._broken, self._ending, self._writing = None, False, 0
        self._progress.state, self._progress.replied = self._told_state, False

    def close(self) -> None:
        """Write nothing from now on."""
        self._pending.clear()
        self._broken = self._broken or LeaseGoneError(self._lease.task_id)
        if self._turn is not None:
            self._turn.cancel()
        self._room.set()

    def _take(self, event: Event) -> None:
        change = self._progress.change_of(event)
        if not change.rows:
            return
        if not self._marked:
            self._marked = True
            change = replace(change, rows=(answering(change.rows[0], self._message_seq), *change.rows[1:]))
        copy = type(event)()
        copy.CopyFrom(event)  # pyright: ignore[reportArgumentType] - of the same class
        if isinstance(copy, Task) and all(said.message_id != self._message.message_id for said in copy.history):
            copy.history.insert(0, self._message)
        self._pending.append(_Pending(event=copy, change=change))
        self._kick()

    def _submitted(self) -> Task:
        """Return the task that begins where the agent sent none."""
        return Task(
            id=self._lease.task_id,
            context_id=self._lease.context_id,
            status=TaskStatus(state=TaskState.TASK_STATE_SUBMITTED),
            history=[self._message],
        )

    def _kick(self) -> None:
        if self._turn is None or self._turn.done():
            self._turn = asyncio.get_running_loop().create_task(self._write_all())

    def _require(self) -> None:
        if self._broken is not None:
            raise self._broken

    async def _write_all(self) -> None:
        # One turn of the loop, in which more events come, and the end of the run if this was the last.
        await asyncio.sleep(0)
        try:
            while (self._pending or self._ending) and not self._handled:
                await self._write_some()
        except Exception as error:  # noqa: BLE001 - nothing may follow what was not written, whatever the reason
            self._broken = error
            self._on_lost(error)
        finally:
            self._room.set()

    async def _write_some(self) -> None:
        batch = self._cut()
        rows = tuple(row for pending in batch for row in pending.change.rows)
        over = self._progress.over and not self._pending
        write = Write(
            task_id=self._lease.task_id,
            owner=self._lease.owner,
            write_id=uuid.uuid4().hex,
            rows=rows,
            epoch=self._lease.epoch,
            state=_last([pending.change.state for pending in batch]),
            status=_last([pending.change.status for pending in batch]),
            metadata=_last([pending.change.metadata for pending in batch]),
            handled_seq=self._message_seq if over or (self._ending and not self._pending) else None,
        )
        written = await self._durable(write)
        self._writing = 0
        self._tell(batch, rows, written)
        if write.handled_seq is not None:
            self._handled = True
            self._channel.settle(self._message_seq)
        self._room.set()

    def _cut(self) -> list[_Pending]:
        batch, rows, size = list[_Pending](), 0, 0
        for pending in self._pending:
            rows += len(pending.change.rows)
            size += pending.event.ByteSize()
            if batch and (rows > MAX_ROWS or size > MAX_BYTES):
                break
            batch.append(pending)
        del self._pending[: len(batch)]
        self._writing = len(batch)
        return batch

    async def _durable(self, write: Write) -> Written:
        while True:
            try:
                return await self._log.write(write)
            except StoreAwayError:
                await _logger.awarning("a2a.store_away", task_id=self._lease.task_id)
                await asyncio.sleep(_AGAIN)

    def _tell(self, batch: Sequence[_Pending], rows: Sequence[object], written: Written) -> None:
        first = written.version - len(rows) + 1
        self.visited = self.visited or written.repeated or first != self.version + 1
        self.version = written.version
        if written.repeated:
            # Where the rows stand is not known for certain: followers read them.
            self._channel.hint(written.version)
            return
        entries: list[Entry] = []
        state = self._told_state
        for pending in batch:
            for row in pending.change.rows:
                state = state_after(row, state)
                event = pending.event if row is pending.change.rows[-1] else None
                entries.append(Entry(seq=first + len(entries), event=event, state=state))
        self._told_state = state
        self._channel.publish(entries)

    async def _repair(self) -> None:
        """Put back what an artifact was where this run left the path of the one before."""
        seq, names = self._replay.abandoned()
        if not names:
            return
        view = await self._log.task(
            self._lease.task_id, owner=self._lease.owner, history_length=0, artifacts=True, upto=seq
        )
        before: dict[str, Artifact] = {}
        for row in view.rows:
            if row.row.kind == "artifact":
                fold_artifact(before, row.row)
        for name in names & before.keys():
            self._take(
                TaskArtifactUpdateEvent(
                    task_id=self._lease.task_id, context_id=self._lease.context_id, artifact=before[name]
                )
            )


def _last(values: Sequence[_T | None]) -> _T | None:
    return next((value for value in reversed(values) if value is not None), None)
