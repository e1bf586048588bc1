"""A question that would need too much time or memory is stopped, and the lens goes on answering."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from aeterna.graph.adapters.lens.arrow_lens import ArrowLens
from aeterna.graph.domain.changes import edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.questions.patterns import edge_pattern, node_pattern, pattern
from aeterna.graph.domain.questions.relatedness import related_query
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import QueryTimeoutError, QueryTooLargeError
from fixtures.fix_graph import batch_of

NAMES: Final = [f"n{place}" for place in range(80)]
# Every walk over five nodes of a graph in which each is joined to each: three thousand million rows to sort.
ENDLESS: Final = pattern(
    [node_pattern(name) for name in "abcde"],
    [edge_pattern(one, other) for one, other in zip("abcd", "bcde", strict=True)],
    returns=["e.id"],
    order=[("c.properties.x", False)],
)
SMALL: Final = pattern([node_pattern("a", ids=["n1"]), node_pattern("b")], [edge_pattern("a", "b")], count=True)


def _dense(memory_limit: str) -> ArrowLens:
    lens = ArrowLens(stopwatch=time.monotonic, memory_limit=memory_limit)
    edges = [edge_of(one, "t", other) for one in NAMES for other in NAMES]
    batch = batch_of(session_of("1", subject="ada", nodes=[node_of(name, "K") for name in NAMES], edges=edges))
    lens.apply(batch.rows, Snapshot(id=SnapshotId(1), first_seq=1, last_seq=1, committed_at=batch.committed_at))
    return lens


def test_a_pattern_is_interrupted_when_its_time_is_up() -> None:
    lens = _dense("4GB")

    with pytest.raises(QueryTimeoutError), lens.view(timedelta(seconds=0.3)) as view:
        view.matches(ENDLESS)

    with lens.view(timedelta(minutes=1)) as view:
        assert view.matches(SMALL).count == len(NAMES)


def test_a_pattern_that_needs_too_much_memory_says_how_to_narrow_it() -> None:
    lens = _dense("64MB")

    with pytest.raises(QueryTooLargeError, match="narrow it by kinds"), lens.view(timedelta(minutes=1)) as view:
        view.matches(ENDLESS)

    with lens.view(timedelta(minutes=1)) as view:
        assert view.matches(SMALL).count == len(NAMES)


def test_the_busiest_neighbours_are_left_out_when_there_is_too_much_to_look_at() -> None:
    """The team of two tells more than a hub of twenty, and costs less."""
    lens = ArrowLens(stopwatch=time.monotonic)
    crowd = [f"c{place}" for place in range(20)]
    edges = [edge_of(one, "t", "team") for one in ("one", "two")]
    edges += [edge_of(one, "t", "hub") for one in ("one", "two", *crowd)]
    nodes = [node_of(id_, "K") for id_ in ("one", "two", "team", "hub", *crowd)]
    batch = batch_of(session_of("1", subject="ada", nodes=nodes, edges=edges))
    lens.apply(batch.rows, Snapshot(id=SnapshotId(1), first_seq=1, last_seq=1, committed_at=batch.committed_at))

    with lens.view(timedelta(minutes=1)) as view:
        bounded = view.related(replace(related_query("one"), steps=10))
        whole = view.related(related_query("one", limit=1))

    assert ([(node.id, node.shared) for node in bounded.nodes], bounded.hubs) == ([("two", 1)], 1)
    assert ([(node.id, node.shared) for node in whole.nodes], whole.hubs) == ([("two", 2)], 0)
