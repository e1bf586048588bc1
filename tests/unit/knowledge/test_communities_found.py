"""Communities are as good as the reference's, connected, nested, small enough, and always the same ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.knowledge.adapters.communities.connecting import connected
from aeterna.knowledge.adapters.communities.detector import IgraphCommunityDetector
from aeterna.knowledge.adapters.communities.weighted import weighted
from aeterna.knowledge.domain.communities import Parameters, Quality
from fixtures.community_graphs import (
    CLASSIC,
    best_division,
    converged_modularity,
    grown,
    modularity,
    require_lawful,
    topology_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.knowledge.domain.communities import Hierarchy, Topology

DEFAULT: Final = Parameters()
_weights = st.sampled_from([1e-300, 1e-9, 0.5, 1.0, 2.0, 3.0, 1e9, 1e300])
_graphs = st.integers(1, 40).flatmap(
    lambda size: st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1), _weights), max_size=120).map(
        lambda edges: topology_of(size, edges)
    )
)


def _found(topology: Topology, parameters: Parameters = DEFAULT) -> Hierarchy:
    return IgraphCommunityDetector().detect(topology, parameters)


def _partitions(hierarchy: Hierarchy) -> list[list[int]]:
    return [level.community.tolist() for level in hierarchy.levels]


@pytest.mark.parametrize("make", CLASSIC.values(), ids=list(CLASSIC))
def test_modularity_is_that_of_leidenalg_when_it_has_converged(make: Callable[[], Topology]) -> None:
    topology = make()

    hierarchy = _found(topology)

    assert hierarchy.quality >= converged_modularity(topology) - 0.01
    assert hierarchy.quality == pytest.approx(modularity(topology, hierarchy.levels[0].community))


@pytest.mark.parametrize("make", CLASSIC.values(), ids=list(CLASSIC))
def test_levels_are_nested_connected_and_end_in_communities_that_are_small_or_one_piece(
    make: Callable[[], Topology],
) -> None:
    topology = make()

    hierarchy = _found(topology)

    require_lawful(topology, hierarchy)
    finest = hierarchy.levels[-1].community
    large = [number for number, size in enumerate(np.bincount(finest).tolist()) if size > DEFAULT.max_size]
    # Nothing to be gained by dividing it, for the reference either.
    assert [best_division(topology, np.flatnonzero(finest == number)) for number in large] == pytest.approx(
        [0.0] * len(large), abs=0.02
    )


@pytest.mark.parametrize("cap", [2, 5, 25])
def test_the_cap_is_kept_wherever_a_division_is_better_than_none(cap: int) -> None:
    topology = grown(1_000, 4_000, seed=1)

    finest = _found(topology, Parameters(max_size=cap)).levels[-1].community

    large = np.flatnonzero(np.bincount(finest) > cap).tolist()
    assert [best_division(topology, np.flatnonzero(finest == number)) for number in large] == pytest.approx(
        [0.0] * len(large), abs=0.02
    )


def test_of_twelve_nodes_in_a_chain_no_ten_stay_together() -> None:
    finest = _found(topology_of(12, [(node, node + 1, 1.0) for node in range(11)])).levels[-1].community

    assert np.bincount(finest).max() <= DEFAULT.max_size


def test_a_graph_that_is_small_enough_has_one_level() -> None:
    hierarchy = _found(topology_of(4, [(0, 1, 1), (2, 3, 1)]))

    assert _partitions(hierarchy) == [[0, 0, 1, 1]]


def test_levels_end_at_the_most_that_are_asked_for() -> None:
    assert len(_found(grown(2_000, 8_000, seed=1), Parameters(max_levels=2)).levels) == 2


@pytest.mark.parametrize("make", [CLASSIC["les miserables"], lambda: grown(12_000, 60_000, seed=1)])
def test_the_same_seed_gives_the_same_hierarchy_in_whatever_order_edges_come(make: Callable[[], Topology]) -> None:
    topology = make()
    order = np.random.default_rng(3).permutation(len(topology.weights))
    shuffled = replace(
        topology,
        sources=topology.targets[order],
        targets=topology.sources[order],
        weights=topology.weights[order],
    )

    assert _partitions(_found(topology)) == _partitions(_found(shuffled))


def test_another_seed_may_give_another_hierarchy() -> None:
    topology = CLASSIC["preferential attachment"]()

    assert _partitions(_found(topology)) != _partitions(_found(topology, Parameters(seed=2)))


def test_planted_communities_are_found_in_a_large_graph() -> None:
    """Of 60,000 edges each level is left after two iterations."""
    topology = grown(12_000, 60_000, seed=1)

    hierarchy = _found(topology)

    assert hierarchy.quality >= converged_modularity(topology) - 0.01
    assert len(hierarchy.levels) >= 3


@pytest.mark.parametrize(
    ("law", "topology", "levels"),
    [
        ("nothing has no communities", topology_of(0, []), []),
        ("a node alone is one", topology_of(1, []), [[0]]),
        ("nodes without edges are one each", topology_of(3, []), [[0, 1, 2]]),
        ("an edge to itself joins nothing", topology_of(2, [(0, 0, 9), (1, 1, 9)]), [[0, 1]]),
        ("edges either way and several times are one", topology_of(3, [(0, 1, 1), (1, 0, 1), (0, 1, 1)]), [[0, 0, 1]]),
        ("a star has no division", topology_of(300, [(0, leaf, 1.0) for leaf in range(1, 300)]), [[0] * 300]),
        ("huge weights count", topology_of(4, [(0, 1, 1e308), (1, 2, 1e290), (2, 3, 1e308)]), [[0, 0, 1, 1]]),
        ("tiny weights count", topology_of(4, [(0, 1, 1e-308), (1, 2, 5e-324), (2, 3, 1e-308)]), [[0, 0, 1, 1]]),
    ],
)
def test_odd_graphs(law: str, topology: Topology, levels: list[list[int]]) -> None:
    assert _partitions(_found(topology)) == levels, law


def test_multiple_edges_weigh_together() -> None:
    many = topology_of(4, [(0, 1, 1), (0, 1, 1), (1, 0, 1), (1, 2, 1), (2, 3, 3)])
    one = topology_of(4, [(0, 1, 3), (1, 2, 1), (2, 3, 3)])

    assert _found(many).quality == pytest.approx(_found(one).quality)


@settings(max_examples=60, deadline=None)
@given(topology=_graphs, seed=st.integers(0, 5), cap=st.integers(1, 12))
def test_whatever_the_graph_its_hierarchy_is_lawful(topology: Topology, seed: int, cap: int) -> None:
    parameters = Parameters(max_size=cap, seed=seed)

    hierarchy = _found(topology, parameters)

    require_lawful(topology, hierarchy)
    assert _partitions(hierarchy) == _partitions(_found(topology, parameters))


def test_a_community_in_two_pieces_is_two_at_each_level() -> None:
    """Such as Leiden may leave behind when it is stopped early."""
    graph = weighted(topology_of(5, [(0, 1, 1), (1, 2, 1), (3, 4, 1)]))

    levels = connected(graph, [np.array([0, 0, 0, 0, 0]), np.array([0, 1, 0, 2, 2])])

    assert [level.tolist() for level in levels] == [[0, 0, 0, 1, 1], [0, 1, 2, 3, 3]]


@pytest.mark.parametrize("quality", get_args(Quality))
def test_every_quality_finds_the_cliques_of_a_ring(quality: Quality) -> None:
    topology = CLASSIC["ring of cliques"]()

    hierarchy = _found(topology, Parameters(quality=quality, resolution=0.5 if quality == "cpm" else 1.0))

    require_lawful(topology, hierarchy)
    finest = hierarchy.levels[-1].community.reshape(12, 7)
    assert (finest == finest[:, :1]).all()


@pytest.mark.parametrize("quality", ["modularity", "cpm", "rber"])
def test_a_higher_resolution_gives_more_communities(quality: Quality) -> None:
    topology = CLASSIC["planted partition"]()

    few, many = (
        int(_found(topology, Parameters(quality=quality, resolution=value)).levels[0].community.max())
        for value in (0.05, 2.0)
    )

    assert few < many
