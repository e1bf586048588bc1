"""Searches in PostgreSQL, and keeps the index of the search as a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.threads.adapters.database import queries
from aeterna.threads.adapters.stepwise import Stepwise
from aeterna.threads.adapters.transaction import Statement, Transactions
from aeterna.threads.domain.conversation import Role, ThreadId
from aeterna.threads.domain.search import Hit, HitPage, SearchPlace, plain
from aeterna.threads.errors import SearchInvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.postgres.pool import Pool, Row
    from aeterna.service.caller import TenantId
    from aeterna.threads.adapters.stepwise import Work
    from aeterna.threads.domain.search import Search

_CANDIDATES: Final = 50
"""So many messages are looked at for a page at least: of a phrase, not every message that holds its words is a hit."""
_LAST: Final = 2**63 - 1
_MESSAGES_AT_ONCE: Final = 200
"""So many messages of a thread are indexed in one transaction."""


class PostgresThreadSearch:
    """A `ThreadSearch` in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._transactions = Transactions(pool, queries("session.sql", "search.sql"))

    async def search(self, tenant: TenantId, search: Search, *, after: SearchPlace | None, limit: int) -> HitPage:
        """See `ThreadSearch.search`."""
        asked = {"tenant": tenant, "query": search.words}
        (_, facts, rows) = await self._transactions.run(
            tenant,
            Statement("search_is_patient"),
            # Read first: what was searchable then is searched.
            Statement("search_asks", asked),
            Statement(
                "search_messages",
                {
                    **asked,
                    "within": search.within,
                    "since": search.since,
                    "at": None if after is None else after.created_at,
                    "thread_id": "" if after is None else after.thread_id,
                    "seq": _LAST if after is None else after.seq,
                    "candidates": max(limit, _CANDIDATES),
                },
            ),
        )
        if not facts[0]["asks"]:
            raise SearchInvalidError("nothing to look for")
        hits, next_place = _page(rows, limit)
        return HitPage(hits=hits, next_place=next_place, searchable_until=facts[0]["until"])


class PostgresSearchIndex:
    """A `SearchIndex` in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        """Take connections of the role of jobs."""
        self._stepwise = Stepwise(pool, queries("session.sql", "cleanup.sql", "search.sql"))

    async def sweep(self, *, limit: int) -> bool | None:
        """See `SearchIndex.sweep`."""

        async def work(one: Work) -> bool | None:
            # The lock is the transaction's: a process that dies gives it back.
            if not (await one.row("index_alone"))["alone"]:
                return None
            await one.rows("patient")
            started = await one.row("index_started")
            found = await one.rows("not_indexed", since=started["swept_until"], limit=limit)
            added = await _index(one, found) if found else 0
            if not found or not await one.rows("not_indexed", since=started["swept_until"], limit=1):
                await one.rows("index_swept", until=started["now"])
                return False
            # What somebody has locked is left for the next sweep.
            return added > 0

        return await self._stepwise.run(None, work)


async def _index(one: Work, threads: Sequence[Row]) -> int:
    # A statement of its own, so that the next one sees what an erasure did whose end was waited for.
    locked = await one.rows("lock_to_index", **_lists(threads))
    days = [row["born"] for row in locked]
    return await one.count("index_messages", **_lists(locked), days=days, messages=_MESSAGES_AT_ONCE)


def _lists(threads: Sequence[Row]) -> dict[str, object]:
    return {"tenants": [row["tenant"] for row in threads], "threads": [row["thread_id"] for row in threads]}


def _page(rows: Sequence[Row], limit: int) -> tuple[tuple[Hit, ...], SearchPlace | None]:
    hits = list[Hit]()
    for number, row in enumerate(rows):
        place = SearchPlace(created_at=row["created_at"], thread_id=ThreadId(row["thread_id"]), seq=row["seq"])
        if not row["hit"]:
            return tuple(hits), place
        if row["author"] is not None:
            hits.append(Hit(place=place, role=Role(row["role"]), author=row["author"], snippet=plain(row["snippet"])))
        if len(hits) == limit and number < len(rows) - 1:
            return tuple(hits), place
    return tuple(hits), None
