"""Lists some of a tenant's plain threads in PostgreSQL, by an index or by looking at so many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.threads.adapters.database import queries
from aeterna.threads.adapters.transaction import Statement, Transactions
from aeterna.threads.domain.conversation import Position, Thread, ThreadId
from aeterna.threads.domain.search import ThreadsFound

if TYPE_CHECKING:
    from aeterna.postgres.pool import Pool, Row
    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.search import ThreadFilter

WALK: Final = 5000
"""So many threads are looked at for a page at most."""


class PostgresThreadListing:
    """A `ThreadListing` in PostgreSQL."""

    def __init__(self, pool: Pool, *, walk: int = WALK) -> None:
        """Look at so many threads for a page."""
        self._walk = walk
        self._transactions = Transactions(pool, queries("session.sql", "listing.sql"))

    async def find(self, tenant: TenantId, wanted: ThreadFilter, *, after: Position | None, limit: int) -> ThreadsFound:
        """See `ThreadListing.find`."""
        # A thread is changed when it is opened or later: what changed before a time was opened before it.
        opened_before = [each for each in (wanted.created_before, wanted.updated_before) if each is not None]
        parameters = {
            "tenant": tenant,
            "by": wanted.by,
            "created_since": wanted.created_since or "-infinity",
            "created_before": min(opened_before, default="infinity"),
            "updated_since": wanted.updated_since or "-infinity",
            "updated_before": wanted.updated_before or "infinity",
            "title": wanted.title,
            "key": None if wanted.metadata is None else wanted.metadata[0],
            "value": None if wanted.metadata is None else wanted.metadata[1],
            "at": "infinity" if after is None else after.created_at,
            "thread_id": "" if after is None else after.thread_id,
            "walk": self._walk,
            # One more tells whether there is a next page.
            "limit": limit + 1,
        }
        statement = "threads_of_all" if wanted.by is None else "threads_by"
        _, rows = await self._transactions.run(tenant, Statement("in_order"), Statement(statement, parameters))
        found = [row for row in rows if row["hit"]]
        page = tuple(_thread(row) for row in found[:limit])
        if len(found) > limit:
            return ThreadsFound(threads=page, next_place=_place(found[limit - 1]))
        return ThreadsFound(threads=page, next_place=next((_place(row) for row in rows if not row["hit"]), None))


def _place(row: Row) -> Position:
    return Position(created_at=row["created_at"], thread_id=ThreadId(row["thread_id"]))


def _thread(row: Row) -> Thread:
    return Thread(
        thread_id=ThreadId(row["thread_id"]),
        title=row["title"],
        metadata=row["metadata"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_seq=row["last_seq"],
        version=row["version"],
        expires_at=row["expires_at"],
    )
