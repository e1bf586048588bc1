"""Tells other processes of commits by PostgreSQL's LISTEN and NOTIFY: one connection and one thread for a process.

A notice is not part of the commit's transaction: PostgreSQL commits transactions that notify one after the other, under
a lock of the whole server. So a commit is announced when it is durable, and those of a moment together.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from aeterna.graph.domain.identifiers import TenantId, tenant_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine as Database

    from aeterna.graph.usecases.engine import World

# Any: the rows of our statements are never looked at.
Connection: TypeAlias = "psycopg.Connection[Any]"
Listener: TypeAlias = "Callable[[TenantId, int], None]"

_LISTEN: Final = b"LISTEN aeterna_graph"
_TELL: Final = b"SELECT pg_notify('aeterna_graph', payload) FROM unnest(%s::text[]) AS payload"
_ARE_YOU_THERE: Final = b"SELECT 1"
_HEARTBEAT_SECONDS: Final = 20.0
_LEAST_PAUSE: Final = 0.1
_MOST_PAUSE: Final = 10.0

log = logging.getLogger(__name__)


class PostgresNotices:
    """`Notices` between all processes that are connected to one database."""

    def __init__(self, connect: Callable[[], Connection], world: World) -> None:
        """Begin to listen in a thread of its own; ``connect`` opens a connection that nobody else uses."""
        self._connect = connect
        self._world = world
        self._listeners: list[Listener] = []
        self._news: dict[TenantId, int] = {}
        self._turn = threading.Lock()
        self._closed = threading.Event()
        self._listening = threading.Event()
        # A write into the one end wakes the thread up, whatever it waits for.
        self._bell, self._rung = socket.socketpair()
        self._bell.setblocking(False)
        self._rung.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="graph-notices", daemon=True)
        self._thread.start()

    def publish(self, tenant: TenantId, seq: int) -> None:
        """See `Notices.publish`."""
        with self._turn:
            self._news[tenant] = max(seq, self._news.get(tenant, 0))
        self._ring()

    def subscribe(self, listener: Listener) -> None:
        """See `Notices.subscribe`."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Stop listening; what was published and not told yet is lost."""
        if not self._closed.is_set():
            self._closed.set()
            self._ring()
            self._thread.join()
            self._bell.close()
            self._rung.close()

    def wait_until_listening(self, timeout: float) -> bool:
        """Return whether notices arrive, after waiting for that as long as ``timeout`` seconds."""
        return self._listening.wait(timeout)

    def _ring(self) -> None:
        # A full buffer means that it rings already; a closed one, that nobody is there any more.
        with suppress(OSError):
            self._bell.send(b"!")

    def _run(self) -> None:
        failures = 0
        while not self._closed.is_set():
            try:
                with self._connect() as connection:
                    connection.add_notify_handler(lambda notice: self._hear(notice.payload))
                    connection.execute(_LISTEN)
                    failures = 0
                    self._listening.set()
                    self._serve(connection)
            except (psycopg.Error, SQLAlchemyError, OSError) as lost:
                # The message may hold the address; the kind is enough.
                log.warning("graph.notices_lost", extra={"error": type(lost).__name__})
            finally:
                self._listening.clear()
            pause = min(_MOST_PAUSE, _LEAST_PAUSE * 2**failures)
            failures = min(failures + 1, 16)
            # Jitter: all processes lost the same server at the same time.
            self._closed.wait(pause * (0.5 + self._world.chance() / 2))

    def _serve(self, connection: Connection) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._rung, selectors.EVENT_READ)
            while not self._closed.is_set():
                if not selector.select(_HEARTBEAT_SECONDS):
                    # A connection that died without a word is noticed only when it is used.
                    connection.execute(_ARE_YOU_THERE)
                with suppress(BlockingIOError):
                    self._rung.recv(4096)
                self._tell(connection)
                connection.pgconn.consume_input()
                while (notice := connection.pgconn.notifies()) is not None:
                    self._hear(notice.extra.decode("utf-8", "replace"))

    def _tell(self, connection: Connection) -> None:
        with self._turn:
            news, self._news = self._news, {}
        if not news:
            return
        try:
            connection.execute(_TELL, ([f"{tenant} {seq}" for tenant, seq in news.items()],))
        except psycopg.Error:
            with self._turn:
                self._news = {tenant: max(seq, self._news.get(tenant, 0)) for tenant, seq in news.items()} | {
                    tenant: seq for tenant, seq in self._news.items() if tenant not in news
                }
            raise

    def _hear(self, payload: str) -> None:
        tenant, _, seq = payload.partition(" ")
        try:
            named, number = tenant_id(tenant), int(seq)
        except ValueError:
            # Whoever may connect to the database may notify; a notice only ever makes us look at the catalog.
            log.warning("graph.notice_unreadable")
            return
        for listener in self._listeners:
            listener(named, number)


def connections_of(database: Database) -> Callable[[], Connection]:
    """Return what opens a connection with the database's own login, apart from its pool."""

    def connect() -> Connection:
        pooled = database.raw_connection()
        connection: Any = pooled.driver_connection  # Any: SQLAlchemy does not say whose connection it is
        pooled.detach()
        connection.rollback()
        connection.autocommit = True
        return connection

    return connect
