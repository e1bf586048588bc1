"""What every `Retention` does with holds and orders of erasure, the fake and the real one alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.service.hash_chain import broken_at
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_retention import PostgresRetention
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.erasure import ErasureState, Target
from aeterna.threads.domain.holds import Hold
from aeterna.threads.errors import ErasureConflictError, ErasureNotFoundError, HoldNotFoundError, LegalHoldError
from aeterna.threads.testing import FakeRetention

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.threads.ports import Retention

pytestmark = pytest.mark.anyio

ACME, OTHER = TenantId("acme"), TenantId("other")
ID, ANOTHER = UUID(int=1), UUID(int=2)
ADA, BOB = Target(subject="ada"), Target(subject="bob")
AT: Final = datetime(2026, 11, 1, tzinfo=UTC)


def hold(hold_id: str = "case-1", *, subject: str | None = "ada", reason: str = "discovery") -> Hold:
    """Return a hold."""
    return Hold(hold_id=hold_id, thread_id=None, subject=subject, reason=reason, placed_by="counsel", placed_at=AT)


@pytest.fixture(params=["fake", "postgres"])
async def retention(request: pytest.FixtureRequest) -> AsyncGenerator[Retention]:
    """Return each in turn, empty."""
    if request.param == "fake":
        yield FakeRetention()
        return
    async with connection_pool(request.getfixturevalue("database"), Limits(), DATABASE.names) as pool:
        yield PostgresRetention(pool)


async def test_holds_are_listed_by_id_and_by_tenant(retention: Retention) -> None:
    await retention.place(ACME, hold("b"))
    await retention.place(ACME, hold("a"))
    await retention.place(OTHER, hold("c"))

    assert await retention.holds(ACME) == (hold("a"), hold("b"))


async def test_placing_a_hold_again_keeps_who_placed_it_first(retention: Retention) -> None:
    await retention.place(ACME, hold())

    again = await retention.place(
        ACME,
        Hold(
            **{name: getattr(hold(), name) for name in ("hold_id", "thread_id", "subject", "reason")},
            placed_by="another",
            placed_at=datetime(2027, 1, 1, tzinfo=UTC),
        ),
    )

    assert (again, await retention.holds(ACME)) == (hold(), (hold(),))


async def test_another_hold_of_the_same_id_replaces_it(retention: Retention) -> None:
    await retention.place(ACME, hold())

    await retention.place(ACME, hold(subject=None))

    assert await retention.holds(ACME) == (hold(subject=None),)


async def test_a_hold_is_released_once_and_by_its_own_tenant(retention: Retention) -> None:
    await retention.place(ACME, hold())
    with pytest.raises(HoldNotFoundError):
        await retention.release(OTHER, "case-1", by="counsel")

    await retention.release(ACME, "case-1", by="counsel")

    with pytest.raises(HoldNotFoundError):
        await retention.release(ACME, "case-1", by="counsel")


@pytest.mark.parametrize("held", [hold(), hold(subject=None)], ids=["the subject", "everything"])
async def test_what_is_held_is_not_erased(retention: Retention, held: Hold) -> None:
    await retention.place(ACME, held)

    with pytest.raises(LegalHoldError):
        await retention.order(ACME, ID, ADA, by="officer")

    assert await retention.erasures(ACME, limit=10) == ()


async def test_a_tenant_is_not_erased_while_anything_of_it_is_held(retention: Retention) -> None:
    await retention.place(ACME, hold())

    with pytest.raises(LegalHoldError):
        await retention.order(ACME, ID, Target(tenant=True), by="officer")


async def test_a_hold_of_one_tenant_is_nothing_to_another(retention: Retention) -> None:
    await retention.place(OTHER, hold(subject=None))

    assert (await retention.order(ACME, ID, ADA, by="officer")).state is ErasureState.PENDING


async def test_an_order_is_kept_without_the_name(retention: Retention) -> None:
    ordered = await retention.order(ACME, ID, ADA, by="officer")

    assert (ordered.scope, ordered.target_digest, ordered.ordered_by) == ("subject", ADA.digest(ID), "officer")
    assert await retention.erasure(ACME, ID) == ordered


async def test_the_same_order_again_is_the_same_erasure(retention: Retention) -> None:
    ordered = await retention.order(ACME, ID, ADA, by="officer")

    assert await retention.order(ACME, ID, ADA, by="another") == ordered


async def test_an_id_stands_for_one_target(retention: Retention) -> None:
    await retention.order(ACME, ID, ADA, by="officer")

    for other in (BOB, Target(thread_id=ThreadId("ada")), Target(tenant=True)):
        with pytest.raises(ErasureConflictError):
            await retention.order(ACME, ID, other, by="officer")


async def test_an_erasure_of_another_tenant_is_not_found(retention: Retention) -> None:
    await retention.order(ACME, ID, ADA, by="officer")

    with pytest.raises(ErasureNotFoundError):
        await retention.erasure(OTHER, ID)


async def test_the_newest_erasure_is_listed_first(retention: Retention) -> None:
    await retention.order(ACME, ID, ADA, by="officer")
    await retention.order(ACME, ANOTHER, BOB, by="officer")

    assert [erasure.erasure_id for erasure in await retention.erasures(ACME, limit=10)] == [ANOTHER, ID]


async def test_every_order_is_in_the_chain_of_its_tenant(retention: Retention) -> None:
    await retention.place(ACME, hold("case-2", subject="bob"))
    await retention.release(ACME, "case-2", by="judge")
    await retention.order(ACME, ID, Target(subject="ada"), by="ada")
    await retention.place(OTHER, hold())

    records = await retention.audit(ACME, after=0, limit=10)

    assert [(record.number, record.record["event"], record.record["by"]) for record in records] == [
        (1, "hold_placed", "counsel"),
        (2, "hold_released", "judge"),
        (3, "erasure_ordered", "erased"),
    ]
    assert broken_at((record.record, record.hash) for record in records) is None
    assert await retention.audit(ACME, after=2, limit=1) == records[2:]
