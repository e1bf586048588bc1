"""Removes threads with everything that is theirs, inside a transaction of whoever found that they are to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from aeterna.postgres.pool import Row
    from aeterna.threads.adapters.stepwise import Work

ROWS_AT_ONCE: Final = 20_000
"""As many rows of logs as one transaction removes: about a second of work, so that nothing waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """How much went; ``threads`` of those that were given, from the first on, are gone whole."""

    threads: int
    counts: Mapping[str, int]


async def remove(work: Work, threads: Sequence[Row], *, whole_days: frozenset[date] = frozenset()) -> Gone:
    """Remove locked threads (tenant, thread_id, born, last_seq), from the first on, as far as one transaction may go.

    The rows of a day that goes as a whole are left to the drop of its partition.
    """
    now = _affordable(threads, whole_days)
    if not now:
        return await _shorten(work, threads[0])
    tenants, ids = [row["tenant"] for row in now], [row["thread_id"] for row in now]
    counts: Counter[str] = Counter(await work.row("count_beside", tenants=tenants, threads=ids))
    for born, rows in groupby(now, key=lambda row: row["born"]):
        if born not in whole_days:
            group = list(rows)
            counts["rows"] += await work.count(
                "remove_rows",
                born=born,
                tenants=[row["tenant"] for row in group],
                threads=[row["thread_id"] for row in group],
            )
    counts["objects"] += await work.count("doom_objects", tenants=tenants, threads=ids)
    counts["threads"] += await work.count("remove_threads", tenants=tenants, threads=ids)
    return Gone(threads=len(now), counts=+counts)


def _affordable(threads: Sequence[Row], whole_days: frozenset[date]) -> Sequence[Row]:
    total = 0
    for index, row in enumerate(threads):
        total += 0 if row["born"] in whole_days else row["last_seq"]
        if total > ROWS_AT_ONCE:
            return threads[:index]
    return threads


async def _shorten(work: Work, thread: Row) -> Gone:
    """Remove the first rows of a log that is longer than one transaction may remove, and at last the thread."""
    one = {"tenant": thread["tenant"], "thread_id": thread["thread_id"]}
    count = await work.count("remove_first_rows", born=thread["born"], limit=ROWS_AT_ONCE, **one)
    if count:
        return Gone(threads=0, counts={"rows": count})
    return await remove(work, [{**thread, "last_seq": 0}])
