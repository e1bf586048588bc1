"""Wakes readers by PostgreSQL's LISTEN and NOTIFY: one connection for all of a process's readers.

The notification is not part of the append's transaction. PostgreSQL commits transactions that notify one after the
other, under a lock of the whole server, which would undo group commit; so appends are announced after they are durable,
and those of a moment together. A process that dies in between leaves readers to their heartbeat, and nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import defaultdict
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import psycopg
import structlog

from aeterna.postgres.address import Address
from aeterna.threads.adapters.database import queries
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.usecases.waiting import EventWaiter, NewsWaiter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterable, Iterator

    from aeterna.postgres.pool import Pool
    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.task import AgentId

W = TypeVar("W")

_CHANNEL: Final = "aeterna_threads"
_TASKS_CHANNEL: Final = "aeterna_tasks"
_LISTEN: Final = (f"LISTEN {_CHANNEL}".encode(), f"LISTEN {_TASKS_CHANNEL}".encode())
_RETRY_SECONDS: Final = 1.0
# PostgreSQL takes payloads of less than 8,000 bytes; every character of ours is one.
_MAX_PAYLOAD: Final = 7900
# Announcements that could not be sent are kept up to here, and then told as this one.
_MAX_NEWS: Final = 10_000
_EVERYTHING: Final = "*"
_VERSION: Final = re.compile("[0-9]{1,19}")


class PostgresWakes:
    """A `Wakes` over LISTEN; somebody must be running `listen` and `tell`, else readers go by their heartbeats."""

    def __init__(self, address: str | Address, pool: Pool) -> None:
        """Take the server to listen to, and the connections to announce with."""
        self._address = Address(address) if isinstance(address, str) else address
        self._pool = pool
        self._announcement = queries("messages.sql")["announce"]
        self._waiters: defaultdict[str, set[EventWaiter]] = defaultdict(set)
        self._agents: defaultdict[str, set[NewsWaiter]] = defaultdict(set)
        self._threads: set[str] = set()
        self._tasks: dict[str, int] = {}
        self._some = asyncio.Event()
        self.counts = {"sent": 0, "heard": 0, "late": 0, "lost": 0}
        """Notifications sent and heard, batches that could not be sent at once, and times that listening broke off."""

    def announce(self, tenant: TenantId, thread_id: ThreadId) -> None:
        """See `Wakes.announce`."""
        self._threads.add(_key(tenant, thread_id))
        self._some.set()

    def announce_task(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, version: int) -> None:
        """See `Wakes.announce_task`."""
        key = f"{_agent_key(tenant, agent)}/{task_id}"
        self._tasks[key] = max(version, self._tasks.get(key, 0))
        self._some.set()

    async def tell(self) -> None:
        """Send what was announced until cancelled; while one batch is on its way, the next one gathers.

        What cannot be sent is sent later; when it has become too much by then, everybody is told to look.
        """
        log = structlog.stdlib.get_logger(__name__)
        while True:
            await self._some.wait()
            self._some.clear()
            threads, self._threads = self._threads, set()
            tasks, self._tasks = self._tasks, {}
            payloads = [(_CHANNEL, key) for key in sorted(threads)]
            payloads += [(_TASKS_CHANNEL, text) for text in _packed(f"{key}/{at}" for key, at in sorted(tasks.items()))]
            channels, texts = [channel for channel, _ in payloads], [text for _, text in payloads]
            try:
                async with self._pool.connection() as connection:
                    await connection.execute(self._announcement, {"channels": channels, "payloads": texts})
                self.counts["sent"] += len(texts)
            except psycopg.Error as exc:
                self.counts["late"] += 1
                log.warning("threads.announcement_late", count=len(texts), error=type(exc).__name__)
                self._keep(threads, tasks)
                await asyncio.sleep(_RETRY_SECONDS)

    def _keep(self, threads: set[str], tasks: dict[str, int]) -> None:
        """Take back what could not be sent, in front of what has come meanwhile."""
        self._threads |= threads
        self._tasks = tasks | self._tasks
        if len(self._threads) + len(self._tasks) > _MAX_NEWS:
            self._threads, self._tasks = {_EVERYTHING}, {}
        self._some.set()

    @asynccontextmanager
    async def subscribe(self, tenant: TenantId, thread_id: ThreadId) -> AsyncGenerator[EventWaiter]:
        """See `Wakes.subscribe`."""
        waiter = EventWaiter()
        with _joined(self._waiters, _key(tenant, thread_id), waiter):
            yield waiter

    @asynccontextmanager
    async def subscribe_agent(self, tenant: TenantId, agent: AgentId) -> AsyncGenerator[NewsWaiter]:
        """See `Wakes.subscribe_agent`."""
        waiter = NewsWaiter()
        with _joined(self._agents, _agent_key(tenant, agent), waiter):
            yield waiter

    def wake_all(self) -> None:
        """See `Wakes.wake_all`."""
        for key in list(self._waiters):
            self._wake(key)
        for waiters in list(self._agents.values()):
            for waiter in waiters:
                waiter.tell_everything()

    async def listen(self) -> None:
        """Listen until cancelled; come back after a lost connection and wake everybody, who may have missed news."""
        log = structlog.stdlib.get_logger(__name__)
        while True:
            try:
                await self._listen_once()
            except psycopg.Error as exc:
                # Of any kind: a standby, which a name may lead to for a moment, refuses LISTEN itself.
                # The message may hold the address and never the password; the kind is enough.
                self._address.doubt()
                self.counts["lost"] += 1
                log.warning("threads.listen_lost", error=type(exc).__name__)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen_once(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            await self._address.conninfo(), autocommit=True, application_name="aeterna-threads-listen"
        ) as connection:
            for statement in _LISTEN:
                await connection.execute(statement)
            self.wake_all()
            async for notification in connection.notifies():
                self.counts["heard"] += 1
                if notification.channel == _TASKS_CHANNEL:
                    self._tell_agents(notification.payload)
                else:
                    self._wake(notification.payload)

    def _wake(self, key: str) -> None:
        if key == _EVERYTHING:
            self.wake_all()
        for waiter in self._waiters.get(key, ()):
            waiter.event.set()

    def _tell_agents(self, payload: str) -> None:
        for line in payload.split("\n"):
            place, _, version = line.rpartition("/")
            agent, _, grown = place.rpartition("/")
            # Every login of the database may notify, and what is not ours tells nobody anything.
            if _VERSION.fullmatch(version):
                for waiter in self._agents.get(agent, ()):
                    waiter.tell(ThreadId(grown), int(version))


def _key(tenant: TenantId, thread_id: ThreadId) -> str:
    """Return how a notification names a thread; neither part can contain a slash."""
    return f"{tenant}/{thread_id}"


def _agent_key(tenant: TenantId, agent: AgentId) -> str:
    """Return how a notification names an agent, whose own name may be of any characters and of 255 of them."""
    return f"{tenant}/{hashlib.sha256(agent.encode()).hexdigest()[:32]}"


def _packed(lines: Iterable[str]) -> Iterator[str]:
    """Return the lines in as few payloads as they fit into."""
    payload = ""
    for line in lines:
        if payload and len(payload) + 1 + len(line) > _MAX_PAYLOAD:
            yield payload
            payload = ""
        payload = f"{payload}\n{line}" if payload else line
    if payload:
        yield payload


@contextmanager
def _joined(waiters: defaultdict[str, set[W]], key: str, waiter: W) -> Generator[None]:
    waiters[key].add(waiter)
    try:
        yield
    finally:
        waiters[key].discard(waiter)
        if not waiters[key]:
            del waiters[key]
