"""Communities are found anew when that is due, from what is on record, and never by two at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from aeterna.graph.domain.changes import edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import TenantId
from aeterna.knowledge.adapters.communities.detector import IgraphCommunityDetector
from aeterna.knowledge.adapters.graph_topologies import OpenTopologies
from aeterna.knowledge.domain.dirtiness import Thresholds
from aeterna.knowledge.testing.memberships import InMemoryMemberships
from aeterna.knowledge.testing.topologies import InMemoryTopologies
from aeterna.knowledge.usecases.clustering import Clustering
from fixtures.community_graphs import edges_moved, grown

if TYPE_CHECKING:
    from aeterna.graph.domain.topologies import Topology
    from aeterna.knowledge.domain.memberships import Run
    from fixtures.fix_graph import GraphBench

pytestmark = pytest.mark.anyio

ACME: Final = TenantId("acme")
GLOBEX: Final = TenantId("globex")
NOW: Final = datetime(2026, 11, 23, tzinfo=UTC)
FIRST: Final = grown(600, 3_000, seed=1)


class World:
    """Graphs and memberships in memory, and who finds communities between them."""

    def __init__(self) -> None:
        self.topologies = InMemoryTopologies()
        self.memberships = InMemoryMemberships()
        self.clustering = Clustering(
            topologies=self.topologies,
            memberships=self.memberships,
            detector=IgraphCommunityDetector(),
            clock=lambda: NOW,
            thresholds=Thresholds(edges=20, share=0.0, whole_share=0.1),
        )

    def shows(self, seq: int, topology: Topology, tenant: TenantId = ACME) -> None:
        """Bring a tenant's graph to a state."""
        self.topologies.states.setdefault(tenant, {})[seq] = topology

    async def recorded(self, tenant: TenantId = ACME) -> Run:
        """Return the newest run."""
        run = await self.memberships.run(tenant)
        assert run is not None
        return run


async def test_the_first_run_finds_everything_and_the_next_has_nothing_to_do() -> None:
    world = World()
    world.shows(5, FIRST)

    done = [(await world.clustering.run(ACME)).outcome for _ in range(2)]

    run = await world.recorded()
    assert done == ["everything", "none"]
    assert (run.seq, run.at, run.drift) == (5, NOW, 0)
    assert all(set(level) == set(FIRST.ids) for level in run.levels)


async def test_a_few_changes_wait_and_count_until_they_are_enough() -> None:
    world = World()
    world.shows(5, FIRST)
    await world.clustering.run(ACME)
    few = edges_moved(FIRST, 0.004, seed=1)
    world.shows(6, few)

    waits = await world.clustering.run(ACME)
    world.shows(7, edges_moved(few, 0.01, seed=2))
    runs = await world.clustering.run(ACME)

    assert (waits.outcome, runs.outcome) == ("none", "changed")
    assert waits.edges_changed < 20 < runs.edges_changed
    assert (await world.recorded()).drift == runs.edges_changed


async def test_most_members_keep_their_community_and_what_moved_is_counted() -> None:
    world = World()
    world.shows(5, FIRST)
    await world.clustering.run(ACME)
    before = await world.recorded()
    world.shows(6, edges_moved(FIRST, 0.02, seed=1))

    done = await world.clustering.run(ACME)

    after = await world.recorded()
    stayed = [
        [there.get(node) == then[node] for node in FIRST.ids]
        for then, there in zip(before.levels, after.levels, strict=False)
    ]
    assert np.mean(stayed) >= 0.9
    assert done.moved == sum(not stays for level in stayed for stays in level) + sum(
        len(level) for level in after.levels[len(before.levels) :]
    )


async def test_what_drifted_for_long_is_found_from_nothing() -> None:
    world = World()
    topology = FIRST
    world.shows(1, topology)
    outcomes: list[str] = [(await world.clustering.run(ACME)).outcome]
    for seq in range(2, 8):
        topology = edges_moved(topology, 0.03, seed=seq)
        world.shows(seq, topology)
        outcomes.append((await world.clustering.run(ACME)).outcome)

    assert outcomes[:2] == ["everything", "changed"]
    assert "everything" in outcomes[2:]
    again = 2 + outcomes[2:].index("everything")
    assert outcomes[1:again] == ["changed"] * (again - 1)


async def test_everything_is_found_when_it_is_asked_for_or_the_last_state_is_gone() -> None:
    world = World()
    world.shows(5, FIRST)
    await world.clustering.run(ACME)
    world.shows(6, edges_moved(FIRST, 0.01, seed=1))

    asked = await world.clustering.run(ACME, whole=True)
    del world.topologies.states[ACME][6]
    world.shows(7, edges_moved(FIRST, 0.001, seed=1))
    gone = await world.clustering.run(ACME)

    assert (asked.outcome, gone.outcome) == ("everything", "everything")


async def test_everything_is_found_when_nodes_were_erased_from_the_state_on_record() -> None:
    world = World()
    world.shows(5, FIRST)
    await world.clustering.run(ACME)
    smaller = grown(500, 2_500, seed=1)
    world.shows(5, smaller)
    world.shows(6, edges_moved(smaller, 0.02, seed=1))

    done = await world.clustering.run(ACME)

    assert done.outcome == "everything"
    assert (await world.recorded()).drift == 0


async def test_of_two_at_once_one_is_told_that_the_other_is_at_it() -> None:
    world = World()
    world.shows(5, FIRST)

    async with world.memberships.running(ACME):
        done = await world.clustering.run(ACME)

    assert done.outcome == "busy"
    assert await world.memberships.run(ACME) is None


async def test_a_run_leaves_other_tenants_as_they_were() -> None:
    world = World()
    world.shows(5, FIRST)
    world.shows(5, grown(100, 400, seed=2), GLOBEX)
    await world.clustering.run(GLOBEX)
    before = await world.recorded(GLOBEX)

    await world.clustering.run(ACME)

    assert await world.recorded(GLOBEX) == before


async def test_communities_of_a_real_graph_follow_it(iceberg_bench: GraphBench) -> None:
    graphs = iceberg_bench.graphs()
    nodes = [node_of(id_, "T") for id_ in "abcdef"]
    triangles = [edge_of(one, "t", other) for one, other in ("ab", "bc", "ca", "de", "ef", "fd")]
    first = graphs.of(ACME).commit(session_of("1", subject="ada", nodes=nodes, edges=triangles))
    memberships = InMemoryMemberships()
    clustering = Clustering(
        topologies=OpenTopologies(graphs),
        memberships=memberships,
        detector=IgraphCommunityDetector(),
        clock=lambda: NOW,
        thresholds=Thresholds(edges=1, share=0.0, whole_share=9.0),
    )
    await clustering.run(ACME)
    bridge = [edge_of(one, "u", other, {"weight": 50}) for one, other in ("ad", "be", "cf")]
    graphs.of(ACME).commit(session_of("2", subject="ada", edges=bridge))

    done = await clustering.run(ACME)

    then = await memberships.run(ACME, seq=first.seq)
    now = await memberships.run(ACME)
    assert done.outcome == "changed"
    assert then is not None
    assert now is not None
    assert then.levels[0]["a"] == then.levels[0]["c"] != then.levels[0]["d"]
    assert now.levels[0]["a"] == now.levels[0]["d"] != now.levels[0]["b"]
