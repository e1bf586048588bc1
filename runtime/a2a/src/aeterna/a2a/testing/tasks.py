"""The durable logs in memory, with the rules that the thread store has for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aeterna.a2a.domain.rows import (
    Row,
    RowPage,
    Step,
    StoredRow,
    StoredTask,
    TaskPage,
    TaskView,
    Wake,
    Written,
)
from aeterna.a2a.errors import LeaseGoneError, StoreAwayError, StoreRefusedError
from aeterna.service.clock import system_clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aeterna.a2a.domain.rows import PushConfig, TaskQuery, Write
    from aeterna.contracts.json_value import JsonValue
    from aeterna.service.clock import Clock

TERMINAL: Final = frozenset({"TASK_STATE_COMPLETED", "TASK_STATE_FAILED", "TASK_STATE_CANCELED", "TASK_STATE_REJECTED"})


@dataclass(slots=True)
class KeptTask:
    """A task with everything that belongs to it."""

    task: StoredTask
    rows: list[StoredRow] = field(default_factory=list[StoredRow])
    messages: dict[str, Row] = field(default_factory=dict[str, Row])
    steps: dict[str, tuple[str, Step]] = field(default_factory=dict[str, tuple[str, Step]])
    last_write: str | None = None
    runner: str | None = None


class FakeTaskLog:
    """A `TaskLog` in memory; ``available`` switches it off, and ``writes`` counts what changed something."""

    def __init__(self, *, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._wakers: set[asyncio.Queue[Wake]] = set()
        self.kept: dict[str, KeptTask] = {}
        self.living: dict[str, float] = {}
        self.available = True
        self.writes = 0

    async def write(self, write: Write) -> Written:
        """See `TaskLog.write`."""
        await self._require()
        kept = self.kept.get(write.task_id)
        if kept is None:
            return self._create(write)
        self._own(write.task_id, write.owner)
        if self._is_repeated(kept, write):
            return Written(version=kept.task.version, repeated=True, epoch=self._claimed(kept, write))
        _check(kept, write)
        return self._apply(kept, write, created=False)

    async def cancel(self, task_id: str, *, owner: str, status: Mapping[str, JsonValue]) -> Written:
        """See `TaskLog.cancel`."""
        await self._require()
        kept = self._own(task_id, owner)
        if kept.task.state in TERMINAL:
            raise StoreRefusedError("threads.task_ended", f"task {task_id} has ended")
        self._append(kept, Row(kind="status", streamed=True, author=owner, payload={"status": status}))
        kept.task = replace(
            kept.task,
            state="TASK_STATE_CANCELED",
            status=status,
            status_at=self.now(),
            epoch=kept.task.epoch + 1,
            waiting=False,
        )
        kept.runner = None
        self._announce(kept)
        return Written(version=kept.task.version)

    async def task(
        self,
        task_id: str,
        *,
        owner: str,
        history_length: int | None = None,
        artifacts: bool = True,
        upto: int | None = None,
    ) -> TaskView:
        """See `TaskLog.task`."""
        await self._require()
        kept = self._own(task_id, owner)
        rows = [row for row in kept.rows if upto is None or row.seq <= upto]
        said = [row for row in rows if row.row.said]
        if history_length is not None:
            said = said[len(said) - history_length :] if history_length < len(said) else said
        chosen = said + [row for row in rows if artifacts and row.row.kind == "artifact"]
        return TaskView(task=kept.task, rows=tuple(sorted(chosen, key=lambda row: row.seq)))

    async def tasks(self, query: TaskQuery) -> TaskPage:
        """See `TaskLog.tasks`."""
        await self._require()
        found = [kept.task for kept in self.kept.values() if _matches(kept.task, query)]
        found.sort(key=lambda task: (task.status_at, task.task_id), reverse=True)
        if not (query.cursor or "0").isdigit():
            raise StoreRefusedError("threads.invalid_cursor", "the cursor is not one that this store gave out")
        start = int(query.cursor or 0)
        end = start + query.limit
        return TaskPage(
            tasks=tuple(found[start:end]), next_cursor=str(end) if end < len(found) else None, total=len(found)
        )

    async def rows(self, task_id: str, *, owner: str, after: int, limit: int = 200) -> RowPage:
        """See `TaskLog.rows`."""
        await self._require()
        kept = self._own(task_id, owner)
        if after > kept.task.version:
            raise StoreRefusedError("threads.position_ahead", f"the log ends before {after}")
        return RowPage(rows=tuple(kept.rows[after : after + limit]), version=kept.task.version, state=kept.task.state)

    async def wakes(self) -> AsyncIterator[Wake]:
        """See `TaskLog.wakes`."""
        queue: asyncio.Queue[Wake] = asyncio.Queue()
        self._wakers.add(queue)
        try:
            yield Wake(task_id=None)
            while True:
                yield await queue.get()
        finally:
            self._wakers.discard(queue)

    def alive(self, runner: str | None) -> bool:
        """Tell whether a runner beat within its time."""
        return runner is not None and self.living.get(runner, 0.0) > self._clock()

    def beat(self, runner: str, seconds: float) -> None:
        """Let a runner live for so long."""
        self.living[runner] = self._clock() + seconds

    def expire(self, runner: str) -> None:
        """Let a runner be thought dead, as when its process was killed."""
        self.living.pop(runner, None)

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def take(self, kept: KeptTask, runner: str) -> int:
        """Give a runner the lease and return its epoch."""
        kept.runner = runner
        kept.task = replace(kept.task, epoch=kept.task.epoch + 1, attempts=kept.task.attempts + 1)
        return kept.task.epoch

    async def require(self) -> None:
        """Return while available, after the loop had its turn as over a network."""
        await self._require()

    async def _require(self) -> None:
        await asyncio.sleep(0)
        if not self.available:
            raise StoreAwayError("switched off")

    def _own(self, task_id: str, owner: str) -> KeptTask:
        kept = self.kept.get(task_id)
        if kept is None or kept.task.owner != owner:
            raise StoreRefusedError("threads.task_not_found", f"no task {task_id}")
        return kept

    def _create(self, write: Write) -> Written:
        if write.creation is None or write.epoch is not None:
            raise StoreRefusedError("threads.task_not_found", f"no task {write.task_id}")
        if write.expected_version:
            raise StoreRefusedError("threads.version_conflict", "the task is not there")
        now = self.now()
        task = StoredTask(
            task_id=write.task_id,
            context_id=write.creation.context_id,
            owner=write.owner,
            state=None,
            status=None,
            metadata=None,
            version=0,
            epoch=0,
            waiting=False,
            handled_seq=0,
            attempts=0,
            created_at=now,
            status_at=now,
            expires_at=None if write.creation.ttl is None else now + write.creation.ttl,
        )
        kept = self.kept[write.task_id] = KeptTask(task)
        return self._apply(kept, write, created=True)

    def _is_repeated(self, kept: KeptTask, write: Write) -> bool:
        if kept.last_write == write.write_id:
            return True
        for row in write.rows:
            if row.message_id is None or (first := kept.messages.get(row.message_id)) is None:
                continue
            if (first.role, first.parts, first.metadata) != (row.role, row.parts, row.metadata):
                raise StoreRefusedError("threads.message_conflict", f"message {row.message_id} has other content")
            return True
        return False

    def _apply(self, kept: KeptTask, write: Write, *, created: bool) -> Written:
        self.writes += 1
        for row in write.rows:
            self._append(kept, row)
        if write.state is not None:
            kept.task = replace(kept.task, state=write.state, status_at=self.now())
        if write.status is not None:
            kept.task = replace(kept.task, status=write.status)
        if write.metadata is not None:
            kept.task = replace(kept.task, metadata=write.metadata)
        self._settle(kept, write)
        kept.last_write = write.write_id
        self._announce(kept)
        return Written(version=kept.task.version, created=created, epoch=self._claimed(kept, write))

    def _settle(self, kept: KeptTask, write: Write) -> None:
        """Let the task wait for a runner for as long as a message of the user is not handled."""
        if write.waiting:
            kept.task = replace(kept.task, waiting=True)
        if write.handled_seq is not None:
            left = any(row.row.kind == "message" and row.row.role == "user" for row in kept.rows[write.handled_seq :])
            kept.task = replace(kept.task, handled_seq=write.handled_seq, waiting=left, attempts=0)
        if kept.task.state in TERMINAL:
            kept.task = replace(kept.task, waiting=False)
        if not kept.task.waiting and (write.handled_seq is not None or kept.task.state in TERMINAL):
            kept.runner = None

    def _claimed(self, kept: KeptTask, write: Write) -> int | None:
        if write.claim is None or not kept.task.waiting:
            return None
        if kept.runner == write.claim:
            return kept.task.epoch
        if not self.alive(write.claim):
            return None
        return None if self.alive(kept.runner) else self.take(kept, write.claim)

    def _append(self, kept: KeptTask, row: Row) -> None:
        kept.task = replace(kept.task, version=kept.task.version + 1)
        kept.rows.append(StoredRow(seq=kept.task.version, created_at=self.now(), row=row))
        if row.message_id is not None:
            kept.messages[row.message_id] = row

    def _announce(self, kept: KeptTask) -> None:
        for queue in self._wakers:
            queue.put_nowait(Wake(task_id=kept.task.task_id, version=kept.task.version))


class FakePushConfigs:
    """A `PushConfigs` in memory."""

    def __init__(self, log: FakeTaskLog) -> None:
        self._log = log
        self.kept: dict[str, dict[str, PushConfig]] = {}

    async def put(self, task_id: str, config: PushConfig, *, owner: str) -> PushConfig:
        """See `PushConfigs.put`."""
        await self._log.task(task_id, owner=owner, history_length=0, artifacts=False)
        shown = replace(config, token=None, credentials=None)
        self.kept.setdefault(task_id, {})[config.config_id] = shown
        return shown

    async def all(self, task_id: str, *, owner: str) -> tuple[PushConfig, ...]:
        """See `PushConfigs.all`."""
        await self._log.task(task_id, owner=owner, history_length=0, artifacts=False)
        return tuple(self.kept.get(task_id, {}).values())

    async def delete(self, task_id: str, config_id: str, *, owner: str) -> None:
        """See `PushConfigs.delete`."""
        await self._log.task(task_id, owner=owner, history_length=0, artifacts=False)
        self.kept.get(task_id, {}).pop(config_id, None)


def _check(kept: KeptTask, write: Write) -> None:
    if kept.task.state in TERMINAL:
        raise StoreRefusedError("threads.task_ended", f"task {write.task_id} has ended as {kept.task.state}")
    if write.epoch is not None and (write.epoch != kept.task.epoch or kept.runner is None):
        raise LeaseGoneError(write.task_id)
    if write.expected_version is not None and write.expected_version != kept.task.version:
        raise StoreRefusedError("threads.version_conflict", f"the task is at {kept.task.version}")
    proven = write.epoch is not None or write.expected_version is not None
    if not proven and any(row.kind != "message" or row.role != "user" for row in write.rows):
        raise StoreRefusedError("threads.invalid_request", "only a message of the user needs neither lease nor version")


def _matches(task: StoredTask, query: TaskQuery) -> bool:
    return (
        task.owner == query.owner
        and task.state is not None
        and (query.context_id is None or task.context_id == query.context_id)
        and (query.state is None or task.state == query.state)
        and (query.status_after is None or task.status_at >= query.status_after)
    )
