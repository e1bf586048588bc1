"""Does the work of cleanup and erasures in PostgreSQL, in short transactions as a role that sees all tenants."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from aeterna.postgres.translation import translated
from aeterna.threads.adapters.database import DATABASE, queries
from aeterna.threads.adapters.erasing import Eraser
from aeterna.threads.adapters.removing import remove
from aeterna.threads.adapters.stepwise import Stepwise
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.removal import ExpiryPlace, ObjectKey, Removed
from aeterna.threads.errors import StoreBusyError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from datetime import date, timedelta
    from uuid import UUID

    from aeterna.postgres.pool import Pool, Row
    from aeterna.service.caller import TenantId
    from aeterna.threads.adapters.stepwise import Work
    from aeterna.threads.domain.removal import Advance

ROLE: Final = "aeterna_threads_jobs"
DAYS_AHEAD: Final = 7
"""So many days may cleanup fail to run before the log has no partition for the next one."""
ORPHANS_AT_ONCE: Final = 20_000


class PostgresCleanup:
    """A `RetentionJobs` in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        """Take connections of the role `ROLE`."""
        self._pool = pool
        self._queries = queries("session.sql", "cleanup.sql", "chain.sql", "runs.sql")
        self._stepwise = Stepwise(pool, self._queries)
        self._eraser = Eraser(self._stepwise)

    @asynccontextmanager
    async def exclusively(self) -> AsyncGenerator[bool]:
        """See `RetentionJobs.exclusively`. The lock is the connection's: a process that dies gives it back."""
        # Around all of it: a pool without a connection to give is a database that is away.
        with translated(DATABASE.errors):
            async with self._pool.connection() as connection:
                cursor = await connection.execute(self._queries["work_alone"])
                row = await cursor.fetchone()
                alone = row is not None and row["alone"]
                try:
                    yield alone
                finally:
                    if alone:
                        # A connection that is gone has given the lock back already.
                        with suppress(StoreUnavailableError), translated(DATABASE.errors):
                            await connection.execute(self._queries["work_ended"])

    async def expire(self, *, after: ExpiryPlace | None, limit: int) -> Removed:
        """See `RetentionJobs.expire`."""

        async def work(one: Work) -> Removed:
            found = await one.rows("expired", limit=limit, **_after(after))
            if not found:
                return Removed()
            free = await _free_of_holds(one, found)
            if not free:
                return Removed(next_place=_place(found[-1]))
            gone = await remove(one, free, whole_days=await _dead_days(one, free))
            if gone.threads < len(free):
                # The rest of the batch is looked for again, from where this one began.
                return Removed(counts=gone.counts, next_place=after or _place(found[0], before=True))
            return Removed(counts=gone.counts, next_place=_place(found[-1]))

        return await self._stepwise.run(None, work)

    async def upkeep(self, *, grace: timedelta, limit: int) -> Mapping[str, int]:
        """See `RetentionJobs.upkeep`."""
        counts: Counter[str] = Counter()

        async def make(one: Work) -> None:
            counts["partitions_made"] += (await one.row("create_partitions", ahead=DAYS_AHEAD))["made"]

        async def drop(one: Work) -> None:
            counts["partitions_dropped"] += (await one.row("drop_partition"))["dropped"] is not None

        async def orphans(one: Work) -> None:
            for row in await one.rows("days_with_holds"):
                counts["rows"] += await one.count("remove_orphans", born=row["born"], limit=ORPHANS_AT_ONCE)

        async def runners(one: Work) -> None:
            await one.rows("free_dead_runners", grace=grace, limit=limit)
            counts["runners"] += await one.count("remove_dead_runners", grace=grace, limit=limit)

        for step in (make, orphans, runners, drop):
            # A lock that is not free in time belongs to who serves: they go first, and the next round does it.
            try:
                await self._stepwise.run(None, step)
            except StoreBusyError:
                counts["postponed"] += 1
        return +counts

    async def pending(self) -> tuple[tuple[TenantId, UUID], ...]:
        """See `RetentionJobs.pending`."""
        return await self._eraser.pending()

    async def advance(self, tenant: TenantId, erasure_id: UUID, *, limit: int) -> Advance:
        """See `RetentionJobs.advance`."""
        return await self._eraser.advance(tenant, erasure_id, limit=limit)

    async def settle(self, *, grace: timedelta, limit: int) -> int:
        """See `RetentionJobs.settle`."""

        async def work(one: Work) -> int:
            return await one.count("settle_objects", grace=grace, limit=limit)

        return await self._stepwise.run(None, work)

    @asynccontextmanager
    async def doomed(self, *, limit: int) -> AsyncGenerator[tuple[ObjectKey, ...]]:
        """See `RetentionJobs.doomed`. The rows are locked meanwhile, so that nobody writes such an object anew."""
        with translated(DATABASE.errors):
            async with self._stepwise.transaction(None) as one:
                rows = await one.rows("doomed_objects", limit=limit)
                yield tuple(
                    ObjectKey(tenant=row["tenant"], thread_id=row["thread_id"], sha256=row["sha256"], size=row["bytes"])
                    for row in rows
                )
                await one.rows(
                    "forget_objects",
                    tenants=[row["tenant"] for row in rows],
                    threads=[row["thread_id"] for row in rows],
                    digests=[row["sha256"] for row in rows],
                )

    async def measure(self, *, age: timedelta) -> int:
        """See `RetentionJobs.measure`."""

        async def work(one: Work) -> int:
            if (await one.row("usage_is_fresh", age=age))["fresh"]:
                return 0
            await one.rows("patient")
            return await one.count("measure_usage")

        return await self._stepwise.run(None, work)


async def _free_of_holds(one: Work, found: Sequence[Row]) -> Sequence[Row]:
    tenants = [row["tenant"] for row in found]
    await one.rows("hold_shared", tenants=tenants)
    # A statement of its own, so that it sees every hold that was placed before the lock was ours.
    return await one.rows("free_of_holds", tenants=tenants, threads=[row["thread_id"] for row in found])


async def _dead_days(one: Work, threads: Sequence[Row]) -> frozenset[date]:
    days = {row["born"] for row in threads}
    return frozenset([day for day in days if (await one.row("day_is_dead", born=day))["dead"]])


def _after(place: ExpiryPlace | None) -> Mapping[str, object]:
    if place is None:
        return dict.fromkeys(("after_born", "after_at", "after_tenant", "after_thread"))
    return {
        "after_born": place.born,
        "after_at": place.expires_at,
        "after_tenant": place.tenant,
        "after_thread": place.thread_id,
    }


def _place(row: Row, *, before: bool = False) -> ExpiryPlace:
    thread_id = ThreadId("" if before else row["thread_id"])
    return ExpiryPlace(born=row["born"], expires_at=row["expires_at"], tenant=row["tenant"], thread_id=thread_id)
