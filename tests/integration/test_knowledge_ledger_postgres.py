"""What only a real database can show of the ledger: what is spared, and what happens when several write at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import session_of
from aeterna.graph.domain.identifiers import NodeId, TenantId
from aeterna.graph.errors import SessionConflictError
from aeterna.knowledge.adapters.graph_writer import OpenGraphWriter
from aeterna.knowledge.adapters.postgres.transactions import Transactions
from aeterna.knowledge.domain.documents import DocumentId
from aeterna.knowledge.domain.entries import Author, Change
from aeterna.knowledge.domain.publishing import SliceLimits, session_of_slice
from aeterna.knowledge.usecases.publishing import Publishing
from fixtures.fix_knowledge import ACME, KNOWLEDGE_LIMITS, MOMENT, PostgresWhole, ingesting, record, upload
from fixtures.knowledge_histories import fresh

if TYPE_CHECKING:
    from aeterna.postgres.pool import Pool
    from fixtures.fix_graph import GraphBench

pytestmark = pytest.mark.anyio
ADA = Author(subject="ada", at=MOMENT)


async def shown(ledger: PostgresWhole) -> None:
    """Note that the graph shows everything."""
    while pending := await ledger.pending(ACME, SliceLimits()):
        await ledger.published(ACME, pending, seq=1)


async def touched(ledger: PostgresWhole) -> set[str]:
    """Return the nodes that the graph is to show anew."""
    pending = await ledger.pending(ACME, SliceLimits())
    return set(pending.nodes) if pending else set()


async def test_a_term_that_is_known_is_not_written_again(postgres_ledger: PostgresWhole) -> None:
    """Else every new document would have the graph write its most common words once more."""
    await postgres_ledger.change(ACME, Change(author=ADA, put=(record("one", "x", nodes={"term": "word"}),)))
    await shown(postgres_ledger)

    await postgres_ledger.change(ACME, Change(author=ADA, put=(record("two", "x", nodes={"term": "word"}),)))

    assert await touched(postgres_ledger) == {"doc:two"}


async def test_a_term_that_others_still_say_is_not_written_when_a_document_goes(postgres_ledger: PostgresWhole) -> None:
    both = tuple(record(id_, "x", nodes={"term": "word"}) for id_ in ("one", "two"))
    await postgres_ledger.change(ACME, Change(author=ADA, put=both))
    await shown(postgres_ledger)

    await postgres_ledger.change(ACME, Change(author=ADA, removed=(DocumentId("one"),)))

    assert await touched(postgres_ledger) == {"doc:one"}


async def test_a_term_of_which_another_thing_is_said_is_written(postgres_ledger: PostgresWhole) -> None:
    await postgres_ledger.change(ACME, Change(author=ADA, put=(record("two", "x", nodes={"term": "word"}),)))
    await shown(postgres_ledger)

    await postgres_ledger.change(ACME, Change(author=ADA, put=(record("one", "x", nodes={"term": "Word"}),)))

    assert await touched(postgres_ledger) == {"doc:one", "term"}


async def test_ids_may_be_as_long_as_the_graph_allows(postgres_ledger: PostgresWhole) -> None:
    """Far longer than an entry of an index."""
    long = "é" * 512
    await postgres_ledger.change(ACME, Change(author=ADA, put=(record("one", "x", edges=f"{long} {long[:-1]}è"),)))

    assert long in await touched(postgres_ledger)


async def test_a_slice_ends_with_a_document_where_it_can(postgres_ledger: PostgresWhole) -> None:
    """So that the graph shows a document at once, if it has no more changes than a session takes."""
    records = tuple(record(id_, "x", nodes={f"{id_}{n}": "" for n in range(4)}) for id_ in ("a", "b"))
    await postgres_ledger.change(ACME, Change(author=ADA, put=records))

    pending = await postgres_ledger.pending(ACME, SliceLimits(changes=8))

    assert pending is not None
    assert set(pending.nodes) == {"doc:a", "a0", "a1", "a2", "a3"}


async def test_those_who_put_the_same_documents_at_once_end_in_one_graph(
    postgres_ledger: PostgresWhole, iceberg_bench: GraphBench
) -> None:
    """Each document is of one of them as a whole, and so is the graph."""
    graphs = iceberg_bench.graphs()
    knowledge = ingesting(
        postgres_ledger, Publishing(postgres_ledger, OpenGraphWriter(graphs), SliceLimits(changes=9)), documents=2
    )

    await asyncio.gather(
        *(
            knowledge.put(ACME, [upload(id_, f"{word} and {id_} {word}s") for id_ in "abcdef"], by=word)
            for word in ("red", "green", "blue")
        ),
        *(knowledge.delete(ACME, [DocumentId(id_)], by="eve") for id_ in "ace"),
    )

    kept = await postgres_ledger.documents(ACME, limit=99)
    said = {id_: (await postgres_ledger.document(ACME, id_)).text for id_ in kept}
    assert graphs.of(ACME).fingerprint().digest == await fresh(dict(said))
    assert {"b", "d", "f"} <= said.keys()
    graphs.close()


async def test_a_node_that_somebody_removed_from_the_graph_comes_back_with_the_next_edge_to_it(
    postgres_ledger: PostgresWhole, iceberg_bench: GraphBench
) -> None:
    """Others write to the graph too, and a slice must not fail for ever for it."""
    graphs = iceberg_bench.graphs()
    knowledge = ingesting(postgres_ledger, Publishing(postgres_ledger, OpenGraphWriter(graphs)))
    await knowledge.put(ACME, [upload("one", "red")], by="ada")
    graphs.of(ACME).commit(session_of("agent", subject="agent", removed_nodes=[NodeId("term:red")]))

    await knowledge.put(ACME, [upload("two", "red")], by="ada")

    counted = graphs.of(ACME).statistics()
    assert (counted.nodes, counted.edges) == (3, 1)
    graphs.close()


async def test_all_that_others_did_to_the_graphs_nodes_is_undone_by_showing_everything_again(
    postgres_ledger: PostgresWhole, iceberg_bench: GraphBench
) -> None:
    graphs = iceberg_bench.graphs()
    publishing = Publishing(postgres_ledger, OpenGraphWriter(graphs))
    said = {"one": "red green", "two": "green blue"}
    await ingesting(postgres_ledger, publishing).put(ACME, [upload(*each) for each in said.items()], by="ada")
    graphs.of(ACME).commit(session_of("agent", subject="agent", removed_nodes=[NodeId("term:green")]))

    await postgres_ledger.everything_again(ACME)
    await publishing.publish(ACME)

    assert graphs.of(ACME).fingerprint().digest == await fresh(said)
    graphs.close()


async def test_a_publisher_waits_its_turn_and_says_when_it_did_not_come(knowledge_pool: Pool) -> None:
    """As in two processes; in one of them the second would wait for as long as it takes."""
    one, another = (PostgresWhole(Transactions(knowledge_pool)) for _ in range(2))

    async with one.publishing(ACME) as first, another.publishing(ACME) as second:
        pass

    assert (first, second) == (True, False)


async def test_a_publisher_that_is_cancelled_leaves_its_turn_to_others(knowledge_pool: Pool) -> None:
    """Its connection goes back to the pool, and the lock was that connection's."""
    one, another = (PostgresWhole(Transactions(knowledge_pool)) for _ in range(2))
    begun = asyncio.Event()

    async def publish() -> None:
        async with one.publishing(ACME):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(publish())
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    async with another.publishing(ACME) as mine:
        assert mine


async def test_more_publishers_than_connections_all_come_to_their_turn(
    postgres_ledger: PostgresWhole, memory_bench: GraphBench
) -> None:
    """Each holds a connection and needs another one."""
    graphs = memory_bench.graphs()
    knowledge = ingesting(postgres_ledger, Publishing(postgres_ledger, OpenGraphWriter(graphs)))
    tenants = [TenantId(f"tenant-{number}") for number in range(3 * KNOWLEDGE_LIMITS.max_connections)]

    outcomes = await asyncio.gather(*(knowledge.put(tenant, [upload("one", "red")], by="ada") for tenant in tenants))

    assert all(outcome.published.complete and outcome.stored for outcome in outcomes)
    graphs.close()


async def test_a_publisher_that_was_thought_dead_undoes_nothing(knowledge_pool: Pool, memory_bench: GraphBench) -> None:
    """It has read its slice, and commits it when others have shown later states."""
    graphs = memory_bench.graphs()
    writer = OpenGraphWriter(graphs)
    late, ledger = (PostgresWhole(Transactions(knowledge_pool)) for _ in range(2))
    knowledge = ingesting(ledger, Publishing(ledger, writer))
    await ledger.change(ACME, Change(author=ADA, put=(record("one", "x", edges="a b"),)))
    read = await late.pending(ACME, SliceLimits())
    assert read is not None
    await knowledge.delete(ACME, [DocumentId("one")], by="ada")
    await knowledge.put(ACME, [upload("two", "red")], by="ada")
    newest = graphs.of(ACME).fingerprint().digest

    session = session_of_slice(read)
    assert session is not None
    with pytest.raises(SessionConflictError):
        await writer.commit(ACME, session)
    await late.published(ACME, read, seq=1)

    assert graphs.of(ACME).fingerprint().digest == newest == await fresh({"two": "red"})
    assert await ledger.pending(ACME, SliceLimits()) is None
    graphs.close()


async def test_a_document_of_more_than_a_session_takes_is_shown_in_several_and_kept_as_one(
    postgres_ledger: PostgresWhole, memory_bench: GraphBench
) -> None:
    """More than a statement takes, too."""
    graphs = memory_bench.graphs()
    large = record("large", "x", nodes={f"n{number}": "" for number in range(20_500)}, edges="n1 n2")
    await postgres_ledger.change(ACME, Change(author=ADA, put=(large,)))

    published = await Publishing(postgres_ledger, OpenGraphWriter(graphs)).publish(ACME)

    counted = graphs.of(ACME).statistics()
    assert (published.sessions, counted.nodes, counted.edges) == (3, 20_501, 1)
    graphs.close()
