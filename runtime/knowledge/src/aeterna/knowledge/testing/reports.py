"""Reports kept in memory."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from aeterna.knowledge.domain.report_plans import standing_on

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.communities import CommunityId
    from aeterna.knowledge.domain.documents import UnitId
    from aeterna.knowledge.domain.regenerated import Regenerated
    from aeterna.knowledge.domain.reports import Report


class InMemoryReports:
    """A `Reports`; ``writes`` counts what was put, over its whole life."""

    def __init__(self) -> None:
        self._held: dict[TenantId, dict[CommunityId, Report]] = defaultdict(dict)
        self._gone: dict[TenantId, set[UnitId]] = defaultdict(set)
        self.writes = 0

    async def all(self, tenant: TenantId) -> tuple[Report, ...]:
        """See `Reports.all`."""
        return tuple(self._held[tenant].values())

    async def read(self, tenant: TenantId, communities: Collection[CommunityId]) -> Mapping[CommunityId, Report]:
        """See `Reports.read`."""
        return {one: self._held[tenant][one] for one in communities if one in self._held[tenant]}

    async def apply(self, tenant: TenantId, put: Sequence[Report], removed: Collection[CommunityId]) -> None:
        """See `Reports.apply`."""
        held = {one: report for one, report in self._held[tenant].items() if one not in frozenset(removed)}
        held |= {report.community: report for report in put}
        late = standing_on(held.values(), self._gone[tenant])
        digests = {report.digest for report in held.values()}
        late |= {one.community for one in put if not digests.issuperset(one.children)}
        self._held[tenant] = {one: report for one, report in held.items() if one not in late}
        self.writes += len(put)

    def put_units(self, tenant: TenantId, units: Collection[UnitId]) -> None:
        """Note that these units are there, be it again."""
        self._gone[tenant] -= set(units)

    def delete_units(self, tenant: TenantId, units: Collection[UnitId]) -> None:
        """Take units away and all that stands on them, as the ledger does."""
        self._gone[tenant] |= set(units)
        for community in standing_on(self._held[tenant].values(), units):
            del self._held[tenant][community]


class CountedReports:
    """A `ReportObserver` that remembers the rounds."""

    def __init__(self) -> None:
        self.rounds: list[Regenerated] = []

    def regenerated(self, tenant: TenantId, figures: Regenerated) -> None:
        """See `ReportObserver.regenerated`."""
        del tenant
        self.rounds.append(figures)
