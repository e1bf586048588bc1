"""The one place where the knowledge of all tenants is put together from its adapters."""

from __future__ import annotations

import asyncio
import importlib
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.adapters.documents.files import DocumentFiles
from aeterna.knowledge.adapters.graph_reader import LensGraphReader
from aeterna.knowledge.adapters.graph_writer import OpenGraphWriter
from aeterna.knowledge.adapters.postgres.database import DATABASE
from aeterna.knowledge.adapters.postgres.ingestions import PostgresIngestions
from aeterna.knowledge.adapters.postgres.ledger import PostgresLedger
from aeterna.knowledge.adapters.postgres.outbox import PostgresOutbox
from aeterna.knowledge.adapters.postgres.readiness import require_answer
from aeterna.knowledge.adapters.postgres.transactions import Transactions
from aeterna.knowledge.usecases.ingesting import Ingesting
from aeterna.knowledge.usecases.knowledge import Knowledge
from aeterna.knowledge.usecases.publishing import Publishing
from aeterna.knowledge.usecases.ranking import Ranking
from aeterna.knowledge.usecases.reading import DocumentReading
from aeterna.postgres.address import Address, AddressSettings, Secret
from aeterna.postgres.fitness import prepare_schema
from aeterna.postgres.pool import Pool, connection_pool
from aeterna.postgres.serving_login import let_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.graph.usecases.graphs import Graphs
    from aeterna.postgres.pool import Limits

_READERS: Final = 2
"""Threads that read documents; what may hang is read in a process of its own anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenKnowledge:
    """Knowledge, and what it stands on; it answers while `running`."""

    knowledge: Knowledge
    _pool: Pool
    _files: DocumentFiles
    _readers: ThreadPoolExecutor

    async def check(self) -> None:
        """Return when the database answers as the ledger needs it; raise `StoreUnavailableError` when not."""
        await require_answer(self._pool)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Keep connections until the block ends, once; what is being read then is waited for."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._pool)
            stack.push_async_callback(asyncio.to_thread, self._files.close)
            stack.push_async_callback(asyncio.to_thread, self._readers.shutdown)
            yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Where the database of the ledger is, for the login that serves and for the one that owns the schema.

    ``owner`` is a connection string where that is another login; ``kept`` the secret of a cloud with its password.
    ``wait`` bounds the wait for another migrator, ``lock`` the one for a table.
    """

    where: AddressSettings
    owner: Secret | None = None
    kept: str | None = None
    wait: timedelta = timedelta(minutes=2)
    lock: timedelta = timedelta(seconds=5)
    serving_login: str | None = None

    def address(self) -> Address:
        """Return how the login that serves gets there; raise `ConnectionInsecureError`."""
        return Address.of(self.where, DATABASE.errors)


def prepare_ledger(ledger: Ledger, limits: Limits, *, migrate: bool) -> None:
    """Return when the database is fit to serve, after bringing its schema forward if ``migrate``.

    Raise the `DatabaseUnfitError` that says why it is not.
    """

    def forward() -> None:
        migrate_ledger(ledger)

    prepare_schema(ledger.address(), limits, DATABASE, forward if migrate else None)


def migrate_ledger(ledger: Ledger) -> str:
    """Bring the schema to this release as its owner, let in the login that serves, and say what was done."""
    # Imported when asked for: alembic and SQLAlchemy would cost every start of the service half a second.
    adapter = importlib.import_module("aeterna.postgres.migrations")
    owner = Address.of(ledger.where, DATABASE.errors, ledger.owner, kept=ledger.kept)
    moved = adapter.migrate(owner, DATABASE, to="head", wait=ledger.wait, lock=ledger.lock)
    done = f"the schema of knowledge {moved.before or 'none'} -> {moved.after or 'none'}"
    if ledger.serving_login is None:
        return done
    roles = (DATABASE.names.role,)
    let_in(owner, DATABASE, login=ledger.serving_login, provider=ledger.where.dsn_login, roles=roles)
    return f"{done}, {ledger.serving_login} may serve"


def open_knowledge(graphs: Graphs, ledger_at: Ledger, limits: Limits) -> OpenKnowledge:
    """Compose the knowledge of the tenants whose graphs these are; nothing is connected yet.

    At most half of the connections publish, since each publisher needs another one: see `PostgresOutbox`.
    """
    pool = connection_pool(ledger_at.address(), limits, DATABASE.names)
    transactions = Transactions(pool)
    files, readers = DocumentFiles(), ThreadPoolExecutor(_READERS, thread_name_prefix="knowledge-reader")
    ledger, ingestions = PostgresLedger(transactions), PostgresIngestions(transactions)
    outbox = PostgresOutbox(transactions, publishers=max(1, limits.max_connections // 2))
    ingesting = Ingesting(
        ledger=ledger,
        ingestions=ingestions,
        publishing=Publishing(outbox, OpenGraphWriter(graphs)),
        reading=DocumentReading(files),
        executor=readers,
        clock=lambda: datetime.now(UTC),
    )
    return OpenKnowledge(
        knowledge=Knowledge(
            ledger=ledger,
            ingestions=ingestions,
            ingesting=ingesting,
            ranking=Ranking(LensGraphReader(graphs), stopwatch=time.monotonic),
        ),
        _pool=pool,
        _files=files,
        _readers=readers,
    )
