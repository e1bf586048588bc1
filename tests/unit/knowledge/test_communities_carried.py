"""After a small change communities are found from the earlier ones, as good as new, and keep their names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.graph.domain.identifiers import NodeId
from aeterna.knowledge.adapters.communities.detector import IgraphCommunityDetector
from aeterna.knowledge.domain.communities import Parameters, Topology
from aeterna.knowledge.domain.hierarchies import differing, earlier_of
from aeterna.knowledge.domain.naming import named
from fixtures.community_graphs import CLASSIC, converged_modularity, edges_moved, grown, require_lawful, topology_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.knowledge.domain.communities import Hierarchy

DEFAULT: Final = Parameters()
_edges = st.lists(
    st.tuples(st.integers(0, 24), st.integers(0, 24), st.sampled_from([0.5, 1.0, 2.0])), min_size=1, max_size=90
)


def _found(topology: Topology) -> Hierarchy:
    return IgraphCommunityDetector().detect(topology, DEFAULT)


def _found_from(before: Topology, hierarchy: Hierarchy, now: Topology) -> Hierarchy:
    earlier = earlier_of(before, [level.community for level in hierarchy.levels], now)
    return IgraphCommunityDetector().detect(now, DEFAULT, earlier=earlier)


def _without(topology: Topology, node: int) -> Topology:
    kept = (topology.sources != node) & (topology.targets != node)
    return Topology(
        ids=topology.ids[:node] + topology.ids[node + 1 :],
        sources=topology.sources[kept] - (topology.sources[kept] > node),
        targets=topology.targets[kept] - (topology.targets[kept] > node),
        weights=topology.weights[kept],
    )


def _partitions(hierarchy: Hierarchy) -> list[list[int]]:
    return [level.community.tolist() for level in hierarchy.levels]


@pytest.mark.parametrize("make", CLASSIC.values(), ids=list(CLASSIC))
def test_a_graph_that_did_not_change_keeps_its_hierarchy(make: Callable[[], Topology]) -> None:
    topology = make()
    hierarchy = _found(topology)

    again = _found_from(topology, hierarchy, topology)

    before = named(hierarchy, topology.ids, None, seq=1)
    after = named(again, topology.ids, before, seq=2)
    assert again.quality >= hierarchy.quality - 1e-9
    # The coarsest level is gone over once more, and may get better.
    kept = [before.mappings()[-1][node] == after.mappings()[-1][node] for node in topology.ids]
    assert np.mean(kept) >= 0.9


@pytest.mark.parametrize("make", CLASSIC.values(), ids=list(CLASSIC))
def test_what_is_found_from_earlier_communities_is_as_good(make: Callable[[], Topology]) -> None:
    before = make()
    now = edges_moved(before, 0.02, seed=1)

    hierarchy = _found_from(before, _found(before), now)

    require_lawful(now, hierarchy)
    assert hierarchy.quality >= converged_modularity(now) - 0.01


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nine_in_ten_members_keep_their_community_when_one_edge_in_a_hundred_moves(seed: int) -> None:
    """At every level, with changes anywhere: worse than documents that change, whose edges are beside each other."""
    before = grown(6_000, 30_000, seed)
    now = edges_moved(before, 0.01, seed)
    hierarchy = _found(before)

    later = _found_from(before, hierarchy, now)

    names = named(hierarchy, before.ids, None, seq=1)
    names_later = named(later, now.ids, names, seq=2)
    for then, there in zip(names.mappings(), names_later.mappings(), strict=False):
        assert np.mean([there[node] == then[node] for node in before.ids]) >= 0.9


def test_a_hub_that_goes_takes_its_community_apart() -> None:
    chains = [(1 + 3 * arm + step, 2 + 3 * arm + step, 1.0) for arm in range(4) for step in range(2)]
    star = [(0, 1 + 3 * arm, 1.0) for arm in range(4)]
    before = topology_of(13, [*star, *chains])
    now = _without(before, 0)

    hierarchy = _found_from(before, _found(before), now)

    require_lawful(now, hierarchy)
    assert int(hierarchy.levels[0].community.max()) + 1 == 4


def test_a_new_node_joins_those_that_it_is_joined_to() -> None:
    before = CLASSIC["ring of cliques"]()
    size = len(before.ids)
    now = Topology(
        ids=(*before.ids, NodeId("node 999999")),
        sources=np.concatenate([before.sources, np.full(5, size)]),
        targets=np.concatenate([before.targets, np.arange(5)]),
        weights=np.concatenate([before.weights, np.ones(5)]),
    )

    hierarchy = _found_from(before, _found(before), now)

    finest = hierarchy.levels[-1].community
    assert finest[size] == finest[0]


def test_the_same_earlier_communities_give_the_same_hierarchy() -> None:
    before = grown(3_000, 12_000, seed=4)
    now = edges_moved(before, 0.02, seed=1)
    hierarchy = _found(before)

    assert _partitions(_found_from(before, hierarchy, now)) == _partitions(_found_from(before, hierarchy, now))


@settings(max_examples=60, deadline=None)
@given(before=_edges, now=_edges, gone=st.integers(0, 24))
def test_whatever_changed_the_hierarchy_is_lawful(
    before: list[tuple[int, int, float]], now: list[tuple[int, int, float]], gone: int
) -> None:
    first, second = topology_of(25, before), _without(topology_of(25, now), gone)

    hierarchy = _found_from(first, _found(first), second)

    require_lawful(second, hierarchy)


def test_edges_differ_that_are_new_gone_or_weigh_otherwise_and_neighbours_of_what_is_gone_are_named_twice() -> None:
    before = topology_of(5, [(0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 4, 1), (0, 2, 1), (2, 2, 1)])
    now = _without(topology_of(5, [(1, 0, 1), (1, 2, 2), (0, 3, 1), (0, 2, 0.5), (2, 0, 0.5)]), 4)

    one, other = differing(before, now)

    assert sorted(zip(one.tolist(), other.tolist(), strict=True)) == [(0, 3), (1, 2), (2, 3), (3, 3)]


def test_the_order_of_edges_makes_no_difference() -> None:
    before = grown(500, 2_000, seed=1)
    order = np.random.default_rng(1).permutation(len(before.weights))
    now = replace(before, sources=before.targets[order], targets=before.sources[order], weights=before.weights[order])

    assert [len(side) for side in differing(before, now)] == [0, 0]
