"""What every store of memberships keeps to: each moment shows what the run before it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.knowledge.adapters.postgres.memberships import PostgresMemberships
from aeterna.knowledge.adapters.postgres.transactions import Transactions
from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.memberships import Run
from aeterna.knowledge.testing.memberships import InMemoryMemberships
from fixtures.fix_knowledge import ACME, GLOBEX, MOMENT

if TYPE_CHECKING:
    from aeterna.knowledge.ports import Memberships
    from aeterna.postgres.pool import Pool

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["fake", "postgres"])
def memberships(request: pytest.FixtureRequest) -> Memberships:
    """Return memberships, in memory and in a real database."""
    if request.param == "fake":
        return InMemoryMemberships()
    pool: Pool = request.getfixturevalue("knowledge_pool")
    return PostgresMemberships(Transactions(pool))


def run(seq: int, *levels: str) -> Run:
    """Return a run whose levels are told as in ``"a:1 b:1"``."""
    return Run(
        seq=seq,
        at=MOMENT,
        drift=10 * seq,
        levels=tuple(
            {node: CommunityId(community) for node, community in (pair.split(":") for pair in level.split())}
            for level in levels
        ),
    )


FIRST = run(3, "a:1 b:1 c:2", "a:1x b:1y")
SECOND = run(7, "a:1 b:2 d:2")
THIRD = run(9, "a:1 b:1 d:2", "a:1x b:1x d:2")


async def test_each_moment_shows_what_the_run_before_it_found(memberships: Memberships) -> None:
    """Nodes come, go and move, and levels do."""
    for each in (FIRST, SECOND, THIRD):
        assert await memberships.record(ACME, each)

    found = [await memberships.run(ACME, seq=seq) for seq in (2, 3, 6, 7, 8, 9, 99)]

    assert found == [None, FIRST, FIRST, SECOND, SECOND, THIRD, THIRD]
    assert await memberships.run(ACME) == THIRD


async def test_a_run_that_is_late_is_not_recorded(memberships: Memberships) -> None:
    await memberships.record(ACME, SECOND)

    recorded = [await memberships.record(ACME, late) for late in (FIRST, SECOND)]

    assert (recorded, await memberships.run(ACME)) == ([False, False], SECOND)


async def test_a_node_is_asked_for_its_communities_the_coarsest_first(memberships: Memberships) -> None:
    await memberships.record(ACME, FIRST)
    await memberships.record(ACME, SECOND)

    assert await memberships.communities_of(ACME, "b", seq=5) == ("1", "1y")
    assert await memberships.communities_of(ACME, "b") == ("2",)
    assert await memberships.communities_of(ACME, "none") == ()


async def test_a_community_is_asked_for_its_members(memberships: Memberships) -> None:
    await memberships.record(ACME, FIRST)
    await memberships.record(ACME, THIRD)

    assert await memberships.members_of(ACME, CommunityId("1"), seq=5) == ("a", "b")
    assert await memberships.members_of(ACME, CommunityId("2")) == ("d",)


async def test_another_tenants_run_is_not_there(memberships: Memberships) -> None:
    await memberships.record(ACME, FIRST)

    recorded = await memberships.record(GLOBEX, run(1, "a:9"))

    assert recorded
    assert await memberships.run(ACME) == FIRST
    assert await memberships.communities_of(GLOBEX, "a") == ("9",)


async def test_one_at_a_time_runs_for_a_tenant(memberships: Memberships) -> None:
    async with (
        memberships.running(ACME) as first,
        memberships.running(ACME) as second,
        memberships.running(GLOBEX) as other,
    ):
        pass
    async with memberships.running(ACME) as again:
        pass

    assert (first, second, other, again) == (True, False, True, True)
