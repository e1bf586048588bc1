"""Answers a question about something in particular: from the passages that speak of it, and what is around it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aeterna.knowledge.domain.answers import Answer, SearchLimits
from aeterna.knowledge.domain.extracted_answers import candidates_of, extracted

if TYPE_CHECKING:
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.snapshots import AsOf
    from aeterna.knowledge.domain.queries import Query
    from aeterna.knowledge.usecases.ranking import Ranking
    from aeterna.knowledge.usecases.report_shelf import ReportShelf


class LocalAnswers:
    """Answers from evidence, and names the reports that the same evidence is in."""

    def __init__(self, ranking: Ranking, shelf: ReportShelf) -> None:
        self._ranking = ranking
        self._shelf = shelf

    async def answer(
        self,
        tenant: TenantId,
        query: Query,
        *,
        limits: SearchLimits | None = None,
        as_of: AsOf | None = None,
        at_least: int = 0,
    ) -> Answer:
        """Return sentences with their places, the evidence they are of, and which communities it belongs to."""
        limits = limits or SearchLimits()
        found = await self._ranking.ranked(tenant, query, limits=limits, as_of=as_of, at_least=at_least)
        tree = await self._shelf.tree(tenant)
        communities = dict.fromkeys(community for unit in found.trace.units for community in tree.by_unit.get(unit, ()))
        return Answer(
            sentences=extracted(query, candidates_of(found.evidence), limits),
            evidence=found.evidence,
            trace=replace(found.trace, chosen=tuple(communities)[: limits.candidates]),
        )
