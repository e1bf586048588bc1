"""Real documents, edited at random: the graph of what is left is the graph that never knew anything else."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest

from aeterna.knowledge.adapters.documents.files import DocumentFiles
from aeterna.knowledge.adapters.graph_writer import OpenGraphWriter
from aeterna.knowledge.domain.documents import DocumentId, Upload
from aeterna.knowledge.domain.publishing import SliceLimits
from aeterna.knowledge.usecases.ingesting import Ingesting
from aeterna.knowledge.usecases.publishing import Publishing
from aeterna.knowledge.usecases.reading import DocumentReading
from fixtures.fix_knowledge import ACME, GLOBEX, MOMENT, PostgresWhole
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.fix_graph import GraphBench

pytestmark = pytest.mark.anyio
GUIDES: Final = ("graph", "graph-history", "threads", "policy", "stacks", "secrets")
EDITS: Final = 25


@pytest.fixture
def files() -> Iterator[DocumentFiles]:
    reader = DocumentFiles()
    yield reader
    reader.close()


def sections() -> list[str]:
    """Return pieces of the project's own guides."""
    texts = [(ROOT / "docs" / "guide" / f"{name}.md").read_text("utf-8") for name in GUIDES]
    return [f"## {piece[:1500]}" for text in texts for piece in text.split("\n## ")[1:]]


async def test_documents_that_were_edited_at_random_end_in_the_graph_of_a_fresh_ingest(
    postgres_ledger: PostgresWhole, iceberg_bench: GraphBench, files: DocumentFiles
) -> None:
    """They share terms, link to each other, and quote the same code. The fresh one is another tenant's."""
    chance = random.Random(7)  # noqa: S311 - the same edits in every run
    graphs = iceberg_bench.graphs()
    knowledge = Ingesting(
        ledger=postgres_ledger,
        ingestions=postgres_ledger,
        publishing=Publishing(postgres_ledger, OpenGraphWriter(graphs), SliceLimits(changes=500)),
        reading=DocumentReading(files),
        executor=ThreadPoolExecutor(1),
        clock=lambda: MOMENT,
    )
    pieces = sections()
    said: dict[DocumentId, list[str]] = {}
    for _ in range(EDITS):
        document = DocumentId(f"guide/{chance.choice('abcdef')}.md")
        if document in said and chance.random() < 0.25:
            del said[document]
            await knowledge.delete(ACME, [document], by="ada")
            continue
        text = said.setdefault(document, [f"# {document}", "See [another](a.md) and [one more](b.md)."])
        text.insert(chance.randint(1, len(text)), chance.choice(pieces))
        if len(text) > 5:
            text.pop(chance.randint(1, 4))
        await knowledge.put(ACME, [made(document, text)], by="ada")

    await knowledge.put(GLOBEX, [made(*each) for each in said.items()], by="eve")

    edited, new = (graphs.of(tenant).fingerprint() for tenant in (ACME, GLOBEX))
    assert (edited.digest, edited.nodes > 100, edited.edges > 100) == (new.digest, True, True)
    graphs.close()


def made(document: DocumentId, text: list[str]) -> Upload:
    """Return a document of its paragraphs."""
    return Upload(id=document, content="\n\n".join(text).encode(), name=document)
