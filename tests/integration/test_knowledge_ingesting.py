"""Documents go in and out of a real PostgreSQL, and a real graph follows."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeterna.graph.domain.identifiers import TenantId
from aeterna.knowledge.adapters.graph_writer import OpenGraphWriter
from aeterna.knowledge.adapters.postgres.database import DATABASE
from aeterna.knowledge.adapters.postgres.transactions import Transactions
from aeterna.knowledge.domain.documents import DocumentId
from aeterna.knowledge.usecases.publishing import Publishing
from aeterna.postgres.pool import connection_pool
from fixtures.fix_knowledge import ACME, KNOWLEDGE_LIMITS, PostgresWhole, ingesting, upload
from fixtures.knowledge_histories import HISTORIES, fresh, live

if TYPE_CHECKING:
    from fixtures.fix_graph import GraphBench
    from fixtures.knowledge_histories import Act

pytestmark = pytest.mark.anyio
TENANTS = itertools.count()


async def test_the_graph_shows_what_documents_say_and_forgets_what_only_one_of_them_said(
    postgres_ledger: PostgresWhole, iceberg_bench: GraphBench
) -> None:
    graphs = iceberg_bench.graphs()
    knowledge = ingesting(postgres_ledger, Publishing(postgres_ledger, OpenGraphWriter(graphs)))
    await knowledge.put(ACME, [upload("one", "red green"), upload("two", "green blue")], by="ada")

    outcome = await knowledge.delete(ACME, [DocumentId("one")], by="ada")

    found = graphs.of(ACME).fingerprint(at_least=outcome.published.seq)
    assert (found.nodes, found.edges) == (3, 3)
    graphs.close()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORIES, changes=st.sampled_from([2, 1000]))
async def test_any_history_on_real_stores_ends_in_the_graph_of_a_fresh_ingest(
    knowledge_database: str, iceberg_bench: GraphBench, history: list[Act], changes: int
) -> None:
    """Each history is that of another tenant, and none of them sees another's documents."""
    tenant = TenantId(f"tenant-{next(TENANTS)}")
    graphs = iceberg_bench.graphs()

    async with connection_pool(knowledge_database, KNOWLEDGE_LIMITS, DATABASE.names) as pool:
        said = await live(history, tenant, PostgresWhole(Transactions(pool)), graphs, changes=changes)

    assert graphs.of(tenant).fingerprint().digest == await fresh(said)
