"""How often the evidence for a question is found without any model, in this project's documentation as a real graph."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from aeterna.knowledge.adapters.graph_reader import LensGraphReader
from aeterna.knowledge.domain.answers import SearchLimits
from aeterna.knowledge.domain.queries import query_of
from aeterna.knowledge.usecases.ranking import Ranking
from fixtures.docs_graph import DOCS, TENANT, docs_graphs
from fixtures.knowledge_questions import QUESTIONS, UNTUNED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aeterna.graph.usecases.graphs import Graphs
    from aeterna.knowledge.domain.answers import Ranked
    from fixtures.knowledge_questions import Asked

_FOUND = 0.9
_FOUND_UNTUNED = 0.7


@pytest.fixture(scope="module")
def documentation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graphs]:
    """Give graphs that have the documentation."""
    graphs = docs_graphs(tmp_path_factory.mktemp("docs"))
    yield graphs
    graphs.close()


@pytest.fixture(scope="module")
def answers(documentation: Graphs) -> list[Ranked]:
    """Give what is found for each question."""
    return _found(documentation, QUESTIONS)


def _found(documentation: Graphs, questions: Sequence[Asked]) -> list[Ranked]:
    ranking = Ranking(LensGraphReader(documentation), stopwatch=time.monotonic)
    patient = SearchLimits(seconds=60.0)  # a busy machine is not to decide what is found

    async def all_of_them() -> list[Ranked]:
        return [await ranking.ranked(TENANT, query_of(each.question), limits=patient) for each in questions]

    return asyncio.run(all_of_them())


def test_the_ten_best_passages_hold_the_known_evidence_of_nine_questions_in_ten(answers: list[Ranked]) -> None:
    missed = _missed(QUESTIONS, answers)

    assert len(missed) <= (1 - _FOUND) * len(QUESTIONS), missed


def test_questions_that_nothing_was_tuned_for_find_theirs_in_seven_of_ten(documentation: Graphs) -> None:
    missed = _missed(UNTUNED, _found(documentation, UNTUNED))

    assert len(missed) <= (1 - _FOUND_UNTUNED) * len(UNTUNED), missed


def _missed(questions: Sequence[Asked], answers: list[Ranked]) -> list[str]:
    return [
        asked.question
        for asked, found in zip(questions, answers, strict=True)
        if not any(asked.answered_by(each.passage.document, each.passage.text) for each in found.evidence)
    ]


def test_evidence_is_bounded_and_opens_where_it_says(answers: list[Ranked]) -> None:
    for found in answers:
        assert len(found.evidence) <= 10
        assert found.trace.tokens <= 4_000
        for each in found.evidence:
            page = (DOCS / each.passage.document).read_text()
            assert all(page[one.span.start : one.span.end] == one.text for one in each.units)
            assert each.citation.unit in {one.unit for one in each.units}


def test_the_same_question_is_answered_the_same_twice(documentation: Graphs, answers: list[Ranked]) -> None:
    ranking = Ranking(LensGraphReader(documentation), stopwatch=time.monotonic)

    again = asyncio.run(ranking.ranked(TENANT, query_of(QUESTIONS[0].question), limits=SearchLimits(seconds=60.0)))

    assert again == answers[0]


def test_every_question_has_its_answer_in_the_documentation() -> None:
    """A question whose evidence is gone would only make the others look worse."""
    lost = [
        asked.question
        for asked in (*QUESTIONS, *UNTUNED)
        if not asked.answered_by(asked.file, (DOCS / asked.file).read_text(encoding="utf-8"))
    ]

    assert len(QUESTIONS) >= 60
    assert lost == []
