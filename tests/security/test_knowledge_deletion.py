"""What a document said is nowhere after it was deleted: in no row of the database, and not in what the graph shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from aeterna.graph.domain.questions.searches import search_query
from aeterna.knowledge.adapters.documents.files import DocumentFiles
from aeterna.knowledge.adapters.graph_writer import OpenGraphWriter
from aeterna.knowledge.adapters.postgres.models import PostgresAnswers
from aeterna.knowledge.adapters.postgres.reports import PostgresReports
from aeterna.knowledge.adapters.postgres.transactions import Transactions
from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import DocumentId, Span, Upload
from aeterna.knowledge.domain.models import KeptAnswer
from aeterna.knowledge.domain.reports import Citation, Evidence, MaterialDigest, Report, Sentence
from aeterna.knowledge.usecases.ingesting import Ingesting
from aeterna.knowledge.usecases.publishing import Publishing
from aeterna.knowledge.usecases.reading import DocumentReading
from fixtures.fix_knowledge import ACME, MOMENT, PostgresWhole

if TYPE_CHECKING:
    from aeterna.graph.usecases.graphs import Graphs
    from aeterna.knowledge.domain.documents import Unit
    from aeterna.postgres.pool import Pool
    from fixtures.fix_graph import GraphBench

pytestmark = pytest.mark.anyio
CANARY = "quetzalcoatlus"
SECRET = Upload(
    id=DocumentId("secret.md"),
    content=f"# The {CANARY}\n\nThe {CANARY} sleeps in `vault.{CANARY}` beside the harbour crane.\n".encode(),
    name="secret.md",
)
OTHER = Upload(
    id=DocumentId("other.md"), content=b"# Cranes\n\nThe harbour crane is beside the quay wall.\n", name="other.md"
)


def rows_with(dsn: str, word: str) -> list[str]:
    """Return the tables of which some row holds the word, whatever column it is in."""
    found: list[str] = []
    with psycopg.connect(dsn) as owner:
        names = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'knowledge'").fetchall()
        for (name,) in names:
            table = sql.SQL("SELECT count(*) FROM knowledge.{} AS held WHERE held::text ILIKE %s").format(
                sql.Identifier(name)
            )
            if owner.execute(table, [f"%{word}%"]).fetchone() != (0,):
                found.append(name)
    return sorted(found)


def report(unit: Unit) -> Report:
    """Return a report that repeats a unit."""
    return Report(
        community=CommunityId("one"),
        level=0,
        digest=MaterialDigest("digest"),
        title="Report",
        sentences=(
            Sentence(
                text=unit.text, citations=(Citation(document=unit.document, unit=unit.id, span=Span(start=0, end=1)),)
            ),
        ),
        made_by="extractive",
        tokens=9,
        evidence=(Evidence(unit=unit.id, document=unit.document, start=0),),
    )


def shown(graphs: Graphs, word: str) -> int:
    """Return how many nodes of the graph hold the word."""
    return len(graphs.of(ACME).search(search_query(word)).hits)


async def test_nothing_of_a_deleted_document_is_left(
    postgres_ledger: PostgresWhole, knowledge_pool: Pool, knowledge_database: str, iceberg_bench: GraphBench
) -> None:
    """The words that it shared with another document stay, as that one's."""
    graphs, files = iceberg_bench.graphs(), DocumentFiles()
    knowledge = Ingesting(
        ledger=postgres_ledger,
        ingestions=postgres_ledger,
        publishing=Publishing(postgres_ledger, OpenGraphWriter(graphs)),
        reading=DocumentReading(files),
        executor=ThreadPoolExecutor(1),
        clock=lambda: MOMENT,
    )
    await knowledge.put(ACME, [SECRET, OTHER], by="ada")
    unit = (await postgres_ledger.document(ACME, SECRET.id)).units[0]
    own = Transactions(knowledge_pool)
    await PostgresReports(own).apply(ACME, [report(unit)], [])
    await PostgresAnswers(own).put(ACME, "key", KeptAnswer(text=unit.text, units=frozenset({unit.id})))
    assert {"answers", "documents", "node_parts", "reports"} <= set(rows_with(knowledge_database, CANARY))
    assert shown(graphs, CANARY) > 0

    await knowledge.delete(ACME, [SECRET.id], by="ada")

    assert rows_with(knowledge_database, CANARY) == []
    assert rows_with(knowledge_database, "secret.md") == []
    assert (shown(graphs, CANARY), shown(graphs, "harbour") > 0) == (0, True)
    graphs.close()
    files.close()
