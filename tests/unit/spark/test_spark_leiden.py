"""Communities: as good as the reference's, and the same for the same graph."""

from __future__ import annotations

from typing import Any

import igraph
import pytest

from aeterna.spark.adapters.leiden import communities

LIBRARY: Any = igraph  # Any: igraph ships no types


def karate() -> list[tuple[str, str, float]]:
    """Return Zachary's karate club, whose best partition is known."""
    return [(f"n{edge.source}", f"n{edge.target}", 1.0) for edge in LIBRARY.Graph.Famous("Zachary").es]


def test_the_karate_club_is_parted_as_well_as_it_can_be() -> None:
    """Brandes et al. (2008) proved 0.4198 to be the highest modularity."""
    assert communities([], karate()).modularity == pytest.approx(0.4198, abs=5e-5)


def test_the_order_of_the_edges_does_not_change_the_communities() -> None:
    shuffled = karate()
    shuffled.reverse()

    assert communities([], shuffled) == communities([], karate())


def test_a_heavy_edge_holds_its_ends_together() -> None:
    square = [("a", "b", 9.0), ("b", "c", 1.0), ("c", "d", 9.0), ("d", "a", 1.0)]

    found = communities([], square).of

    assert found["a"] == found["b"] != found["c"] == found["d"]


def test_parallel_edges_count_with_the_sum_of_their_weights() -> None:
    parallel = [("a", "b", 4.0), ("b", "a", 5.0), ("b", "c", 1.0), ("d", "c", 9.0), ("d", "a", 1.0)]
    single = [("a", "b", 9.0), ("b", "c", 1.0), ("c", "d", 9.0), ("d", "a", 1.0)]

    assert communities([], parallel) == communities([], single)


def test_the_largest_community_is_number_nought_and_a_lonely_node_has_its_own() -> None:
    found = communities(["z", "lonely"], [("a", "b", 1.0), ("b", "c", 1.0), ("c", "a", 1.0), ("y", "z", 1.0)])

    assert found.of == {"a": 0, "b": 0, "c": 0, "y": 1, "z": 1, "lonely": 2}


def test_a_graph_without_edges_has_no_modularity() -> None:
    found = communities(["b", "a"], [("a", "a", 1.0)])

    assert (found.of, found.modularity) == ({"a": 0, "b": 1}, None)
