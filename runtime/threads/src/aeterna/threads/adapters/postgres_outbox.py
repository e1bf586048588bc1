"""Shares out among the dispatchers of all replicas what is still to be told; in PostgreSQL, as the role of the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import queries
from aeterna.threads.adapters.transaction import Statement, Transactions
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.push import MAX_ERROR, Backlog, ConfigId, Lane, LaneId, Reason
from aeterna.threads.domain.task import AgentId

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from uuid import UUID

    from aeterna.postgres.pool import Pool, Row

_SWEPT_AT_ONCE: Final = 1000


class PostgresOutbox:
    """An `Outbox` in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        """Take connections that act as ``aeterna_threads_jobs``."""
        self._transactions = Transactions(pool, queries("session.sql", "outbox.sql"))

    async def claim(
        self, lease: UUID, *, limit: int, per_host: int, rooms: Mapping[str, int], depth: int, ttl: timedelta
    ) -> tuple[Lane, ...]:
        """See `Outbox.claim`."""
        rows = await self._run(
            "claim_lanes",
            {
                "lease": lease,
                "limit": limit,
                "per_host": per_host,
                "hosts": list(rooms.keys()),
                "rooms": list(rooms.values()),
                "depth": depth,
                "ttl": ttl,
            },
        )
        return tuple(_lane(row) for row in rows)

    async def delivered(self, lane_id: LaneId, seq: int, lease: UUID, *, ttl: timedelta) -> bool:
        """See `Outbox.delivered`."""
        return bool(await self._run("note_delivered", {"lane": lane_id, "seq": seq, "lease": lease, "ttl": ttl}))

    async def failed(self, lane_id: LaneId, lease: UUID, *, attempts: int, wait: timedelta) -> None:
        """See `Outbox.failed`."""
        await self._run("note_failed", {"lane": lane_id, "lease": lease, "attempts": attempts, "wait": wait})

    async def bury(
        self, lane_id: LaneId, seq: int, lease: UUID, *, reason: Reason, error: str, attempts: int, ttl: timedelta
    ) -> bool:
        """See `Outbox.bury`."""
        letter = {"reason": reason.value, "error": error[:MAX_ERROR], "attempts": attempts}
        return bool(await self._run("bury", {"lane": lane_id, "seq": seq, "lease": lease, "ttl": ttl, **letter}))

    async def release(self, lane_id: LaneId, lease: UUID) -> None:
        """See `Outbox.release`."""
        await self._run("release_lane", {"lane": lane_id, "lease": lease})

    async def sweep(self, *, max_age: timedelta, most: int) -> Mapping[Reason, int]:
        """See `Outbox.sweep`."""
        aged, crowded = await self._transactions.run(
            None,
            Statement("bury_aged", {"max_age": max_age, "limit": _SWEPT_AT_ONCE}),
            Statement("bury_overflow", {"most": most, "limit": _SWEPT_AT_ONCE}),
        )
        return {Reason.AGE: len(aged), Reason.OVERFLOW: len(crowded)}

    async def backlog(self) -> Backlog:
        """See `Outbox.backlog`."""
        (row,) = await self._run("measure_backlog", {})
        return Backlog(waiting=row["waiting"], oldest=row["oldest"])

    async def _run(self, name: str, parameters: Mapping[str, object]) -> list[Row]:
        (rows,) = await self._transactions.run(None, Statement(name, parameters))
        return list(rows)


def _lane(row: Row) -> Lane:
    return Lane(
        lane_id=LaneId(row["lane"]),
        tenant=TenantId(row["tenant"]),
        agent=AgentId(row["agent"]),
        owner=row["owner"],
        task_id=ThreadId(row["thread_id"]),
        context_id=row["context_id"],
        config_id=ConfigId(row["config_id"]),
        url=row["url"],
        host=row["host"],
        scheme=row["scheme"],
        secrets=row["secrets"],
        attempts=row["attempts"],
        seqs=tuple(row["seqs"]),
    )
