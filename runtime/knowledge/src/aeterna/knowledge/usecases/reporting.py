"""Keeps one report for each community: makes anew what changed, and lets a model improve it afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.extractive import ReportBudget, extractive
from aeterna.knowledge.domain.regenerated import Regenerated
from aeterna.knowledge.domain.report_digests import digest_of
from aeterna.knowledge.domain.report_plans import planned, standing_on, stands
from aeterna.knowledge.domain.reports import Instead, Report

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.communities import CommunityId
    from aeterna.knowledge.domain.documents import UnitId
    from aeterna.knowledge.domain.report_plans import Outline
    from aeterna.knowledge.domain.reports import Material
    from aeterna.knowledge.ports import Materials, ReportObserver, Reports, ReportWriter

_BATCH: Final = 64


class Reporting:
    """One tenant's reports. Rounds of the same tenant follow each other; whoever schedules them sees to it.

    Each batch is kept as soon as it is made, so that a round that ended early goes on where it was when it is begun
    again.
    """

    def __init__(
        self,
        tenant: TenantId,
        reports: Reports,
        observer: ReportObserver,
        *,
        budget: ReportBudget | None = None,
        calls_at_once: int = 4,
    ) -> None:
        self._tenant = tenant
        self._reports = reports
        self._observer = observer
        self._budget = budget or ReportBudget()
        self._calls_at_once = calls_at_once

    async def refresh(self, materials: Materials) -> Regenerated:
        """Bring the reports to the communities of now, without a model: what did not change is not touched.

        What stands on a passage that is gone goes before anything is made.
        """
        old = await self._reports.all(self._tenant)
        outlines = await asyncio.to_thread(lambda: tuple(materials.outlines()))
        plan = await asyncio.to_thread(planned, old, outlines)
        await self._reports.apply(self._tenant, plan.moved, {*plan.gone, *_fallen(old, outlines)})
        children = {outline.community: outline.children for outline in outlines}
        made = 0
        for wave in plan.made:
            for batch in _batches(wave):
                whole = await self._whole(materials, batch, children)
                reports = await asyncio.to_thread(self._extracted, whole)
                await self._reports.apply(self._tenant, reports, ())
                made += len(reports)
        figures = Regenerated(kept=len(plan.kept), moved=len(plan.moved), made=made, gone=len(plan.gone))
        self._observer.regenerated(self._tenant, figures)
        return figures

    async def improve(self, materials: Materials, writer: ReportWriter) -> Regenerated:
        """Have reports written that a model has not written yet; `refresh` comes before.

        A level begins when the one below is done, since it is made of that one's wording.
        """
        old = await self._reports.all(self._tenant)
        outlines = await asyncio.to_thread(lambda: tuple(materials.outlines()))
        plan = await asyncio.to_thread(lambda: planned(old, outlines, made_by=writer.made_by))
        children = {outline.community: outline.children for outline in outlines}
        made, kept, instead = list[Report](), len(plan.kept), Counter[Instead]()
        for wave in plan.made:
            for batch in _batches(wave):
                whole = await self._whole(materials, batch, children)
                held = await self._reports.read(self._tenant, batch)
                due = [one for one in whole if not _is_done(one, held.get(one.community), writer)]
                written = await self._written(due, writer)
                changed = [one for one in written if one != held.get(one.community)]
                await self._reports.apply(self._tenant, changed, ())
                made += changed
                instead.update(one.instead for one in written if one.instead is not None)
                kept += len(batch) - len(changed)
        improved = sum(one.made_by == writer.made_by for one in made)
        figures = Regenerated(kept=kept, moved=0, made=len(made), gone=0, improved=improved, instead=instead)
        self._observer.regenerated(self._tenant, figures)
        return figures

    async def forget(self, units: Collection[UnitId]) -> frozenset[CommunityId]:
        """Take away every report that stands on one of these units, and return whose they were."""
        fallen = standing_on(await self._reports.all(self._tenant), units)
        if fallen:
            await self._reports.apply(self._tenant, (), fallen)
        return fallen

    async def _whole(
        self,
        materials: Materials,
        communities: Sequence[CommunityId],
        children: dict[CommunityId, tuple[CommunityId, ...]],
    ) -> list[Material]:
        below = await self._reports.read(self._tenant, {child for one in communities for child in children[one]})
        own = await asyncio.to_thread(lambda: [materials.material(one) for one in communities])
        # Where a report below was taken away meanwhile, what it stood on is gone, and the next round knows of it.
        whole = (one for one in own if all(child in below for child in children[one.community]))
        return [replace(one, children=tuple(below[child] for child in children[one.community])) for one in whole]

    def _extracted(self, materials: Sequence[Material]) -> list[Report]:
        return [extractive(one, self._budget) for one in materials]

    async def _written(self, due: Sequence[Material], writer: ReportWriter) -> list[Report]:
        turn = asyncio.Semaphore(self._calls_at_once)

        async def write(material: Material) -> Report:
            async with turn:
                return await writer.write(material)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(write(one)) for one in due]
        return [task.result() for task in tasks]


def _is_done(material: Material, report: Report | None, writer: ReportWriter) -> bool:
    return report is not None and stands(report, digest_of(material), material.children, made_by=writer.made_by)


def _fallen(old: Sequence[Report], outlines: Sequence[Outline]) -> frozenset[CommunityId]:
    present = {unit for outline in outlines for unit in outline.places}
    return standing_on(old, {one.unit for report in old for one in report.evidence if one.unit not in present})


def _batches(communities: Sequence[CommunityId]) -> Iterator[Sequence[CommunityId]]:
    for first in range(0, len(communities), _BATCH):
        yield communities[first : first + _BATCH]
