"""Walking a topology: breadth first around a node, and from both ends towards each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from aeterna.graph.adapters.lens.adjacency import Bools, Ints
from aeterna.graph.domain.questions.checks import Direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.graph.adapters.lens.topology import Topology

Check: TypeAlias = "Callable[[], None]"  # raises when the time is up

_OPPOSITE: dict[Direction, Direction] = {"out": "in", "in": "out", "both": "both"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a walk may go: which way along edges, over which types of them (None for all), and for how long."""

    direction: Direction
    types: Bools | None
    check: Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Ball:
    """The nodes around an origin: those first reached at step i are ``layers[i]``, the origin alone is layer 0.

    ``marks`` holds 1 + the depth for every node reached, 0 for the others.
    """

    layers: tuple[Ints, ...]
    marks: np.ndarray[tuple[int], np.dtype[np.int8]]


def ball(topology: Topology, origin: int, depth: int, way: Way) -> Ball:
    """Reach every node within ``depth`` steps, breadth first."""
    marks = np.zeros(len(topology.kinds), dtype=np.int8)
    marks[origin] = 1
    layers = [np.array([origin], dtype=np.int32)]
    for step in range(1, depth + 1):
        way.check()
        _, arrivals, _ = topology.steps(layers[-1], way.direction, way.types)
        reached = np.unique(arrivals[marks[arrivals] == 0])
        if len(reached) == 0:
            break
        marks[reached] = step + 1
        layers.append(reached)
    return Ball(layers=tuple(layers), marks=marks)


def arriving(topology: Topology, around: Ball, nodes: Ints, depth: int, way: Way) -> Ints:
    """Return the edges by which nodes at ``depth`` are reached from nodes one step nearer."""
    _, nearer, edges = topology.steps(nodes, _OPPOSITE[way.direction], way.types)
    return np.unique(edges[around.marks[nearer] == depth])


class _Front:
    """One side of a search from both ends."""

    def __init__(self, topology: Topology, origin: int, direction: Direction, types: Bools | None) -> None:
        self._topology = topology
        self._direction: Direction = direction
        self._types = types
        self.edge_to = np.zeros(len(topology.kinds), dtype=np.int32)  # 1 + the edge that first led there
        self.seen = np.zeros(len(topology.kinds), dtype=np.bool_)
        self.seen[origin] = True
        self.edge = np.array([origin], dtype=np.int32)
        self.origin = origin

    def advance(self) -> None:
        _, arrivals, edges = self._topology.steps(self.edge, self._direction, self._types)
        fresh = ~self.seen[arrivals]
        reached, first = np.unique(arrivals[fresh], return_index=True)
        self.edge_to[reached] = edges[fresh][first] + 1
        self.seen[reached] = True
        self.edge = reached

    def trail(self, node: int) -> list[int]:
        """Return the edges from the node back to the origin."""
        topology = self._topology
        edges: list[int] = []
        while node != self.origin:
            edge = int(self.edge_to[node]) - 1
            edges.append(edge)
            source, target = int(topology.source[edge]), int(topology.target[edge])
            # The edge led from its other end to this node, whichever way it points.
            node = source if target == node else target
        return edges


def shortest(topology: Topology, source: int, target: int, max_hops: int, way: Way) -> list[int] | None:
    """Return the edges of a shortest path in order, or None when there is none within ``max_hops``.

    Both sides advance whole layers, the smaller one first, so the first meeting is on a shortest path.
    """
    if source == target:
        return []
    forward = _Front(topology, source, way.direction, way.types)
    backward = _Front(topology, target, _OPPOSITE[way.direction], way.types)
    for _ in range(max_hops):
        way.check()
        here, there = (forward, backward) if len(forward.edge) <= len(backward.edge) else (backward, forward)
        here.advance()
        if len(here.edge) == 0:
            return None
        meeting = here.edge[there.seen[here.edge]]
        if len(meeting):
            node = int(meeting[0])
            return [*reversed(forward.trail(node)), *backward.trail(node)]
    return None
