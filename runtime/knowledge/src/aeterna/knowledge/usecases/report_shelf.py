"""Keeps the reports of the tenants that ask, read to be searched, for as long as they are the present ones."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.report_trees import ReportTree, tree_of

if TYPE_CHECKING:
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.documents import UnitId
    from aeterna.knowledge.domain.reports import Report
    from aeterna.knowledge.ports import ReportsReader

MAX_TENANTS: Final = 16


class ReportShelf:
    """Trees of reports by tenant. Each question asks whether its tree is still the present one."""

    def __init__(self, reports: ReportsReader) -> None:
        self._reports = reports
        self._trees: OrderedDict[TenantId, tuple[str, ReportTree]] = OrderedDict()

    async def tree(self, tenant: TenantId) -> ReportTree:
        """Return the tenant's reports as they are now."""
        version = await self._reports.version(tenant)
        kept = self._trees.get(tenant)
        if kept is None or kept[0] != version:
            # What was deleted is not kept while it is made anew.
            self._trees.pop(tenant, None)
            kept = version, await asyncio.to_thread(tree_of, await self._reports.all(tenant))
            self._trees[tenant] = kept
        self._trees.move_to_end(tenant)
        while len(self._trees) > MAX_TENANTS:
            self._trees.popitem(last=False)
        return kept[1]

    async def mentioning(self, tenant: TenantId, unit: UnitId) -> tuple[Report, ...]:
        """Return the reports that stand on a unit, those of the coarsest level first."""
        tree = await self.tree(tenant)
        return tuple(tree.reports[community] for community in tree.by_unit.get(unit, ()))
