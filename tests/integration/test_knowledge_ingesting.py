"""Documents go in and out of a real PostgreSQL, and the graph follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.knowledge.domain.documents import DocumentId
from fixtures.fix_knowledge import ACME, ingesting, upload

if TYPE_CHECKING:
    from fixtures.fix_graph import GraphBench
    from fixtures.fix_knowledge import PostgresWhole

pytestmark = pytest.mark.anyio


async def test_the_graph_shows_what_documents_say_and_forgets_what_only_one_of_them_said(
    postgres_ledger: PostgresWhole, iceberg_bench: GraphBench
) -> None:
    graphs = iceberg_bench.graphs()
    knowledge = ingesting(postgres_ledger, graphs)
    await knowledge.put(ACME, [upload("one", "red green"), upload("two", "green blue")], by="ada")

    outcome = await knowledge.delete(ACME, [DocumentId("one")], by="ada")

    found = graphs.of(ACME).fingerprint(at_least=outcome.published.seq)
    assert (found.nodes, found.edges) == (3, 3)
    graphs.close()
