"""What every ledger keeps to: documents whole or not at all, slices that stay what they are, ingestions that count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import EdgeKey
from aeterna.graph.domain.identifiers import Label, NodeId
from aeterna.knowledge.domain.documents import DocumentId
from aeterna.knowledge.domain.entries import Author, Change
from aeterna.knowledge.domain.ingestions import Ingestion, IngestionId, Refusal, Step
from aeterna.knowledge.domain.publishing import Pending, SliceLimits, session_of_slice
from aeterna.knowledge.errors import DocumentNotFoundError, IngestionNotFoundError, IngestionTakenError
from fixtures.fix_knowledge import ACME, GLOBEX, MOMENT, record

if TYPE_CHECKING:
    from aeterna.knowledge.domain.entries import Record
    from fixtures.fix_knowledge import Ledger

pytestmark = pytest.mark.anyio
ADA = Author(subject="ada", at=MOMENT)
ONE, TWO, NONE = DocumentId("one"), DocumentId("two"), DocumentId("none")
JOB = IngestionId("job")
INGESTION = Ingestion(id=JOB, source="a folder", started_by="ada", started_at=MOMENT, total=3)


def put(*records: Record) -> Change:
    """Return the change that puts them."""
    return Change(author=ADA, put=records)


def removing(*documents: DocumentId) -> Change:
    """Return the change that removes them."""
    return Change(author=ADA, removed=documents)


async def slice_of(ledger: Ledger, changes: int = 10_000) -> Pending:
    """Return the slice that is to be published now; there is one."""
    pending = await ledger.pending(ACME, SliceLimits(changes=changes))
    assert pending is not None
    return pending


async def show_everything(ledger: Ledger) -> None:
    """Note that the graph shows all of it."""
    while pending := await ledger.pending(ACME, SliceLimits()):
        await ledger.published(ACME, pending, seq=1)


async def test_digests_are_of_the_documents_that_there_are(ledger: Ledger) -> None:
    one = record("one", "text")
    await ledger.change(ACME, put(one))

    assert await ledger.digests(ACME, [ONE, NONE]) == {ONE: one.digest}


async def test_a_document_comes_back_as_it_was_put(ledger: Ledger) -> None:
    one = replace(record("one", "an ünïcode text"), warnings=("left out a picture", "and a 'quoted, {brace}'"))
    await ledger.change(ACME, put(one))

    kept = await ledger.document(ACME, ONE)

    assert (kept.text, kept.title, kept.units, kept.warnings) == (one.text, one.title, one.units, one.warnings)
    assert (kept.digest, kept.media_type, kept.put_by, kept.put_at) == (one.digest, one.media_type, "ada", MOMENT)


async def test_a_document_that_is_not_there_is_named(ledger: Ledger) -> None:
    with pytest.raises(DocumentNotFoundError):
        await ledger.document(ACME, NONE)


async def test_documents_are_listed_by_prefix_in_the_order_of_their_ids(ledger: Ledger) -> None:
    """In that of their characters, whatever language the database is set up for."""
    await ledger.change(ACME, put(*(record(id_, "x") for id_ in ("b/2", "a/1", "a/B", "a/a", "a%", "é"))))

    assert await ledger.documents(ACME, prefix="a/", limit=2) == ["a/1", "a/B"]
    assert await ledger.documents(ACME, after=DocumentId("a/B"), limit=9) == ["a/a", "b/2", "é"]


async def test_an_unchanged_document_changes_nothing(ledger: Ledger) -> None:
    await ledger.change(ACME, put(record("one", "text")))
    await show_everything(ledger)

    changed = await ledger.change(ACME, put(record("one", "text")))

    assert (changed.stored, changed.unchanged, changed.touched) == ((), (ONE,), 0)
    assert await ledger.pending(ACME, SliceLimits()) is None


async def test_a_removed_document_is_gone_and_one_that_was_not_there_is_passed_over(ledger: Ledger) -> None:
    await ledger.change(ACME, put(record("one", "text")))

    changed = await ledger.change(ACME, removing(ONE, NONE))

    assert changed.removed == (ONE,)
    assert await ledger.digests(ACME, [ONE]) == {}


async def test_a_slice_has_all_that_documents_say_now(ledger: Ledger) -> None:
    await ledger.change(ACME, put(record("one", "x", nodes={"n": "first"}), record("two", "x", nodes={"n": "second"})))

    pending = await slice_of(ledger)

    assert sorted(document for document, _ in pending.nodes[NodeId("n")]) == [ONE, TWO]


async def test_what_nobody_says_any_more_is_in_the_slice_with_nothing_said(ledger: Ledger) -> None:
    await ledger.change(ACME, put(record("one", "x", edges="a b"), record("two", "x", nodes={"a": ""})))
    await show_everything(ledger)
    await ledger.change(ACME, removing(ONE))

    pending = await slice_of(ledger)

    session = session_of_slice(pending)
    assert session is not None
    assert set(session.removed_nodes) == {"doc:one", "b"}
    assert set(session.removed_edges) == {EdgeKey(NodeId("a"), Label("next"), NodeId("b"))}


async def test_a_slice_that_was_begun_stays_the_same_for_whoever_goes_on(ledger: Ledger) -> None:
    """Its session's id follows from its ends, and the graph takes a session of an id once."""
    await ledger.change(ACME, put(record("one", "x")))
    begun = await slice_of(ledger)
    await ledger.change(ACME, put(record("one", "y"), record("two", "x")))

    again = await slice_of(ledger)

    assert (again.ledger, again.after, again.upto) == (begun.ledger, begun.after, begun.upto)


async def test_a_published_slice_is_followed_by_the_next_one(ledger: Ledger) -> None:
    await ledger.change(ACME, put(record("one", "x", nodes={"a": "", "b": ""}), record("two", "x")))
    first = await slice_of(ledger, changes=2)
    await ledger.published(ACME, first, seq=7)

    second = await slice_of(ledger, changes=2)
    await ledger.published(ACME, first, seq=7)

    assert second.after == first.upto
    assert (await slice_of(ledger, changes=2)).after == second.after
    assert await ledger.shown_seq(ACME) == 7


async def test_what_is_shown_again_comes_behind_all_else(ledger: Ledger) -> None:
    await ledger.change(ACME, put(record("one", "x", edges="a b")))
    await show_everything(ledger)
    key = EdgeKey(NodeId("a"), Label("next"), NodeId("b"))
    await ledger.again(ACME, [NodeId("a")], [key])

    pending = await slice_of(ledger)

    assert (set(pending.nodes), set(pending.edges)) == ({"a"}, {key})


async def test_everything_is_shown_again_under_another_name(ledger: Ledger) -> None:
    """The sessions of the life before are known to the graph, with what they held then."""
    await ledger.change(ACME, put(record("one", "x", edges="a b")))
    before = await slice_of(ledger)
    await show_everything(ledger)

    count = await ledger.everything_again(ACME)

    after = await slice_of(ledger)
    assert (count, set(after.nodes), set(after.edges)) == (4, set(before.nodes), set(before.edges))
    assert after.ledger != before.ledger


async def test_one_at_a_time_is_the_publisher(ledger: Ledger) -> None:
    async with ledger.publishing(ACME) as acme, ledger.publishing(GLOBEX) as globex:
        pass
    async with ledger.publishing(ACME) as once_more:
        pass

    assert (acme, globex, once_more) == (True, True, True)


async def test_a_tenant_sees_nothing_of_another(ledger: Ledger) -> None:
    await ledger.change(ACME, put(record("one", "x")))
    await ledger.begin(ACME, INGESTION)

    assert await ledger.digests(GLOBEX, [ONE]) == {}
    assert await ledger.documents(GLOBEX, limit=9) == []
    assert await ledger.pending(GLOBEX, SliceLimits()) is None
    assert (await ledger.change(GLOBEX, removing(ONE))).removed == ()
    with pytest.raises(IngestionNotFoundError):
        await ledger.ingestion(GLOBEX, JOB)


async def test_an_ingestion_that_there_is_is_not_begun_again(ledger: Ledger) -> None:
    first = await ledger.begin(ACME, INGESTION)

    again = await ledger.begin(ACME, replace(INGESTION, source="another folder", total=None))

    assert first == again == INGESTION


async def test_a_step_counts_with_the_change_that_it_is_of(ledger: Ledger) -> None:
    await ledger.begin(ACME, INGESTION)
    step = Step(ingestion=JOB, before=None, after=TWO, refused=(Refusal(document=TWO, reason="is odd"),), unchanged=2)

    await ledger.change(ACME, put(record("one", "x")), step=step)

    now = await ledger.ingestion(ACME, JOB)
    assert (now.cursor, now.stored, now.unchanged, now.refused, now.done) == (TWO, 1, 2, 1, 4)
    assert await ledger.refusals(ACME, JOB) == [Refusal(document=TWO, reason="is odd")]


async def test_a_step_from_where_the_ingestion_is_not_any_more_changes_nothing(ledger: Ledger) -> None:
    """Two processes go on with it; the one that was thought dead finds out here."""
    await ledger.begin(ACME, INGESTION)
    await ledger.change(ACME, put(), step=Step(ingestion=JOB, before=None, after=TWO))

    with pytest.raises(IngestionTakenError):
        await ledger.change(ACME, put(record("one", "x")), step=Step(ingestion=JOB, before=None, after=ONE))

    assert await ledger.digests(ACME, [ONE]) == {}


async def test_a_finished_ingestion_stays_finished(ledger: Ledger) -> None:
    await ledger.begin(ACME, INGESTION)
    await ledger.finish(ACME, JOB, at=MOMENT)

    with pytest.raises(IngestionTakenError):
        await ledger.change(ACME, put(record("one", "x")), step=Step(ingestion=JOB, before=None, after=ONE))

    assert (await ledger.ingestion(ACME, JOB)).finished_at == MOMENT
