"""Keeps the logs of tasks in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aeterna.threads.adapters.database import queries
from aeterna.threads.adapters.log_writer import LogWriter
from aeterna.threads.adapters.transaction import Statement, Transactions
from aeterna.threads.domain.conversation import PAGE_BYTES, MessageId, Role, ThreadId, compact
from aeterna.threads.domain.lifetimes import Lifetimes
from aeterna.threads.domain.task import (
    TERMINAL,
    AgentId,
    Kind,
    Row,
    RowPage,
    RunnerId,
    State,
    StoredRow,
    Task,
    TaskPage,
    TaskPlace,
    TaskView,
    Write,
    Written,
    cancellation,
    row_json,
)
from aeterna.threads.errors import (
    LeaseLostError,
    LifetimeError,
    MessageConflictError,
    MessageTooLargeError,
    PositionAheadError,
    StoreDefectError,
    TaskEndedError,
    TaskNotFoundError,
    ThreadsError,
    VersionConflictError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aeterna.postgres.pool import Pool
    from aeterna.postgres.pool import Row as DatabaseRow
    from aeterna.service.caller import TenantId
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.adapters.log_writer import Entry, Outcome
    from aeterna.threads.domain.task import TaskQuery
    from aeterna.threads.ports import Told

Announce: TypeAlias = "Callable[[TenantId, AgentId, ThreadId, int], None]"


class PostgresTaskLog:
    """A `TaskLog` in PostgreSQL 16 or later, through a pool that its maker opens and closes."""

    def __init__(self, pool: Pool, announce: Announce | None = None, lifetimes: Lifetimes | None = None) -> None:
        """Take what is told of each log that grew, once that is durable, and how long tasks live."""
        self._writer = LogWriter(pool)
        self._announce = announce
        self._lifetimes = lifetimes or Lifetimes()
        self._transactions = Transactions(pool, queries("session.sql", "tasks.sql"))

    async def write(
        self, tenant: TenantId, agent: AgentId, writes: Sequence[Write], told: Told | None = None
    ) -> tuple[Written | ThreadsError, ...]:
        """See `TaskLog.write`."""
        results: list[Written | ThreadsError] = [StoreDefectError(None)] * len(writes)

        def settle(place: int, result: Written | ThreadsError) -> None:
            results[place] = result
            if told is not None:
                told(place, result)

        places = list[int]()
        entries: list[Entry] = []
        for place, write in enumerate(writes):
            try:
                entries.append(self._entry(agent, write))
                places.append(place)
            except (LifetimeError, MessageTooLargeError) as exc:
                settle(place, exc)

        def settled(number: int, outcome: Outcome | ThreadsError) -> None:
            place = places[number]
            settle(place, self._result(tenant, agent, writes[place], outcome))

        if entries:
            await self._writer.write(tenant, entries, settled)
        return tuple(results)

    async def cancel(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, status: Mapping[str, JsonValue]
    ) -> Written:
        """See `TaskLog.cancel`."""
        write = cancellation(task_id, owner, status)
        results = list[Written | ThreadsError]()
        await self._writer.write(
            tenant,
            [f'{self._entry(agent, write)},"cancels":true'],
            lambda _, outcome: results.append(self._result(tenant, agent, write, outcome)),
        )
        if isinstance(results[0], ThreadsError):
            raise results[0]
        return results[0]

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
        task = _named(tenant, agent, task_id, owner)
        _, _, found, said, pieces = await self._transactions.run(
            None,
            # Before the tenant, because it must be a transaction's first.
            Statement("one_snapshot"),
            Statement("enter_tenant", {"tenant": tenant}),
            Statement("read_task", task),
            Statement("read_said", {**task, "upto": upto, "most": history_length}),
            Statement("read_artifacts", {**task, "upto": upto, "wanted": artifacts}),
        )
        if not found:
            raise TaskNotFoundError(task_id)
        rows = sorted((_stored(row) for row in (*said, *pieces)), key=lambda row: row.seq)
        return TaskView(task=_task(found[0]), rows=tuple(rows))

    async def tasks(self, tenant: TenantId, agent: AgentId, query: TaskQuery) -> TaskPage:
        """See `TaskLog.tasks`."""
        filters: dict[str, object] = {
            "tenant": tenant,
            "agent": agent,
            "owner": query.owner,
            "context_id": query.context_id,
            "state": query.state,
            "status_after": query.status_after,
        }
        after = query.after
        place = {
            "before": None if after is None else after.status_at,
            "before_id": None if after is None else after.task_id,
            # One more than asked for tells whether there is a next page.
            "most": query.limit + 1,
        }
        found, count = await self._transactions.run(
            tenant, Statement("list_tasks", {**filters, **place}), Statement("count_tasks", filters)
        )
        tasks = tuple(_task(row) for row in found[: query.limit])
        more = len(found) > query.limit
        end = TaskPlace(status_at=tasks[-1].status_at, task_id=tasks[-1].task_id) if more else None
        return TaskPage(tasks=tasks, next_place=end, total=count[0]["total"])

    async def rows(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, after: int, limit: int
    ) -> RowPage:
        """See `TaskLog.rows`."""
        task = _named(tenant, agent, task_id, owner)
        found, ends = await self._transactions.run(
            tenant,
            Statement("read_rows", {**task, "after": after, "most": limit, "page_bytes": PAGE_BYTES}),
            # Read second: the log may have grown in between, so that its end is never before the rows.
            Statement("read_end", task),
        )
        if not ends:
            raise TaskNotFoundError(task_id)
        version: int = ends[0]["last_seq"]
        if after > version:
            raise PositionAheadError(after, version)
        return RowPage(rows=tuple(_stored(row) for row in found), version=version, state=_state(ends[0]["state"]))

    def _entry(self, agent: AgentId, write: Write) -> Entry:
        rows = f"[{','.join(row_json(row) for row in write.rows)}]"
        messages = [row.message_id for row in write.rows if row.message_id is not None]
        members: dict[str, JsonValue] = {
            "thread_id": write.task_id,
            "agent": agent,
            "owner": write.owner,
            "write_id": write.write_id,
            "row_count": len(write.rows),
            "size": len(rows),
            "expected_version": write.compared_version,
            "epoch": write.epoch,
            "state": write.state,
            "ends": write.state in TERMINAL,
            "status": write.status,
            "task_metadata": write.metadata,
            "handled_seq": write.handled_seq,
            "claim": write.claim,
        }
        if messages:
            members["messages"] = messages
        if write.waiting:
            members["waiting_place"] = write.waiting_place
        if write.creation is not None:
            ttl = self._lifetimes.of_task(write.creation.ttl)
            if write.may_create:
                members |= {"context_id": write.creation.context_id, "ttl": f"{ttl.total_seconds()} seconds"}
        given = compact({name: value for name, value in members.items() if value is not None})
        return f'{given[1:-1]},"rows":{rows}'

    def _result(
        self, tenant: TenantId, agent: AgentId, write: Write, outcome: Outcome | ThreadsError
    ) -> Written | ThreadsError:
        if isinstance(outcome, ThreadsError):
            return outcome
        kind = outcome.kind
        if kind not in {"created", "written", "repeated"}:
            return _refusal(write, outcome)
        if kind != "repeated" and self._announce is not None:
            self._announce(tenant, agent, write.task_id, outcome.reached)
        return Written(
            version=outcome.reached, created=kind == "created", repeated=kind == "repeated", epoch=outcome.fence
        )


def _refusal(write: Write, outcome: Outcome) -> ThreadsError:
    match outcome.kind:
        case "not_found":
            return TaskNotFoundError(write.task_id)
        case "lease_lost":
            return LeaseLostError(write.task_id, write.epoch or 0)
        case "ended":
            return TaskEndedError(write.task_id, outcome.stands or "", outcome.reached)
        case "version_conflict":
            return VersionConflictError(write.compared_version or 0, outcome.reached)
        case "message_conflict":
            return MessageConflictError(MessageId(outcome.stands or ""), outcome.reached)
        case _:
            return StoreDefectError(None)


def _named(tenant: TenantId, agent: AgentId, task_id: ThreadId, owner: str) -> dict[str, object]:
    return {"tenant": tenant, "agent": agent, "thread_id": task_id, "owner": owner}


def _state(state: str | None) -> State | None:
    return None if state is None else State(state)


def _task(row: DatabaseRow) -> Task:
    return Task(
        task_id=ThreadId(row["thread_id"]),
        context_id=row["context_id"],
        owner=row["created_by"],
        agent=AgentId(row["agent"]),
        state=_state(row["state"]),
        status=row["status"],
        metadata=row["task_metadata"],
        version=row["last_seq"],
        epoch=row["epoch"],
        runner=None if row["runner"] is None else RunnerId(row["runner"]),
        waiting=row["waiting"],
        handled_seq=row["handled_seq"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        status_at=row["status_at"],
        expires_at=row["expires_at"],
    )


def _stored(row: DatabaseRow) -> StoredRow:
    message = row["parts"] is not None
    return StoredRow(
        seq=row["seq"],
        created_at=row["created_at"],
        row=Row(
            kind=Kind(row["kind"]),
            streamed=row["streamed"],
            said=row["said"],
            author=row["author"],
            message_id=None if row["message_id"] is None else MessageId(row["message_id"]),
            role=None if row["role"] is None else Role(row["role"]),
            parts=tuple(row["parts"]) if message else None,
            metadata=row["metadata"] if message else None,
            extra=row["extra"],
            payload=row["payload"],
            artifact_id=row["artifact_id"],
            append=row["append"],
        ),
    )
