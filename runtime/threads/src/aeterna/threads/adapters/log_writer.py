"""Calls the one function of the database that adds rows to logs, for many logs at once and each for itself."""

from __future__ import annotations

import asyncio
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from psycopg.errors import UniqueViolation
from psycopg.rows import tuple_row

from aeterna.postgres.pool import twice
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.errors import StoreBusyError, StoreDefectError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from aeterna.postgres.pool import Pool
    from aeterna.service.caller import TenantId
    from aeterna.threads.errors import ThreadsError

Entry: TypeAlias = str
"""One write as the function reads it: the members of a JSON object, without the braces and without ``n``."""
Told: TypeAlias = "Callable[[int, Outcome | ThreadsError], None]"

_WRITE: Final = b"SELECT place, outcome, reached, fence, written_at, stands FROM threads.write_log(%s, %s, %s, %s)"
_AT_ONCE: Final = 4


class Outcome(NamedTuple):
    """What the function says of one write; see there for what the words mean."""

    kind: str
    reached: int
    fence: int | None
    written_at: datetime
    stands: str | None


class LogWriter:
    """Makes writes in one transaction, which is one statement in one flight to the server and back."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._alone = asyncio.Semaphore(_AT_ONCE)

    async def write(self, tenant: TenantId, entries: Sequence[Entry], told: Told, *, look: bool = False) -> None:
        """Make the writes and tell of each by its place, as soon as it is settled, what it came to.

        A log that somebody else has locked is waited for on its own, so that its neighbours need not; and when the
        database refuses the writes together, each is made on its own, so that only the one that it refuses is refused.
        ``look`` says that a message of them is probably there already.
        Raises `StoreUnavailableError`; then nothing is known of what was not told.
        """
        if len(entries) == 1:
            await self._write_alone(tenant, 0, entries[0], told, look=look)
            return
        alone = list[int]()
        try:
            for place, outcome in enumerate(await self._call(tenant, entries, wait=False, look=look)):
                if outcome.kind == "locked":
                    alone.append(place)
                else:
                    told(place, outcome)
        except (StoreBusyError, StoreDefectError):
            alone = list(range(len(entries)))

        async def write(place: int) -> None:
            async with self._alone:
                await self._write_alone(tenant, place, entries[place], told)

        if alone:
            await asyncio.gather(*(write(place) for place in alone))

    async def _write_alone(self, tenant: TenantId, place: int, entry: Entry, told: Told, *, look: bool = False) -> None:
        try:
            (outcome,) = await self._call(tenant, [entry], wait=True, look=look)
        except (StoreBusyError, StoreDefectError) as exc:
            told(place, exc)
        else:
            told(place, outcome)

    async def _call(self, tenant: TenantId, entries: Sequence[Entry], *, wait: bool, look: bool) -> Sequence[Outcome]:
        """Call the function; what it wrote is durable when it returns. Every write of ours may be made twice."""
        writes = ",".join(f'{{"n":{place},{entry}}}' for place, entry in enumerate(entries))

        async def attempt() -> Sequence[Outcome]:
            async with self._pool.connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
                try:
                    await cursor.execute(_WRITE, (tenant, wait, look, f"[{writes}]"))
                except UniqueViolation:
                    # A message of them is there already: let the function look which.
                    await cursor.execute(_WRITE, (tenant, wait, True, f"[{writes}]"))
                rows = await cursor.fetchall()
            return [Outcome(*outcome) for _, *outcome in sorted(rows, key=itemgetter(0))]

        return await twice(self._pool, DATABASE, attempt)
