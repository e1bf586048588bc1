"""What every store of reports and answers keeps to: nothing outlives a unit that it stands on."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import pytest

from aeterna.knowledge.adapters.postgres.database import DATABASE
from aeterna.knowledge.adapters.postgres.ledger import PostgresLedger
from aeterna.knowledge.adapters.postgres.models import PostgresAnswers, PostgresTokens
from aeterna.knowledge.adapters.postgres.reports import PostgresReports
from aeterna.knowledge.adapters.postgres.transactions import Transactions
from aeterna.knowledge.domain.budgets import TokenLimits
from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import DocumentId, Span, UnitId
from aeterna.knowledge.domain.entries import Author, Change
from aeterna.knowledge.domain.models import KeptAnswer
from aeterna.knowledge.domain.reports import Citation, Evidence, Instead, MaterialDigest, Report, Sentence
from aeterna.knowledge.testing.models import InMemoryAnswers, InMemoryTokens
from aeterna.knowledge.testing.reports import InMemoryReports
from aeterna.postgres.pool import connection_pool
from fixtures.fix_knowledge import ACME, GLOBEX, KNOWLEDGE_LIMITS, MOMENT, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.ports import AnswerCache, Reports, TokenLedger

pytestmark = pytest.mark.anyio
ADA = Author(subject="ada", at=MOMENT)
LIMITS = TokenLimits(window=100, day=150)


class World(Protocol):
    """Stores, and the units that they stand on."""

    @property
    def reports(self) -> Reports: ...
    @property
    def answers(self) -> AnswerCache: ...
    @property
    def tokens(self) -> TokenLedger: ...

    async def put(self, *units: str) -> None:
        """Let units be there, each of them a document of its own."""
        ...

    async def delete(self, *units: str) -> None:
        """Take them away."""
        ...


@dataclass(frozen=True, slots=True)
class FakeWorld:
    """All in memory."""

    reports: InMemoryReports
    answers: InMemoryAnswers
    tokens: InMemoryTokens

    async def put(self, *units: str) -> None:
        self.reports.put_units(ACME, list(map(UnitId, units)))
        self.answers.put_units(ACME, list(map(UnitId, units)))

    async def delete(self, *units: str) -> None:
        self.reports.delete_units(ACME, list(map(UnitId, units)))
        await self.answers.forget(ACME, list(map(UnitId, units)))


@dataclass(frozen=True, slots=True)
class PostgresWorld:
    """All in one database, of which the ledger takes units away."""

    ledger: PostgresLedger
    reports: PostgresReports
    answers: PostgresAnswers
    tokens: PostgresTokens

    async def put(self, *units: str) -> None:
        records = tuple(record(f"of-{unit}", "x", nodes={f"unit:{unit}": unit}) for unit in units)
        await self.ledger.change(ACME, Change(author=ADA, put=records))

    async def delete(self, *units: str) -> None:
        await self.ledger.change(ACME, Change(author=ADA, removed=tuple(DocumentId(f"of-{unit}") for unit in units)))


@pytest.fixture(params=["fake", "postgres"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Return the stores, in memory and in a real database, with the units a and b."""
    async with AsyncExitStack() as stack:
        if request.param == "fake":
            made: World = FakeWorld(InMemoryReports(), InMemoryAnswers(), InMemoryTokens(LIMITS, lambda: MOMENT))
        else:
            dsn: str = request.getfixturevalue("knowledge_database")
            pool = await stack.enter_async_context(connection_pool(dsn, KNOWLEDGE_LIMITS, DATABASE.names))
            own = Transactions(pool)
            made = PostgresWorld(
                PostgresLedger(own),
                PostgresReports(own),
                PostgresAnswers(own),
                PostgresTokens(own, LIMITS, lambda: MOMENT),
            )
        await made.put("a", "b")
        yield made


def report(community: str, *units: str, children: tuple[str, ...] = ()) -> Report:
    """Return a report of a material that is called like its community."""
    document = DocumentId("of-a")
    cited = tuple(Citation(document=document, unit=UnitId(unit), span=Span(start=1, end=5)) for unit in units)
    return Report(
        community=CommunityId(community),
        level=0 if children else 1,
        digest=MaterialDigest(f"digest of {community}"),
        title='A "title" of\0 \ud800 a model',
        sentences=(Sentence(text="It says so.", citations=cited),),
        made_by="model:scripted",
        tokens=7,
        evidence=tuple(Evidence(unit=UnitId(unit), document=document, start=0) for unit in units),
        children=tuple(MaterialDigest(f"digest of {child}") for child in children),
        basis="basis",
        instead=Instead.BUDGET,
        suspicious=cited,
    )


async def communities(reports: Reports, tenant: TenantId = ACME) -> set[str]:
    """Return which communities have a report."""
    return {one.community for one in await reports.all(tenant)}


async def test_a_report_comes_back_as_it_was_put(world: World) -> None:
    whole = report("top", "a", children=("low",))
    await world.reports.apply(ACME, [report("low", "a"), whole], [])

    assert await world.reports.read(ACME, [CommunityId("top"), CommunityId("none")]) == {"top": whole}


async def test_reports_take_the_place_of_those_before_and_others_go(world: World) -> None:
    await world.reports.apply(ACME, [report("one", "a"), report("two", "a")], [])
    newer = replace(report("one", "b"), tokens=9)

    await world.reports.apply(ACME, [newer], [CommunityId("two"), CommunityId("none")])

    assert await world.reports.all(ACME) == (newer,)


async def test_a_report_goes_with_a_unit_that_it_stands_on_and_all_above_it_go_too(world: World) -> None:
    """One above may repeat what it read below without saying whence."""
    low = [report("low-a", "a"), report("low-b", "b")]
    await world.reports.apply(
        ACME, [*low, report("mid", "b", children=("low-a",)), report("top", "b", children=("mid", "low-b"))], []
    )

    await world.delete("a")

    assert await communities(world.reports) == {"low-b"}


async def test_a_report_that_was_made_too_late_is_left_out(world: World) -> None:
    """Its unit went while it was being made, or one below it did."""
    await world.delete("a")

    await world.reports.apply(
        ACME, [report("late", "a"), report("above", "b", children=("late",)), report("good", "b")], []
    )

    assert await communities(world.reports) == {"good"}


async def test_a_report_on_a_unit_that_came_back_is_kept(world: World) -> None:
    await world.delete("a")
    await world.put("a")

    await world.reports.apply(ACME, [report("one", "a")], [])

    assert await communities(world.reports) == {"one"}


async def test_another_tenants_reports_and_answers_are_not_there(world: World) -> None:
    await world.reports.apply(ACME, [report("one", "a")], [])
    await world.answers.put(ACME, "key", KeptAnswer(text="yes", units=frozenset({UnitId("a")})))

    assert await communities(world.reports, GLOBEX) == set()
    assert await world.answers.get(GLOBEX, "key") is None


async def test_an_answer_comes_back_as_it_was_kept_last(world: World) -> None:
    kept = KeptAnswer(text="ye\0s \ud800", instead=Instead.REFUSED, units=frozenset({UnitId("a"), UnitId("b")}))
    await world.answers.put(ACME, "key", KeptAnswer(text="no"))
    await world.answers.put(ACME, "key", kept)

    assert await world.answers.get(ACME, "key") == kept


async def test_answers_go_with_any_unit_that_they_were_asked_about_or_where_that_is_not_known(world: World) -> None:
    for key, units in (("a", {"a"}), ("ab", {"a", "b"}), ("b", {"b"}), ("none", set[str]())):
        await world.answers.put(ACME, key, KeptAnswer(text=key, units=frozenset(map(UnitId, units))))

    await world.delete("a")

    assert [key for key in ("a", "ab", "b", "none") if await world.answers.get(ACME, key)] == ["b"]


async def test_an_answer_about_a_unit_that_is_gone_is_not_kept(world: World) -> None:
    await world.delete("a")

    await world.answers.put(ACME, "key", KeptAnswer(text="yes", units=frozenset({UnitId("a")})))

    assert await world.answers.get(ACME, "key") is None


async def test_tokens_are_set_aside_up_to_the_limit_and_given_back(world: World) -> None:
    first = await world.tokens.reserve(ACME, 80)
    second = await world.tokens.reserve(ACME, 30)
    others = await world.tokens.reserve(GLOBEX, 30)
    assert first is not None
    await world.tokens.settle(ACME, first, 10)

    third = await world.tokens.reserve(ACME, 90)

    assert (second, others is not None, third is not None) == (None, True, True)
