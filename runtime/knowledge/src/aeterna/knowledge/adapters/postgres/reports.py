"""Reports in PostgreSQL, which stand on units that the same database has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.knowledge.adapters.postgres.derived import gone, hold
from aeterna.knowledge.adapters.postgres.report_json import report_of, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.adapters.postgres.transactions import Statements, Transactions
    from aeterna.knowledge.domain.communities import CommunityId
    from aeterna.knowledge.domain.reports import Report


class PostgresReports:
    """A `Reports` and a `ReportsReader` in PostgreSQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def version(self, tenant: TenantId) -> str:
        """See `ReportsReader.version`."""

        async def work(statements: Statements) -> str:
            rows = await statements.rows("reports_version")
            return "".join(f"{incarnation}:{version}" for version, incarnation in rows)

        return await self._transactions.run(tenant, work)

    async def all(self, tenant: TenantId) -> tuple[Report, ...]:
        """See `Reports.all`."""

        async def work(statements: Statements) -> tuple[Report, ...]:
            return tuple(report_of(text) for (text,) in await statements.rows("all_reports"))

        return await self._transactions.run(tenant, work)

    async def read(self, tenant: TenantId, communities: Collection[CommunityId]) -> Mapping[CommunityId, Report]:
        """See `Reports.read`."""

        async def work(statements: Statements) -> Mapping[CommunityId, Report]:
            rows = await statements.rows("some_reports", communities=list(communities))
            found = {community: report_of(text) for community, text in rows}
            return {community: found[community] for community in communities if community in found}

        return await self._transactions.run(tenant, work)

    async def apply(self, tenant: TenantId, put: Sequence[Report], removed: Collection[CommunityId]) -> None:
        """See `Reports.apply`."""

        async def work(statements: Statements) -> None:
            await hold(statements)
            await statements.do("remove_reports", communities=[*removed, *(report.community for report in put)])
            if put:
                await _write(statements, put)
                units = await gone(statements, {one.unit for report in put for one in report.evidence})
                await statements.do("remove_standing_on", units=list(units))
                while await statements.do("remove_above_nothing"):
                    pass
            await statements.do("move_reports")

        await self._transactions.run(tenant, work)


async def _write(statements: Statements, put: Sequence[Report]) -> None:
    await statements.do(
        "write_reports",
        communities=[report.community for report in put],
        digests=[report.digest for report in put],
        reports=[text_of(report) for report in put],
    )
    beneath = [(child, report.community) for report in put for child in report.children]
    if beneath:
        children, communities = (list(column) for column in zip(*beneath, strict=True))
        await statements.do("write_beneath", children=children, communities=communities)
    evidence = [(one.unit, report.community, one.document) for report in put for one in report.evidence]
    if evidence:
        units, communities, documents = (list(column) for column in zip(*evidence, strict=True))
        await statements.do("write_evidence", units=units, communities=communities, documents=documents)
