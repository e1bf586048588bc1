"""Answers a broad question from the reports on communities: chosen from the top down, read within a budget."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.answers import Answer, SearchLimits, Trace
from aeterna.knowledge.domain.extracted_answers import Candidate, extracted
from aeterna.knowledge.domain.report_trees import selected
from aeterna.knowledge.usecases.deadlines import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.communities import CommunityId
    from aeterna.knowledge.domain.documents import UnitId
    from aeterna.knowledge.domain.queries import Query
    from aeterna.knowledge.domain.report_trees import ReportTree
    from aeterna.knowledge.usecases.report_shelf import ReportShelf

MAX_RATED: Final = 2_000


class GlobalAnswers:
    """Answers from reports alone; whoever wants the raw text opens what a sentence cites."""

    def __init__(self, shelf: ReportShelf, *, stopwatch: Callable[[], float]) -> None:
        self._shelf = shelf
        self._stopwatch = stopwatch

    async def answer(self, tenant: TenantId, query: Query, *, limits: SearchLimits | None = None) -> Answer:
        """Return sentences of the chosen reports, with the citations that they have there."""
        limits = limits or SearchLimits()
        deadline = Deadline.after(limits.seconds, self._stopwatch)
        tree = await self._shelf.tree(tenant)
        return await asyncio.to_thread(_answered, tree, query, limits, deadline)


def _answered(tree: ReportTree, query: Query, limits: SearchLimits, deadline: Deadline) -> Answer:
    selection = selected(tree, query, most=MAX_RATED, stop=lambda: deadline.passed)
    candidates: list[Candidate] = []
    read: list[CommunityId] = []
    tokens = 0
    for rank, community in enumerate(selection.chosen, start=1):
        report = tree.reports[community]
        if tokens + report.tokens > limits.tokens:
            continue
        tokens += report.tokens
        read.append(community)
        candidates += (Candidate(sentence=sentence, rank=rank) for sentence in report.sentences)
    sentences = extracted(query, candidates, limits)
    units: dict[UnitId, None] = dict.fromkeys(cited.unit for each in sentences for cited in each.citations)
    trace = Trace(
        rated=selection.rated,
        chosen=tuple(read),
        units=tuple(units),
        tokens=tokens,
        cut_short=deadline.passed or len(read) < len(selection.chosen) or len(selection.rated) >= MAX_RATED,
    )
    return Answer(sentences=sentences, evidence=(), trace=trace)
