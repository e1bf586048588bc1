"""The shape of a graph in numbers: an immutable state that walks in microseconds and shares memory with the next.

Nodes and edges have dense numbers, given once and kept. Edges up to some number are in one dense CSR; what came
later is in a small sparse one, until it is worth merging. 13 bytes an edge for the columns and 8 for both indexes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import numpy as np

from aeterna.graph.adapters.adjacency import Adjacency, Bools, Ints

if TYPE_CHECKING:
    import numpy.typing as npt

    from aeterna.graph.domain.queries import Direction

GONE: Final = -1  # the kind of a node that was removed
_MERGE_AT_LEAST: Final = 20_000
_MERGE_FRACTION: Final = 8

Scalar = TypeVar("Scalar", bound=np.generic)


class Column(Generic[Scalar]):
    """An array that grows at its end; views taken earlier stay valid and never see what came later."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._values: npt.NDArray[Scalar] = np.empty(1024, dtype=dtype)

    def extend(self, at: int, values: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Put the values behind the first ``at`` ones and return a view of both.

        The caller says where: what an abandoned change left behind is written over.
        """
        size = at + len(values)
        if size > len(self._values):
            grown = np.empty(max(size, len(self._values) * 3 // 2), dtype=self._values.dtype)
            grown[:at] = self._values[:at]
            self._values = grown
        self._values[at:size] = values
        return self._values[:size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """One state: ``kinds`` by node; ``source``, ``target``, ``type`` and ``alive`` by edge; both indexes."""

    kinds: Ints
    source: Ints
    target: Ints
    type: Ints
    alive: Bools
    out: tuple[Adjacency, Adjacency]
    into: tuple[Adjacency, Adjacency]
    merged: int  # edges below this number are in the dense indexes

    @classmethod
    def empty(cls) -> Topology:
        """Return the graph without nodes."""
        none = np.empty(0, dtype=np.int32)
        dense, sparse = Adjacency.dense(none, 0), Adjacency.sparse(none, 0)
        return cls(
            kinds=none,
            source=none,
            target=none,
            type=np.empty(0, dtype=np.int32),
            alive=np.empty(0, dtype=np.bool_),
            out=(dense, sparse),
            into=(dense, sparse),
            merged=0,
        )

    def indexed(self) -> Topology:
        """Return the same state with every edge in an index, merging the recent ones where it pays."""
        recent = len(self.source) - self.merged
        if recent > max(_MERGE_AT_LEAST, self.merged // _MERGE_FRACTION):
            nodes, size = len(self.kinds), len(self.source)
            none = Adjacency.sparse(np.empty(0, dtype=np.int32), size)
            return replace(
                self,
                out=(Adjacency.dense(self.source, nodes), none),
                into=(Adjacency.dense(self.target, nodes), none),
                merged=size,
            )
        return replace(
            self,
            out=(self.out[0], Adjacency.sparse(self.source[self.merged :], self.merged)),
            into=(self.into[0], Adjacency.sparse(self.target[self.merged :], self.merged)),
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
        return np.concatenate(starts), np.concatenate(arrivals), np.concatenate(edges)

    def find(self, sources: Ints, types: Ints, targets: Ints) -> npt.NDArray[np.int64]:
        """Return the number of each edge, dead ones included, or -1; looks on whichever side has fewer edges."""
        found = np.full(len(sources), -1, dtype=np.int64)
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

    def _living(self, indexes: tuple[Adjacency, Adjacency], nodes: Ints) -> Ints:
        edges = np.concatenate([index.incident(nodes) for index in indexes])
        return edges[self.alive[edges]]

    def _degrees(self, indexes: tuple[Adjacency, Adjacency], nodes: Ints) -> npt.NDArray[np.int64]:
        return indexes[0].degrees(nodes) + indexes[1].degrees(nodes)

    def _allowed(self, edges: Ints, types: Bools | None) -> Ints:
        return edges if types is None else edges[types[self.type[edges]]]
