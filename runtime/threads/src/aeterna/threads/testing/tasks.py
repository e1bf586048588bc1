"""The logs of tasks in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aeterna.service.clock import system_clock
from aeterna.service.json_value import JsonValue
from aeterna.threads.domain.conversation import ThreadId, compact, filling
from aeterna.threads.domain.lifetimes import Lifetimes
from aeterna.threads.domain.task import (
    TERMINAL,
    AgentId,
    Kind,
    RowPage,
    RunnerId,
    State,
    StoredRow,
    Task,
    TaskPage,
    TaskPlace,
    TaskView,
    Written,
    cancellation,
    row_json,
)
from aeterna.threads.errors import (
    LeaseLostError,
    MessageConflictError,
    PositionAheadError,
    StoreUnavailableError,
    TaskEndedError,
    TaskNotFoundError,
    ThreadsError,
    VersionConflictError,
)
from aeterna.threads.testing.conversations import FakeWakes
from aeterna.threads.testing.runs import lives

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.service.caller import TenantId
    from aeterna.service.clock import Clock
    from aeterna.threads.domain.task import TaskQuery, Write
    from aeterna.threads.ports import Told


@dataclass(slots=True)
class KeptTask:
    """A task in memory; the fake of runs reads and changes it as well."""

    task_id: ThreadId
    agent: AgentId
    owner: str
    context_id: str
    ttl: timedelta
    created_at: datetime
    updated_at: datetime
    status_at: datetime
    expires_at: datetime | None
    state: State | None = None
    status: Mapping[str, JsonValue] | None = None
    metadata: Mapping[str, JsonValue] | None = None
    version: int = 0
    epoch: int = 0
    runner: RunnerId | None = None
    waiting: bool = False
    waiting_since: datetime | None = None
    waiting_seq: int = 0
    handled_seq: int = 0
    attempts: int = 0
    last_write: tuple[str, int] | None = None
    rows: list[StoredRow] = field(default_factory=list[StoredRow])

    def task(self) -> Task:
        """Return the task as it is told."""
        return Task(
            task_id=self.task_id,
            context_id=self.context_id,
            owner=self.owner,
            agent=self.agent,
            state=self.state,
            status=self.status,
            metadata=self.metadata,
            version=self.version,
            epoch=self.epoch,
            runner=self.runner,
            waiting=self.waiting,
            handled_seq=self.handled_seq,
            attempts=self.attempts,
            created_at=self.created_at,
            status_at=self.status_at,
            expires_at=self.expires_at,
        )


class FakeTaskLog:
    """A `TaskLog` in memory; ``available`` switches it off, and what grows wakes the readers it was given.

    ``runners`` says until when each process of an agent lives, and ``kept`` holds the tasks; the fake of runs shares
    both.
    """

    def __init__(
        self, wakes: FakeWakes | None = None, *, clock: Clock = system_clock, lifetimes: Lifetimes | None = None
    ) -> None:
        self._wakes = wakes or FakeWakes()
        self._clock = clock
        self._lifetimes = lifetimes or Lifetimes()
        self.kept: dict[tuple[TenantId, ThreadId], KeptTask] = {}
        self.runners: dict[tuple[TenantId, AgentId, RunnerId], datetime] = {}
        self.available = True

    async def write(
        self, tenant: TenantId, agent: AgentId, writes: Sequence[Write], told: Told | None = None
    ) -> tuple[Written | ThreadsError, ...]:
        """See `TaskLog.write`."""
        self._require()
        results = list[Written | ThreadsError]()
        for place, write in enumerate(writes):
            try:
                result: Written | ThreadsError = self._write(tenant, agent, write)
            except ThreadsError as exc:
                result = exc
            results.append(result)
            if told is not None:
                told(place, result)
        return tuple(results)

    async def cancel(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, status: Mapping[str, JsonValue]
    ) -> Written:
        """See `TaskLog.cancel`."""
        self._require()
        written = self._write(tenant, agent, cancellation(task_id, owner, status))
        self.kept[tenant, task_id].epoch += 1
        return written

    async def task(
        self,
        tenant: TenantId,
        agent: AgentId,
        task_id: ThreadId,
        *,
        owner: str,
        history_length: int | None,
        artifacts: bool,
        upto: int | None = None,
    ) -> TaskView:
        """See `TaskLog.task`."""
        kept = self._find(tenant, agent, task_id, owner)
        rows = [stored for stored in kept.rows if upto is None or stored.seq <= upto]
        said = [stored for stored in rows if stored.row.said]
        said = said[len(said) - min(len(said), len(said) if history_length is None else history_length) :]
        pieces = [stored for stored in rows if artifacts and stored.row.kind is Kind.ARTIFACT and not stored.row.said]
        return TaskView(task=kept.task(), rows=tuple(sorted((*said, *pieces), key=lambda stored: stored.seq)))

    async def tasks(self, tenant: TenantId, agent: AgentId, query: TaskQuery) -> TaskPage:
        """See `TaskLog.tasks`."""
        self._require()
        found = [
            kept
            for (whose, _), kept in self.kept.items()
            if (whose, kept.agent, kept.owner) == (tenant, agent, query.owner)
            and kept.state is not None
            and not self._expired(kept)
            and query.context_id in {None, kept.context_id}
            and query.state in {None, kept.state}
            and (query.status_after is None or kept.status_at >= query.status_after)
        ]
        found.sort(key=_place, reverse=True)
        after = query.after
        rest = [kept for kept in found if after is None or _place(kept) < (after.status_at, after.task_id)]
        page = rest[: query.limit]
        more = len(rest) > query.limit
        end = TaskPlace(status_at=page[-1].status_at, task_id=page[-1].task_id) if more else None
        return TaskPage(tasks=tuple(kept.task() for kept in page), next_place=end, total=len(found))

    async def rows(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, after: int, limit: int
    ) -> RowPage:
        """See `TaskLog.rows`."""
        kept = self._find(tenant, agent, task_id, owner)
        if after > kept.version:
            raise PositionAheadError(after, kept.version)
        rows = kept.rows[after : after + limit]
        return RowPage(rows=tuple(rows[: filling(map(_size, rows))]), version=kept.version, state=kept.state)

    def _write(self, tenant: TenantId, agent: AgentId, write: Write) -> Written:
        created = self._begin(tenant, agent, write)
        try:
            kept = self._find(tenant, agent, write.task_id, write.owner)
        except TaskNotFoundError:
            raise TaskNotFoundError(write.task_id) from None
        wins = self._wins(tenant, kept, write)
        if (repeated := _repeated(kept, write)) is not None:
            if wins and kept.waiting:
                self._lease(kept, write)
            fence = kept.epoch if kept.waiting and write.claim is not None and kept.runner == write.claim else None
            return Written(version=repeated, created=False, repeated=True, epoch=fence)
        _refuse(kept, write)
        return self._add(tenant, kept, write, created=created, wins=wins)

    def _begin(self, tenant: TenantId, agent: AgentId, write: Write) -> bool:
        """Begin the task if it may and is not there, and refuse what is so wherever it goes."""
        for row in write.rows:
            row_json(row)
        creation = write.creation
        if creation is None:
            return False
        ttl = self._lifetimes.of_task(creation.ttl)
        there = self.kept.get((tenant, write.task_id))
        if not write.may_create or (there is not None and not self._expired(there)):
            return False
        now = self._now()
        self.kept[tenant, write.task_id] = KeptTask(
            task_id=write.task_id,
            agent=agent,
            owner=write.owner,
            context_id=creation.context_id,
            ttl=ttl,
            created_at=now,
            updated_at=now,
            status_at=now,
            expires_at=now + ttl * 1.125,
        )
        return True

    def _add(self, tenant: TenantId, kept: KeptTask, write: Write, *, created: bool, wins: bool) -> Written:
        now = max(self._now(), kept.updated_at)
        before = kept.version
        for row in write.rows:
            kept.version += 1
            kept.rows.append(StoredRow(seq=kept.version, created_at=now, row=row))
        if write.status is not None or (write.state is not None and write.state != kept.state):
            kept.status_at = now
        kept.updated_at = now
        kept.state = write.state or kept.state
        kept.status = kept.status if write.status is None else write.status
        kept.metadata = kept.metadata if write.metadata is None else write.metadata
        if kept.expires_at is not None and kept.expires_at < now + kept.ttl:
            kept.expires_at = now + kept.ttl * 1.125
        if write.waiting:
            kept.waiting_seq = before + write.waiting_place
        if write.handled_seq is not None:
            kept.handled_seq, kept.attempts = max(kept.handled_seq, write.handled_seq), 0
        ends = write.state in TERMINAL
        left = write.handled_seq is None or kept.waiting_seq > write.handled_seq
        kept.waiting = not ends and (write.waiting or kept.waiting) and left
        kept.waiting_since = (kept.waiting_since or now) if kept.waiting else None
        if not kept.waiting and (ends or write.handled_seq is not None):
            kept.runner = None
        if kept.waiting and wins:
            self._lease(kept, write)
        if created or write.epoch is not None or write.expected_version is not None:
            kept.last_write = (write.write_id, kept.version)
        self._wakes.announce_task(tenant, kept.agent, kept.task_id, kept.version)
        fence = kept.epoch if kept.waiting and write.claim is not None and kept.runner == write.claim else None
        return Written(version=kept.version, created=created, repeated=False, epoch=fence)

    def _wins(self, tenant: TenantId, kept: KeptTask, write: Write) -> bool:
        if write.claim is None or kept.runner == write.claim:
            return False
        now = self._now()
        return lives(self.runners, (tenant, kept.agent, write.claim), now) and not lives(
            self.runners, (tenant, kept.agent, kept.runner), now
        )

    def _lease(self, kept: KeptTask, write: Write) -> None:
        kept.runner = write.claim
        kept.epoch += 1
        kept.attempts += 1

    def _require(self) -> None:
        if not self.available:
            raise StoreUnavailableError

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _expired(self, kept: KeptTask) -> bool:
        return kept.expires_at is not None and kept.expires_at <= self._now()

    def _find(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, owner: str) -> KeptTask:
        self._require()
        kept = self.kept.get((tenant, task_id))
        if kept is None or (kept.agent, kept.owner) != (agent, owner) or self._expired(kept):
            raise TaskNotFoundError(task_id)
        return kept


def _repeated(kept: KeptTask, write: Write) -> int | None:
    """Return where the log ended after the write was made first, or None; raise `MessageConflictError`."""
    if kept.last_write is not None and kept.last_write[0] == write.write_id:
        return kept.last_write[1]
    known = {stored.row.message_id: stored for stored in kept.rows if stored.row.message_id is not None}
    first: int | None = None
    for place, row in enumerate(write.rows, start=1):
        if row.message_id is None or (stored := known.get(row.message_id)) is None:
            continue
        if row.digest() != stored.row.digest():
            raise MessageConflictError(row.message_id, stored.seq)
        if first is None:
            first = stored.seq + len(write.rows) - place
    return first


def _refuse(kept: KeptTask, write: Write) -> None:
    if write.epoch is not None and write.epoch != kept.epoch:
        raise LeaseLostError(kept.task_id, write.epoch)
    if kept.state in TERMINAL:
        raise TaskEndedError(kept.task_id, kept.state or "", kept.version)
    compared = write.compared_version
    if compared is not None and compared != kept.version:
        raise VersionConflictError(compared, kept.version)


def _size(stored: StoredRow) -> int:
    row = stored.row
    columns = (row.payload, None if row.parts is None else list(row.parts), row.metadata, row.extra)
    return sum(len(compact(column).encode()) for column in columns if column is not None)


def _place(kept: KeptTask) -> tuple[datetime, ThreadId]:
    return kept.status_at, kept.task_id
