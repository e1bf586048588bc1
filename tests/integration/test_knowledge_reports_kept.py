"""Reports, a model's answers and its budget in a real database, from documents that come and go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from aeterna.knowledge.adapters.documents.files import DocumentFiles
from aeterna.knowledge.adapters.postgres.ledger import PostgresLedger
from aeterna.knowledge.adapters.postgres.models import PostgresAnswers, PostgresTokens
from aeterna.knowledge.adapters.postgres.reports import PostgresReports
from aeterna.knowledge.adapters.postgres.transactions import Transactions
from aeterna.knowledge.domain.budgets import TokenLimits
from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import DocumentId, Upload
from aeterna.knowledge.domain.entries import Author, Change, record_of
from aeterna.knowledge.domain.materials import GraphMaterials
from aeterna.knowledge.testing.models import ScriptedModel
from aeterna.knowledge.testing.reports import CountedReports
from aeterna.knowledge.usecases.asking import Asking
from aeterna.knowledge.usecases.gathering import units_of
from aeterna.knowledge.usecases.reading import entry_of
from aeterna.knowledge.usecases.reporting import Reporting
from aeterna.knowledge.usecases.writing import ModelReports
from fixtures.fix_knowledge import ACME, GLOBEX, MOMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.knowledge.domain.regenerated import Regenerated
    from aeterna.postgres.pool import Pool

pytestmark = pytest.mark.anyio
AUTHOR = Author(subject="ada", at=MOMENT)
ANSWER = json.dumps({"title": "Moon", "sentences": [{"text": "The moon pulls the tides.", "citations": [1]}]})


class Shelf:
    """Documents and reports of one tenant; each document is a community, and one stands above them all."""

    def __init__(self, pool: Pool, files: DocumentFiles) -> None:
        own = Transactions(pool)
        self._files = files
        self.ledger = PostgresLedger(own)
        self.reports = PostgresReports(own)
        self.model = ScriptedModel(lambda _: ANSWER)
        self._answers = PostgresAnswers(own)
        self._tokens = PostgresTokens(own, TokenLimits(), lambda: MOMENT)
        self._reporting = Reporting(ACME, self.reports, CountedReports())

    async def put(self, name: str, text: str) -> None:
        """Take a document."""
        entry = entry_of(self._files, Upload(id=DocumentId(name), content=text.encode(), name=name))
        await self.ledger.change(ACME, Change(author=AUTHOR, put=(record_of(entry),)))

    async def delete(self, name: str) -> None:
        """Take a document away."""
        await self.ledger.change(ACME, Change(author=AUTHOR, removed=(DocumentId(name),)))

    async def round(self) -> Regenerated:
        """Bring the reports up to date, and have the model improve them."""
        units = await units_of(self.ledger, ACME)
        finest = {f"unit:{unit.id}": CommunityId(f"of {unit.document}") for unit in units}
        materials = GraphMaterials([], [], [dict.fromkeys(finest, CommunityId("top")), finest], units)
        await self._reporting.refresh(materials)
        asking = Asking(ACME, self.model, self._answers, self._tokens, fence=lambda: "fence")
        return await self._reporting.improve(materials, ModelReports(asking))

    async def said(self) -> dict[str, str]:
        """Return who made the report on each community."""
        return {report.community: report.made_by for report in await self.reports.all(ACME)}


@pytest.fixture
def files() -> Iterator[DocumentFiles]:
    """Return a reader."""
    made = DocumentFiles()
    yield made
    made.close()


async def test_reports_follow_documents_that_come_change_and_go(knowledge_pool: Pool, files: DocumentFiles) -> None:
    shelf = Shelf(knowledge_pool, files)
    await shelf.put("moon.md", "The moon pulls the tides of the sea.")
    await shelf.put("sun.md", "The sun pulls the tides less than the moon does.")
    assert (await shelf.round()).improved == 3
    assert (await shelf.round()).made == 0
    assert len(shelf.model.asked) == 3

    await shelf.delete("sun.md")

    assert await shelf.said() == {"of moon.md": "model:scripted"}
    await shelf.put("sun.md", "The sun pulls the tides less than the moon does.")
    assert (await shelf.round()).improved == 2
    assert set((await shelf.said()).values()) == {"model:scripted"}
    assert len(shelf.model.asked) == 5
    assert await shelf.reports.all(GLOBEX) == ()


async def test_a_document_that_is_replaced_leaves_no_word_of_its_reports_behind(
    knowledge_database: str, knowledge_pool: Pool, files: DocumentFiles
) -> None:
    shelf = Shelf(knowledge_pool, files)
    shelf.model = ScriptedModel(lambda _: ANSWER.replace("the tides", "the zanzibar tides"))
    await shelf.put("moon.md", "The moon pulls the zanzibar tides.")
    await shelf.round()
    assert all("zanzibar" in rows for rows in await everything(knowledge_database, "reports", "answers"))

    await shelf.put("moon.md", "The moon pulls the tides.")

    assert "zanzibar" not in "".join(await everything(knowledge_database, "reports", "evidence", "answers", "beneath"))
    shelf.model = ScriptedModel(lambda _: ANSWER)
    assert (await shelf.round()).improved == 2


async def everything(dsn: str, *tables: str) -> list[str]:
    """Return all that tables hold, read as one whom no row is hidden from."""
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        found: list[str] = []
        for table in tables:
            rows = await connection.execute(sql.SQL("SELECT * FROM knowledge.{}").format(sql.Identifier(table)))
            found.append(repr(await rows.fetchall()))
        return found
