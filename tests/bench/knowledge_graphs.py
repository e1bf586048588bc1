"""Graphs of a million edges whose communities are measured: one planted, one as documents make it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from knowledge_steps import Edges, Floats, Ints

SURPLUS: Final = 1.5  # edges are drawn with repetitions, which count once


def nested(nodes: int = 100_000, edges: int = 1_000_000, seed: int = 1) -> Edges:
    """Return communities of 12, 120 and 1,200 nodes within each other, and degrees with a long tail."""
    chances = np.random.default_rng(seed)
    order = chances.permutation(nodes)
    pull = np.minimum((1 - chances.random(nodes)) ** (-1 / 1.5), 200.0)
    reach = np.concatenate([[0.0], np.cumsum(pull)])
    drawn = int(edges * SURPLUS)
    source = _places(reach, chances.random(drawn) * reach[-1])
    width = np.array([12, 120, 1_200, nodes])[chances.choice(4, drawn, p=[0.35, 0.25, 0.2, 0.2])]
    begin = source // width * width
    low, high = reach[begin], reach[np.minimum(begin + width, nodes)]
    target = _places(reach, low + chances.random(drawn) * (high - low))
    one, other = _distinct(order[source], order[np.minimum(target, nodes - 1)], nodes, edges, chances)
    return nodes, one, other, chances.integers(1, 5, len(one)).astype(np.float64)


def mentions(units: int = 100_000, edges: int = 1_000_000, seed: int = 1) -> Edges:
    """Return texts and the terms that they mention: terms of their topic, of its field, and of everybody's.

    Terms follow Zipf's law: some are in thousands of texts, and a third of them in one.
    """
    chances = np.random.default_rng(seed)
    topics, terms = 2_000, 400_000
    own, field = terms // topics, terms // topics * 20
    topic = chances.integers(0, topics, units)
    drawn = int(edges * SURPLUS)
    unit = chances.integers(0, units, drawn)
    ranks = [np.floor(size ** chances.random(drawn)).astype(np.int64) - 1 for size in (own, field, terms)]
    of_topic = topic[unit] * own + ranks[0]
    of_field = topic[unit] // 20 * field + ranks[1] * 7_919 % field
    of_all = ranks[2] * 104_729 % terms
    term = np.choose(chances.choice(3, drawn, p=[0.55, 0.25, 0.2]), [of_topic, of_field, of_all])
    one, other = _distinct(unit, units + term, units + terms, edges, chances)
    # Ids are digests and words: they are in no order of topics.
    _, numbers = np.unique(np.concatenate([one, other]), return_inverse=True)
    nodes = int(numbers.max()) + 1
    numbers = chances.permutation(nodes)[numbers]
    weight = 1.0 + np.log2(1.0 + chances.integers(0, 4, len(one)))
    return nodes, numbers[: len(one)], numbers[len(one) :], weight.astype(np.float64)


def changed(graph: Edges, share: float, seed: int = 2) -> Edges:
    """Return the graph after documents changed: of some nodes every edge is exchanged with others' ends."""
    nodes, source, target, weight = graph
    chances = np.random.default_rng(seed)
    # Each end that moves is an edge that goes and one that comes.
    touched = np.flatnonzero((chances.random(nodes) < share / 2)[source])
    moved = target.copy()
    moved[touched] = target[chances.integers(0, len(target), len(touched))]
    return nodes, source, moved, weight


def scattered(graph: Edges, share: float, seed: int = 3) -> Edges:
    """Return the graph with half as many edges gone and as many come, between any two nodes."""
    nodes, source, target, weight = graph
    chances = np.random.default_rng(seed)
    count = int(share * len(source) / 2)
    kept = chances.permutation(len(source))[count:]
    ends = chances.integers(0, nodes, (2, count))
    return (
        nodes,
        np.concatenate([source[kept], ends[0]]),
        np.concatenate([target[kept], ends[1]]),
        np.concatenate([weight[kept], np.ones(count)]),
    )


GRAPHS: Final[dict[str, Callable[[], Edges]]] = {"nested": nested, "mentions": mentions}
CHANGES: Final[dict[str, Callable[[Edges, float], Edges]]] = {"documents": changed, "scattered": scattered}


def _places(reach: Floats, at: Floats) -> Ints:
    return np.asarray(np.searchsorted(reach, at, side="right"), dtype=np.int64) - 1


def _distinct(one: Ints, other: Ints, nodes: int, edges: int, chances: np.random.Generator) -> tuple[Ints, Ints]:
    """Return as many different pairs as there shall be, in no order."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    keys = np.unique((low * nodes + high)[low != high])
    keys = chances.permutation(keys)[:edges]
    return keys // nodes, keys % nodes
