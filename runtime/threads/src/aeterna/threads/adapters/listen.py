"""Wakes readers by PostgreSQL's LISTEN and NOTIFY: one connection for all of a process's readers.

The notification is not part of the append's transaction. PostgreSQL commits transactions that notify one after the
other, under a lock of the whole server, which would undo group commit; so appends are announced after they are durable,
and those of a moment together. A process that dies in between leaves readers to their heartbeat, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import psycopg
import structlog

from aeterna.postgres.address import Address
from aeterna.threads.adapters.database import queries
from aeterna.threads.usecases.waiting import EventWaiter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.postgres.pool import Pool
    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import ThreadId

_LISTEN: Final = b"LISTEN aeterna_threads"
_RETRY_SECONDS: Final = 1.0


class PostgresWakes:
    """A `Wakes` over LISTEN; somebody must be running `listen` and `tell`, else readers go by their heartbeats."""

    def __init__(self, address: str | Address, pool: Pool) -> None:
        """Take the server to listen to, and the connections to announce with."""
        self._address = Address(address) if isinstance(address, str) else address
        self._pool = pool
        self._announcement = queries("messages.sql")["announce"]
        self._waiters: defaultdict[str, set[EventWaiter]] = defaultdict(set)
        self._news: set[str] = set()
        self._some = asyncio.Event()

    def announce(self, tenant: TenantId, thread_id: ThreadId) -> None:
        """See `Wakes.announce`."""
        self._news.add(_key(tenant, thread_id))
        self._some.set()

    async def tell(self) -> None:
        """Send what was announced until cancelled; while one batch is on its way, the next one gathers."""
        log = structlog.stdlib.get_logger(__name__)
        while True:
            await self._some.wait()
            self._some.clear()
            keys, self._news = sorted(self._news), set()
            try:
                async with self._pool.connection() as connection:
                    await connection.execute(self._announcement, {"keys": keys})
            except psycopg.Error as exc:
                log.warning("threads.announcement_lost", count=len(keys), error=type(exc).__name__)

    @asynccontextmanager
    async def subscribe(self, tenant: TenantId, thread_id: ThreadId) -> AsyncGenerator[EventWaiter]:
        """See `Wakes.subscribe`."""
        key, waiter = _key(tenant, thread_id), EventWaiter()
        self._waiters[key].add(waiter)
        try:
            yield waiter
        finally:
            self._waiters[key].discard(waiter)
            if not self._waiters[key]:
                del self._waiters[key]

    def wake_all(self) -> None:
        """See `Wakes.wake_all`."""
        for key in list(self._waiters):
            self._wake(key)

    async def listen(self) -> None:
        """Listen until cancelled; come back after a lost connection and wake everybody, who may have missed news."""
        log = structlog.stdlib.get_logger(__name__)
        while True:
            try:
                await self._listen_once()
            except psycopg.OperationalError as exc:
                # The message may hold the address and never the password; the kind is enough.
                self._address.doubt()
                log.warning("threads.listen_lost", error=type(exc).__name__)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen_once(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            await self._address.conninfo(), autocommit=True, application_name="aeterna-threads-listen"
        ) as connection:
            await connection.execute(_LISTEN)
            self.wake_all()
            async for notification in connection.notifies():
                self._wake(notification.payload)

    def _wake(self, key: str) -> None:
        for waiter in self._waiters.get(key, ()):
            waiter.event.set()


def _key(tenant: TenantId, thread_id: ThreadId) -> str:
    """Return how a notification names a thread; neither part can contain a slash."""
    return f"{tenant}/{thread_id}"
