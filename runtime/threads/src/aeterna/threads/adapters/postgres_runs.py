"""Keeps runners and leases in PostgreSQL: one transaction and one round trip for each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.threads.adapters.database import queries
from aeterna.threads.adapters.transaction import Statement, Transactions
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.task import MAX_RUNNERS, TERMINAL, AgentId, Freed, Lease, RunnerId, StuckTask
from aeterna.threads.errors import QuotaExceededError, TaskEndedError, TaskNotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import timedelta

    from aeterna.postgres.pool import Pool, Row
    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.task import StuckPlace


class PostgresRuns:
    """A `Runs` in PostgreSQL 16 or later, through a pool that its maker opens and closes."""

    def __init__(self, pool: Pool, *, most: int = MAX_RUNNERS) -> None:
        """Take how many runners an agent may have."""
        self._transactions = Transactions(pool, queries("session.sql", "runs.sql"))
        self._most = most

    async def beat(self, tenant: TenantId, agent: AgentId, runner: RunnerId, *, ttl: timedelta) -> None:
        """See `Runs.beat`."""
        parameters = {"tenant": tenant, "agent": agent, "runner": runner, "ttl": ttl, "most": self._most}
        (rows,) = await self._transactions.run(tenant, Statement("beat", parameters))
        if not rows:
            raise QuotaExceededError("runners", self._most)

    async def leave(self, tenant: TenantId, agent: AgentId, runner: RunnerId) -> None:
        """See `Runs.leave`."""
        parameters = {"tenant": tenant, "agent": agent, "runner": runner}
        await self._transactions.run(
            tenant, Statement("end_runner", parameters), Statement("free_tasks_of_runner", parameters)
        )

    async def claim(
        self,
        tenant: TenantId,
        agent: AgentId,
        runner: RunnerId,
        *,
        limit: int,
        held: Collection[ThreadId] | None = None,
    ) -> tuple[Lease, ...]:
        """See `Runs.claim`."""
        parameters = {
            "tenant": tenant,
            "agent": agent,
            "runner": runner,
            "limit": limit,
            "held": None if held is None else list(held),
        }
        (rows,) = await self._transactions.run(tenant, Statement("claim", parameters))
        return tuple(_lease(row) for row in rows)

    async def release(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, epoch: int) -> None:
        """See `Runs.release`."""
        parameters = {"tenant": tenant, "agent": agent, "thread_id": task_id, "epoch": epoch}
        await self._transactions.run(tenant, Statement("release", parameters))

    async def stuck(self, tenant: TenantId, *, after: StuckPlace | None, limit: int) -> tuple[StuckTask, ...]:
        """See `Runs.stuck`."""
        parameters = {
            "tenant": tenant,
            "after_since": None if after is None else after.waiting_since,
            "after_id": None if after is None else after.task_id,
            "limit": limit,
        }
        (rows,) = await self._transactions.run(tenant, Statement("stuck", parameters))
        return tuple(_stuck(row) for row in rows)

    async def free(self, tenant: TenantId, task_id: ThreadId) -> Freed:
        """See `Runs.free`."""
        parameters = {"tenant": tenant, "thread_id": task_id, "terminal": [state.value for state in TERMINAL]}
        freed, found = await self._transactions.run(
            tenant, Statement("free", parameters), Statement("find_task", parameters)
        )
        if not found:
            raise TaskNotFoundError(task_id)
        if not freed:
            raise TaskEndedError(task_id, found[0]["state"], found[0]["last_seq"])
        row = freed[0]
        return Freed(
            task_id=ThreadId(row["thread_id"]),
            agent=AgentId(row["agent"]),
            owner=row["created_by"],
            epoch=row["epoch"],
            version=row["last_seq"],
        )


def _lease(row: Row) -> Lease:
    return Lease(
        task_id=ThreadId(row["thread_id"]),
        owner=row["created_by"],
        context_id=row["context_id"],
        epoch=row["epoch"],
        version=row["last_seq"],
        attempts=row["attempts"],
    )


def _stuck(row: Row) -> StuckTask:
    return StuckTask(
        task_id=ThreadId(row["thread_id"]),
        owner=row["created_by"],
        agent=AgentId(row["agent"]),
        runner=None if row["runner"] is None else RunnerId(row["runner"]),
        runner_alive=row["runner_alive"],
        epoch=row["epoch"],
        attempts=row["attempts"],
        waiting_since=row["waiting_since"],
    )
