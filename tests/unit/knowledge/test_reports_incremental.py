"""Reports that were kept up with a changing graph are those of a graph that was read for the first time."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.graph.domain.identifiers import TenantId
from aeterna.knowledge.domain.budgets import TokenLimits
from aeterna.knowledge.domain.models import Finish, ModelAnswer
from aeterna.knowledge.domain.reports import Instead
from aeterna.knowledge.domain.sentences import plain
from aeterna.knowledge.testing.models import InMemoryAnswers, InMemoryTokens, ScriptedModel
from aeterna.knowledge.testing.reports import CountedReports, InMemoryReports
from aeterna.knowledge.usecases.asking import Asking
from aeterna.knowledge.usecases.reporting import Reporting
from aeterna.knowledge.usecases.writing import ModelReports
from fixtures.report_worlds import ReportWorld, small_world, unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.knowledge.domain.communities import CommunityId
    from aeterna.knowledge.domain.documents import UnitId
    from aeterna.knowledge.domain.models import Message
    from aeterna.knowledge.domain.reports import Report

TENANT = TenantId("acme")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TERMS = ("snapshot", "lens", "policy", "sidecar", "lease")
WORDS = st.sampled_from([*TERMS, "the", "writes", "every", "before", "each", "commit", "decides", "reads", "old"])
SENTENCE = st.lists(WORDS, min_size=1, max_size=9).map(lambda words: " ".join(words).capitalize() + ".")
PARAGRAPH = st.lists(SENTENCE, min_size=1, max_size=4).map(" ".join)
TOPICS = ("storage", "policy")
DOCUMENTS = ("a.md", "b.md", "c.md", "d.md")


def change(draw: st.DataObject, world: ReportWorld, names: count[int]) -> None:
    """Make one of the changes that a world can see."""
    name = draw.draw(st.sampled_from(["add", "remove", "move", "rename", "put", "insert", "swap", "mark"]))
    documents = sorted(world.documents())
    if name == "rename":
        renamed = draw.draw(st.sampled_from([*TOPICS, *DOCUMENTS, "all"]))
        world.names = {**world.names, renamed: f"again:{next(names)}"}
    elif name == "add":
        added = draw.draw(st.sampled_from(DOCUMENTS))
        if added not in documents:
            world.topics[draw.draw(st.sampled_from(TOPICS))][added] = [draw.draw(PARAGRAPH)]
    else:
        document = draw.draw(st.sampled_from(documents))
        topic = next(topic for topic, held in world.topics.items() if document in held)
        if name in {"remove", "move"}:
            held = world.topics[topic].pop(document)
            if name == "move" or len(documents) == 1:
                world.topics[draw.draw(st.sampled_from(TOPICS))][document] = held
        else:
            change_document(draw, world, name, world.topics[topic][document])


def change_document(draw: st.DataObject, world: ReportWorld, name: str, held: list[str]) -> None:
    place = draw.draw(st.integers(0, len(held) - 1))
    match name:
        case "put":
            held[place] = draw.draw(PARAGRAPH)
        case "insert":
            held.insert(place, draw.draw(PARAGRAPH))
        case "swap":
            held.reverse()
        case _:
            world.hostile = frozenset({held[place]})
    # A unit's id follows from its text, so one document says the same thing once.
    held[:] = dict.fromkeys(held)


def units_of(world: ReportWorld) -> set[UnitId]:
    return {unit_of(document, text) for document, held in world.documents().items() for text in held}


def echoed(messages: Sequence[Message]) -> str:
    """Answer what follows from the question's content alone, and only from it."""
    sources = re.findall(r"<<<\w+ (\d+)( suspicious)?\n(.*?)\n\w+>>>", messages[-1].content, re.DOTALL)
    sentences = [
        {"text": plain(text.split("\n", 1)[-1])[:80], "citations": [int(number)]}
        for number, mark, text in sources
        if not mark
    ]
    return json.dumps({"title": "Of the sources", "sentences": sentences[:4]})


class Kept:
    """Reports that are kept up with a world, with or without a model."""

    def __init__(self, *, with_model: bool) -> None:
        self.reports = InMemoryReports()
        self.observer = CountedReports()
        self.answers = InMemoryAnswers()
        self._with_model = with_model
        self.model = ScriptedModel(echoed)

    async def follow(self, world: ReportWorld) -> Mapping[CommunityId, Report]:
        """Bring the reports to what the world is now, and return them."""
        self.reports.put_units(TENANT, units_of(world))
        self.answers.put_units(TENANT, units_of(world))
        reporting = Reporting(TENANT, self.reports, self.observer)
        await reporting.refresh(world.materials())
        if self._with_model:
            tokens = InMemoryTokens(TokenLimits(), lambda: NOON)
            asking = Asking(TENANT, self.model, self.answers, tokens, fence=lambda: "fence")
            await reporting.improve(world.materials(), ModelReports(asking))
        return {report.community: report for report in await self.reports.all(TENANT)}

    async def delete(self, units: set[UnitId]) -> None:
        """Do what the ledger does when units go."""
        self.reports.delete_units(TENANT, units)
        await self.answers.forget(TENANT, units)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans())
def test_after_any_changes_the_reports_are_those_of_a_fresh_ingest(data: st.DataObject, with_model: bool) -> None:
    async def run() -> None:
        world = ReportWorld(topics={topic: {} for topic in TOPICS}, terms=TERMS, divided=True)
        world.topics["storage"]["a.md"] = [data.draw(PARAGRAPH)]
        kept, names = Kept(with_model=with_model), count()
        await kept.follow(world)
        for _ in range(data.draw(st.integers(1, 5))):
            before = units_of(world)
            for _ in range(data.draw(st.integers(1, 3))):
                change(data, world, names)
            if data.draw(st.booleans()):
                await kept.delete(before - units_of(world))

            assert await kept.follow(world) == await Kept(with_model=with_model).follow(world)

    asyncio.run(run())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_citation_is_the_place_of_what_is_quoted_after_any_changes(data: st.DataObject) -> None:
    async def run() -> None:
        world, kept, names = small_world(), Kept(with_model=False), count()
        world.divided = True
        await kept.follow(world)
        for _ in range(data.draw(st.integers(1, 4))):
            change(data, world, names)
        for report in (await kept.follow(world)).values():
            for sentence in report.sentences:
                for citation in sentence.citations:
                    text = world.text(citation.document)
                    assert plain(text[citation.span.start : citation.span.end]) == sentence.text

    asyncio.run(run())


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_only_what_changed_is_made_anew(data: st.DataObject) -> None:
    """As many reports are made as there are digests or wordings below that were not there before."""

    async def run() -> None:
        world, kept, names = small_world(), Kept(with_model=False), count()
        world.divided = True
        before = {(one.digest, one.basis) for one in (await kept.follow(world)).values()}
        change(data, world, names)

        after = {(one.digest, one.basis) for one in (await kept.follow(world)).values()}

        assert kept.observer.rounds[-1].made == len(after - before)

    asyncio.run(run())


def test_an_insertion_at_the_top_of_a_document_moves_citations_and_touches_no_other_community() -> None:
    async def run() -> None:
        world, kept = small_world(), Kept(with_model=False)
        world.divided = True
        paragraphs = world.topics["storage"]["iceberg.md"]
        paragraphs[:] = ["A first passage.", "A manifest lists files, so that readers skip most."]
        odd = [int(unit_of("iceberg.md", text)[-1], 16) % 2 for text in paragraphs]
        assert odd == [1, 0]
        before = await kept.follow(world)
        paragraphs[0] = "Here is another and longer even passage."
        assert int(unit_of("iceberg.md", paragraphs[0])[-1], 16) % 2 == 1

        after = await kept.follow(world)

        figures = kept.observer.rounds[-1]
        assert (figures.made, figures.moved, figures.kept) == (3, 1, 5)
        moved = world.community("iceberg.md")
        assert after[moved] != before[moved]
        assert after[moved].sentences[0].text == before[moved].sentences[0].text

    asyncio.run(run())


def test_an_interrupted_round_goes_on_where_it_was() -> None:
    async def run() -> None:
        world, kept = small_world(), Kept(with_model=False)
        whole = await kept.follow(world)
        top = world.community("all")
        await kept.reports.apply(TENANT, (), [top])

        assert await kept.follow(world) == whole
        assert kept.observer.rounds[-1].made == 1

    asyncio.run(run())


def test_a_deleted_passage_takes_every_report_that_stood_on_it_and_leaves_no_word_behind() -> None:
    async def run() -> None:
        world, kept = small_world(), Kept(with_model=True)
        await kept.follow(world)
        secret = "The zanzibar lens leaks."
        world.topics["storage"]["lens.md"].append(secret)
        await kept.follow(world)
        assert "zanzibar" in repr(await kept.reports.all(TENANT))
        world.topics["storage"]["lens.md"].pop()

        await kept.delete({unit_of("lens.md", secret)})

        left = await kept.reports.all(TENANT)
        assert "zanzibar" not in repr((left, kept.answers.kept))
        assert {one.community for one in left} == {
            world.community(name) for name in ("iceberg.md", "cedar.md", "opal.md", "policy")
        }
        assert "zanzibar" not in repr(await kept.follow(world))

    asyncio.run(run())


def test_a_report_that_was_made_too_late_for_a_deletion_is_not_kept() -> None:
    """A round reads the graph when it begins; what is deleted meanwhile must not come back by it."""

    async def run() -> None:
        world, kept = small_world(), Kept(with_model=False)
        materials = world.materials()
        kept.reports.put_units(TENANT, units_of(world))
        gone = unit_of("opal.md", world.topics["policy"]["opal.md"][0])
        kept.reports.delete_units(TENANT, {gone})

        await Reporting(TENANT, kept.reports, kept.observer).refresh(materials)

        left = {one.community for one in await kept.reports.all(TENANT)}
        assert left == {world.community(name) for name in ("iceberg.md", "lens.md", "storage", "cedar.md")}

    asyncio.run(run())


def test_a_report_whose_ground_was_worded_anew_is_made_anew_even_if_a_round_ended_in_between() -> None:
    async def run() -> None:
        world, kept = small_world(), Kept(with_model=True)
        before = await kept.follow(world)
        leaf = before[world.community("lens.md")]
        await kept.reports.apply(TENANT, [replace(leaf, title="Worded anew")], ())

        after = await kept.follow(world)

        changed = {community for community, report in after.items() if report.basis != before[community].basis}
        assert changed == {world.community("storage")}

    asyncio.run(run())


def test_what_one_model_refused_is_asked_of_another_and_of_itself_no_more() -> None:
    async def run() -> None:
        world, kept = small_world(), Kept(with_model=True)
        kept.model = ScriptedModel(lambda _: ModelAnswer(text="", finish=Finish.REFUSED, tokens=1), name="prim")
        assert {one.instead for one in (await kept.follow(world)).values()} == {Instead.REFUSED}
        await kept.follow(world)
        assert len(kept.model.asked) == 7
        assert kept.observer.rounds[-1].made == 0

        kept.model = ScriptedModel(echoed, name="bold")

        assert {one.made_by for one in (await kept.follow(world)).values()} == {"model:bold"}

    asyncio.run(run())
