"""Whoever keeps reports in memory sees by one number whether they are still those of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.knowledge.adapters.postgres.reports import PostgresReports
from aeterna.knowledge.adapters.postgres.transactions import Transactions
from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import DocumentId, UnitId
from aeterna.knowledge.domain.entries import Author, Change
from aeterna.knowledge.domain.reports import Evidence, MaterialDigest, Report
from fixtures.fix_knowledge import ACME, GLOBEX, MOMENT, PostgresWhole, record

if TYPE_CHECKING:
    from aeterna.postgres.pool import Pool

pytestmark = pytest.mark.anyio
ADA = Author(subject="ada", at=MOMENT)
ONE = CommunityId("one")
REPORT = Report(
    community=ONE,
    level=0,
    digest=MaterialDigest("d"),
    title="One",
    sentences=(),
    made_by="extractive",
    tokens=1,
    evidence=(Evidence(unit=UnitId("u"), document=DocumentId("doc"), start=0),),
)


async def test_the_version_moves_with_every_report_that_comes_or_goes_and_with_nothing_else(
    postgres_ledger: PostgresWhole, knowledge_pool: Pool
) -> None:
    reports = PostgresReports(Transactions(knowledge_pool))
    seen = [await reports.version(ACME)]

    await postgres_ledger.change(ACME, Change(author=ADA, put=(record("doc", "x", nodes={"unit:u": "u"}),)))
    await reports.apply(ACME, [REPORT], [])
    seen.append(await reports.version(ACME))
    await postgres_ledger.change(ACME, Change(author=ADA, put=(record("other", "x"),)))
    await reports.apply(GLOBEX, [REPORT], [])
    assert await reports.version(ACME) == seen[-1]
    await postgres_ledger.change(ACME, Change(author=ADA, removed=(DocumentId("doc"),)))
    seen.append(await reports.version(ACME))

    assert len(set(seen)) == 3
    assert await reports.all(ACME) == ()
