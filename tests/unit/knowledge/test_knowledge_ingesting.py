"""Documents are put in batches: what is refused is named, what is unchanged costs nothing, what ended goes on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.testing import MemoryGraphStores
from aeterna.graph.usecases.graphs import Graphs
from aeterna.knowledge.adapters.graph_writer import OpenGraphWriter
from aeterna.knowledge.domain.ingestions import Ingestion, IngestionId, Refusal
from aeterna.knowledge.testing import FakeLedger
from aeterna.knowledge.usecases.publishing import Publishing
from fixtures.fix_graph import GraphBench
from fixtures.fix_knowledge import ACME, MOMENT, ListSource, ingesting, upload
from fixtures.knowledge_histories import fresh

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.documents import DocumentId
    from aeterna.knowledge.domain.entries import Change, Changed
    from aeterna.knowledge.domain.ingestions import Step
    from aeterna.knowledge.usecases.ingesting import Ingesting

pytestmark = pytest.mark.anyio
JOB = IngestionId("job")
INGESTION = Ingestion(id=JOB, source="a list", started_by="ada", started_at=MOMENT)


class CountingLedger(FakeLedger):
    """A ledger that counts what it is asked, and breaks when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.breaks_in: int | None = None

    async def digests(self, tenant: TenantId, documents: Sequence[DocumentId]) -> Mapping[DocumentId, str]:
        self.calls.append("digests")
        return await super().digests(tenant, documents)

    async def change(self, tenant: TenantId, change: Change, *, step: Step | None = None) -> Changed:
        self.calls.append("change")
        if self.breaks_in is not None:
            self.breaks_in -= 1
            if self.breaks_in < 0:
                raise ConnectionError
        return await super().change(tenant, change, step=step)


@dataclass(slots=True)
class World:
    """Knowledge in memory."""

    graphs: Graphs
    ledger: CountingLedger = field(default_factory=CountingLedger)

    def knowledge(self) -> Ingesting:
        """Return the use case, as another process would have it."""
        return ingesting(self.ledger, Publishing(self.ledger, OpenGraphWriter(self.graphs)), documents=2)

    def digest(self) -> str:
        """Return that of the graph."""
        return self.graphs.of(ACME).fingerprint().digest


@pytest.fixture
def world() -> Iterator[World]:
    graphs = GraphBench(stores=MemoryGraphStores()).graphs()
    yield World(graphs)
    graphs.close()


def source(**said: str) -> ListSource:
    """Return a source of documents."""
    return ListSource(tuple(upload(*each) for each in said.items()))


async def test_a_refused_document_is_named_and_those_beside_it_are_kept(world: World) -> None:
    outcome = await world.knowledge().put(ACME, [upload("a", "red"), upload("b", "no!"), upload("c", "blue")], by="ada")

    assert outcome.stored == ("a", "c")
    assert outcome.refused == (Refusal(document=upload("b", "").id, reason="shouts"),)
    assert world.digest() == await fresh({"a": "red", "c": "blue"})


async def test_a_document_that_cannot_be_taken_any_more_stays_as_it_was(world: World) -> None:
    await world.knowledge().put(ACME, [upload("a", "red")], by="ada")

    await world.knowledge().put(ACME, [upload("a", "no!")], by="ada")

    assert world.digest() == await fresh({"a": "red"})


async def test_what_no_graph_takes_is_refused_with_what_is_wrong(world: World) -> None:
    """Known before anything is written, so that it cannot stop the others for ever."""
    outcome = await world.knowledge().put(ACME, [upload("a", "x" * 600), upload("b", "nu\0l")], by="ada")

    assert [refusal.reason[:28] for refusal in outcome.refused] == [
        "gives what no graph takes: n",
        "holds the character NUL",
    ]


async def test_unchanged_documents_cost_one_question_for_each_batch(world: World) -> None:
    documents = [upload(id_, "red") for id_ in "abcd"]
    await world.knowledge().put(ACME, documents, by="ada")
    world.ledger.calls.clear()

    outcome = await world.knowledge().put(ACME, documents, by="ada")

    assert (len(outcome.unchanged), world.ledger.calls) == (4, ["digests", "digests"])


async def test_a_document_that_comes_twice_ends_as_it_came_last(world: World) -> None:
    await world.knowledge().put(ACME, [upload("a", "blue")], by="ada")

    await world.knowledge().put(ACME, [upload("a", "red"), upload("b", "x"), upload("a", "blue")], by="ada")

    assert world.digest() == await fresh({"a": "blue", "b": "x"})


async def test_an_ingestion_that_ended_goes_on_where_it_was(world: World) -> None:
    said = {"a": "red", "b": "no!", "c": "blue", "d": "red blue", "e": "green"}
    await world.ledger.begin(ACME, INGESTION)
    world.ledger.breaks_in = 1
    with pytest.raises(ConnectionError):
        await world.knowledge().run(ACME, JOB, source(**said))
    world.ledger.breaks_in = None

    done = await world.knowledge().run(ACME, JOB, source(**said))

    assert (done.stored, done.refused, done.unchanged, done.done) == (4, 1, 0, 5)
    assert done.finished_at == MOMENT
    assert world.digest() == await fresh({id_: text for id_, text in said.items() if id_ != "b"})


async def test_a_finished_ingestion_is_returned_as_it_is(world: World) -> None:
    await world.ledger.begin(ACME, INGESTION)
    done = await world.knowledge().run(ACME, JOB, source(a="red"))

    again = await world.knowledge().run(ACME, JOB, source(a="blue"))

    assert again == done
    assert world.digest() == await fresh({"a": "red"})


async def test_a_mirror_removes_what_its_source_has_no_more(world: World) -> None:
    """Between its documents and behind the last one, and nothing that is called otherwise."""
    before = {"in/a": "red", "in/b": "red", "in/c": "blue", "in/z": "green", "out/a": "black"}
    await world.knowledge().put(ACME, [upload(*each) for each in before.items()], by="ada")
    await world.ledger.begin(ACME, replace(INGESTION, mirrors="in/"))
    kept = {"in/b": "red", "in/c": "no!", "in/d": "grey"}

    done = await world.knowledge().run(ACME, JOB, source(**kept))

    assert (done.stored, done.removed, done.refused, done.unchanged) == (1, 2, 1, 1)
    assert world.digest() == await fresh({"in/b": "red", "in/c": "blue", "in/d": "grey", "out/a": "black"})


async def test_a_mirror_of_nothing_left_removes_all(world: World) -> None:
    await world.knowledge().put(ACME, [upload("in/a", "red"), upload("b", "blue")], by="ada")
    await world.ledger.begin(ACME, replace(INGESTION, mirrors="in/"))

    done = await world.knowledge().run(ACME, JOB, source())

    assert (done.removed, world.digest()) == (1, await fresh({"b": "blue"}))
