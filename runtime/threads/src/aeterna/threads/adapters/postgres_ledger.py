"""Keeps the ledger of side effects in PostgreSQL, under the fence of the task's lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.threads.adapters.database import queries
from aeterna.threads.adapters.transaction import Statement, Transactions
from aeterna.threads.domain.task import TERMINAL, Step, result_json
from aeterna.threads.errors import (
    LeaseLostError,
    StepConflictError,
    StepNotFoundError,
    TaskEndedError,
    TaskNotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.postgres.pool import Pool, Row
    from aeterna.service.caller import TenantId
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.conversation import ThreadId
    from aeterna.threads.domain.task import AgentId


class PostgresLedger:
    """A `Ledger` in PostgreSQL 16 or later, through a pool that its maker opens and closes."""

    def __init__(self, pool: Pool) -> None:
        self._transactions = Transactions(pool, queries("session.sql", "steps.sql"))

    async def begin(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, key: str, *, epoch: int, fingerprint: str
    ) -> Step:
        """See `Ledger.begin`."""
        step = _names(tenant, agent, task_id, key, epoch) | {"fingerprint": fingerprint}
        (row,) = await self._fenced(tenant, "begin_step", step, task_id, epoch)
        if row["fingerprint"] != fingerprint:
            raise StepConflictError(key)
        return _step(row)

    async def finish(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, key: str, *, epoch: int, result: JsonValue
    ) -> Step:
        """See `Ledger.finish`."""
        step = _names(tenant, agent, task_id, key, epoch) | {"result": result_json(result)}
        rows = await self._fenced(tenant, "finish_step", step, task_id, epoch)
        if not rows:
            raise StepNotFoundError(key)
        return _step(rows[0])

    async def _fenced(
        self, tenant: TenantId, name: str, parameters: Mapping[str, object], task_id: ThreadId, epoch: int
    ) -> Sequence[Row]:
        """Run a statement while the task is locked and return the step after it; nothing was done where this raises."""
        locked, _, found = await self._transactions.run(
            tenant,
            Statement("lock_task", parameters),
            Statement(name, parameters),
            Statement("read_step", parameters),
        )
        if not locked:
            raise TaskNotFoundError(task_id)
        if locked[0]["epoch"] != epoch:
            raise LeaseLostError(task_id, epoch)
        if locked[0]["state"] in TERMINAL:
            raise TaskEndedError(task_id, locked[0]["state"], locked[0]["last_seq"])
        return found


def _names(tenant: TenantId, agent: AgentId, task_id: ThreadId, key: str, epoch: int) -> dict[str, object]:
    return {
        "tenant": tenant,
        "agent": agent,
        "thread_id": task_id,
        "key": key,
        "epoch": epoch,
        "terminal": [state.value for state in TERMINAL],
    }


def _step(row: Row) -> Step:
    return Step(
        key=row["key"],
        finished=row["finished"],
        result=row["result"],
        epoch=row["epoch"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )
