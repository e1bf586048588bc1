"""The shape of a graph in numbers: an immutable state that walks in microseconds and shares memory with the next.

Nodes and edges have dense numbers, given once and kept. Edges up to some number are in one dense CSR; what came
later is in few sparse ones, each several times smaller than the one before, until they are worth merging. 13 bytes
an edge for the columns, 4 for the index of targets, as much for that of sources unless the edges are in their order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from aeterna.graph.adapters.lens.adjacency import Adjacency, Bools, Ints

if TYPE_CHECKING:
    import numpy.typing as npt

    from aeterna.graph.domain.questions.checks import Direction

GONE: Final = -1  # the kind of a node that was removed
_MERGE_AT_LEAST: Final = 20_000
_MERGE_FRACTION: Final = 8
_SPARSE_FRACTION: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """One state: ``kinds`` by node; ``source``, ``target``, ``type`` and ``alive`` by edge; the indexes of both ends.

    ``begins`` holds the first edge of each pair of indexes, the first of which is dense, and then the end of the last.
    """

    kinds: Ints
    source: Ints
    target: Ints
    type: Ints
    alive: Bools
    out: tuple[Adjacency, ...] = ()
    into: tuple[Adjacency, ...] = ()
    begins: tuple[int, ...] = (0,)

    @classmethod
    def empty(cls) -> Topology:
        """Return the graph without nodes."""
        none = np.empty(0, dtype=np.int32)
        return cls(kinds=none, source=none, target=none, type=none, alive=np.empty(0, dtype=np.bool_))

    def indexed(self) -> Topology:
        """Return the same state with every edge in an index, merging the recent ones where it pays."""
        size, first = len(self.source), self.begins[-1]
        if size == first:
            return self
        merged = self.begins[1] if len(self.begins) > 1 else 0
        if merged == 0 or size - merged > max(_MERGE_AT_LEAST, merged // _MERGE_FRACTION):
            return self.rebuilt()
        kept = len(self.out)
        # As in a log-structured merge tree: an edge is sorted a few times in all, not with every change.
        while kept > 1 and first - self.begins[kept - 1] < _SPARSE_FRACTION * (size - first):
            kept -= 1
            first = self.begins[kept]
        return replace(
            self,
            out=(*self.out[:kept], Adjacency.sparse(self.source[first:], first)),
            into=(*self.into[:kept], Adjacency.sparse(self.target[first:], first)),
            begins=(*self.begins[:kept], first, size),
        )

    def rebuilt(self) -> Topology:
        """Return the same state with one dense index for each end."""
        nodes, size = len(self.kinds), len(self.source)
        return replace(
            self,
            out=(Adjacency.dense(self.source, nodes),),
            into=(Adjacency.dense(self.target, nodes),),
            begins=(0, size),
        )

    def is_node(self, number: int) -> bool:
        """Tell whether the number is a node of this state."""
        return number < len(self.kinds) and bool(self.kinds[number] != GONE)

    def leaving(self, nodes: Ints) -> Ints:
        """Return the living edges that start at the nodes."""
        return self._living(self.out, nodes)

    def entering(self, nodes: Ints) -> Ints:
        """Return the living edges that end at the nodes."""
        return self._living(self.into, nodes)

    def steps(self, nodes: Ints, direction: Direction, types: Bools | None) -> tuple[Ints, Ints, Ints]:
        """Return every step from one of the nodes: where it starts, where it arrives, and its edge.

        ``types`` tells by type number which edges may be walked; None means all.
        """
        starts: list[Ints] = []
        arrivals: list[Ints] = []
        edges: list[Ints] = []
        if direction != "in":
            leaving = self._allowed(self.leaving(nodes), types)
            starts.append(self.source[leaving])
            arrivals.append(self.target[leaving])
            edges.append(leaving)
        if direction != "out":
            entering = self._allowed(self.entering(nodes), types)
            starts.append(self.target[entering])
            arrivals.append(self.source[entering])
            edges.append(entering)
        return _joined(starts), _joined(arrivals), _joined(edges)

    def find(self, sources: Ints, types: Ints, targets: Ints) -> npt.NDArray[np.int64]:
        """Return the number of each edge, dead ones included, or -1; looks on whichever side has fewer edges."""
        found = np.full(len(sources), -1, dtype=np.int64)
        if len(sources) == 0:
            return found
        from_source = self._degrees(self.out, sources) <= self._degrees(self.into, targets)
        for side, near, indexes in ((from_source, sources, self.out), (~from_source, targets, self.into)):
            wanted = np.flatnonzero(side)
            for index in indexes:
                degrees = index.degrees(near[wanted])
                asked = np.repeat(wanted, degrees)
                edges = index.incident(near[wanted])
                same = (
                    (self.source[edges] == sources[asked])
                    & (self.target[edges] == targets[asked])
                    & (self.type[edges] == types[asked])
                )
                found[asked[same]] = edges[same]
        return found

    def _living(self, indexes: tuple[Adjacency, ...], nodes: Ints) -> Ints:
        edges = _joined([index.incident(nodes) for index in indexes])
        return edges[self.alive[edges]]

    def _degrees(self, indexes: tuple[Adjacency, ...], nodes: Ints) -> npt.NDArray[np.int64]:
        degrees = np.zeros(len(nodes), dtype=np.int64)
        for index in indexes:
            degrees += index.degrees(nodes)
        return degrees

    def _allowed(self, edges: Ints, types: Bools | None) -> Ints:
        return edges if types is None else edges[types[self.type[edges]]]


def _joined(parts: list[Ints]) -> Ints:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([np.empty(0, dtype=np.int32), *parts])
