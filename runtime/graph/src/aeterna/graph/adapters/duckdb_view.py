"""Answers from one state of the lens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from aeterna.graph.adapters.registry import Registry
from aeterna.graph.adapters.topology import GONE, Topology
from aeterna.graph.adapters.walks import Way, arriving, ball, shortest
from aeterna.graph.domain.arrow import pa
from aeterna.graph.domain.changes import NO_PROPERTIES, Edge, EdgeKey
from aeterna.graph.domain.identifiers import Json, Label, NodeId, SessionId, SnapshotId
from aeterna.graph.domain.queries import (
    NeighborFound,
    Neighbors,
    NeighborsQuery,
    NodeFound,
    Path,
    PathQuery,
    Position,
    Statistics,
)
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import NodeNotFoundError, NoPathError
from aeterna.graph.ports import Committed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import duckdb

    from aeterna.graph.adapters.adjacency import Bools, Ints
    from aeterna.graph.adapters.walks import Ball, Check

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LITERALS: Final = 500  # up to here DuckDB looks numbers up in its index; more are cheaper as a join


@dataclass(frozen=True, slots=True, kw_only=True)
class LensState:
    """What a lens holds at one snapshot, beside DuckDB's own tables."""

    topology: Topology
    snapshot: Snapshot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The texts behind the numbers."""

    ids: Registry
    kinds: Registry
    types: Registry


class DuckDbView:
    """A `LensView` on a state and a DuckDB transaction that began with it."""

    def __init__(self, state: LensState, cursor: duckdb.DuckDBPyConnection, names: Names, check: Check) -> None:
        self._snapshot = state.snapshot
        self._topology = state.topology
        self._cursor = cursor
        self._ids, self._kinds, self._types = names.ids, names.kinds, names.types
        self._check = check

    @property
    def snapshot_id(self) -> SnapshotId | None:
        """The snapshot that the state is of; None while the graph is empty."""
        return self._snapshot.id if self._snapshot else None

    @property
    def last_seq(self) -> int:
        """The seq of the newest session, 0 before the first."""
        return self._snapshot.last_seq if self._snapshot else 0

    @property
    def committed_at(self) -> datetime | None:
        """When the newest session was committed."""
        return self._snapshot.committed_at if self._snapshot else None

    def node(self, node: NodeId) -> NodeFound:
        """Return one node."""
        number = self._number(node)
        return NodeFound(
            snapshot_id=self.snapshot_id,
            id=node,
            kind=self._kind(number),
            properties=self._properties("nodes", [number]).get(number, NO_PROPERTIES),
        )

    def neighbors(self, query: NeighborsQuery) -> Neighbors:
        """Return one page of the nodes around a node."""
        way = Way(direction=query.direction, types=self._wanted(self._types, query.types), check=self._check)
        around = ball(self._topology, self._number(query.node), query.depth, way)
        page, more = self._page(around, query)
        edges = np.concatenate(
            [
                np.empty(0, dtype=np.int32),
                *(
                    arriving(self._topology, around, np.array(numbers, dtype=np.int32), depth, way)
                    for depth, numbers in page
                ),
            ]
        )
        self._check()
        properties = self._properties("nodes", [number for _, numbers in page for number in numbers])
        nodes = tuple(
            NeighborFound(id=self._id(number), kind=self._kind(number), properties=properties[number], depth=depth)
            for depth, numbers in page
            for number in numbers
        )
        return Neighbors(
            snapshot_id=self.snapshot_id,
            nodes=nodes,
            edges=self._edges(edges),
            next=Position(depth=nodes[-1].depth, node=nodes[-1].id) if more else None,
        )

    def shortest_path(self, query: PathQuery) -> Path:
        """Return one of the shortest paths."""
        start, end = self._number(query.source), self._number(query.target)
        way = Way(direction=query.direction, types=None, check=self._check)
        edges = shortest(self._topology, start, end, query.max_hops, way)
        if edges is None:
            raise NoPathError(query.source, query.target, query.max_hops)
        keys = tuple(self._key(edge) for edge in edges)
        nodes = [query.source]
        for key in keys:
            nodes.append(key.target if key.source == nodes[-1] else key.source)
        return Path(snapshot_id=self.snapshot_id, nodes=tuple(nodes), edges=keys)

    def statistics(self) -> Statistics:
        """Count what there is."""
        topology = self._topology
        by_kind = np.bincount(topology.kinds[topology.kinds != GONE], minlength=1)
        by_type = np.bincount(topology.type[topology.alive], minlength=1)
        return Statistics(
            snapshot_id=self.snapshot_id,
            seq=self.last_seq,
            nodes=int(by_kind.sum()),
            edges=int(by_type.sum()),
            node_kinds=_counts(by_kind, self._kinds),
            edge_types=_counts(by_type, self._types),
        )

    def known(self, nodes: Sequence[NodeId]) -> frozenset[NodeId]:
        """Return those of the ids that are nodes."""
        return frozenset(
            node for node, number in zip(nodes, self._ids.numbers(nodes), strict=True) if self._is_node(number)
        )

    def existing(self, edges: Sequence[EdgeKey]) -> frozenset[EdgeKey]:
        """Return those of the keys that are edges."""
        source = self._ids.numbers(edge.source for edge in edges)
        target = self._ids.numbers(edge.target for edge in edges)
        type_ = self._types.numbers(edge.type for edge in edges)
        possible = np.flatnonzero((source >= 0) & (target >= 0) & (type_ >= 0))
        numbers = self._topology.find(source[possible], type_[possible], target[possible])
        return frozenset(
            edges[place]
            for place, number in zip(possible.tolist(), numbers.tolist(), strict=True)
            if number >= 0 and self._topology.alive[number]
        )

    def incident(self, nodes: Sequence[NodeId]) -> frozenset[EdgeKey]:
        """Return every edge that starts or ends at one of the nodes."""
        numbers = self._ids.numbers(nodes)
        numbers = numbers[numbers >= 0]
        touching = np.union1d(self._topology.leaving(numbers), self._topology.entering(numbers))
        return frozenset(self._key(edge) for edge in touching.tolist())

    def committed(self, sessions: Sequence[SessionId]) -> Mapping[SessionId, Committed]:
        """Return what is remembered of those sessions that were committed."""
        found = self._cursor.execute(
            "SELECT session, digest, seq, committed_us, counts FROM sessions WHERE session = ANY(?)", [list(sessions)]
        ).fetchall()
        return {
            SessionId(session): Committed(
                digest=digest, seq=seq, committed_at=_EPOCH + timedelta(microseconds=committed_us), **json.loads(counts)
            )
            for session, digest, seq, committed_us, counts in found
        }

    def records(self, record: str) -> Mapping[str, Json]:
        """Return by id what else is on record about the graph."""
        found = self._cursor.execute(
            "SELECT id, properties FROM records WHERE record = ? AND properties IS NOT NULL", [record]
        ).fetchall()
        return dict(found)

    def _page(self, around: Ball, query: NeighborsQuery) -> tuple[list[tuple[int, list[int]]], bool]:
        """Return the page's nodes by depth, in order of their ids, and whether more follow."""
        kinds = self._wanted(self._kinds, query.kinds)
        page: list[tuple[int, list[int]]] = []
        room = query.limit
        for depth, layer in enumerate(around.layers[1:], start=1):
            if query.after is not None and depth < query.after.depth:
                continue
            self._check()
            wanted = layer if kinds is None else layer[kinds[self._topology.kinds[layer]]]
            numbers = sorted(wanted.tolist(), key=self._ids.texts.__getitem__)
            if query.after is not None and depth == query.after.depth:
                numbers = [number for number in numbers if self._ids.texts[number] > query.after.node]
            if not numbers:
                continue
            if room == 0:
                return page, True
            page.append((depth, numbers[:room]))
            if len(numbers) > room:
                return page, True
            room -= len(numbers)
        return page, False

    def _edges(self, numbers: Ints) -> tuple[Edge, ...]:
        wanted = numbers.tolist()
        properties = self._properties("edges", wanted)
        edges = (Edge(key=self._key(number), properties=properties.get(number, NO_PROPERTIES)) for number in wanted)
        return tuple(sorted(edges, key=lambda edge: edge.key))

    def _properties(self, table: Literal["nodes", "edges"], numbers: list[int]) -> dict[int, Json]:
        if not numbers:
            return {}
        if len(numbers) <= _LITERALS:
            places = ",".join(map(str, numbers))
            # Literals, because DuckDB uses its index for nothing else; they are numbers of our own.
            rows = self._cursor.execute(f"SELECT number, properties FROM {table} WHERE number IN ({places})")  # noqa: S608 - as said
        else:
            wanted = pa.table({"number": pa.array(numbers, pa.int32())})
            rows = self._cursor.from_arrow(wanted).join(self._cursor.table(table), "number")
        found: list[tuple[int, Any]] = rows.fetchall()
        return dict(found)

    def _wanted(self, registry: Registry, labels: Iterable[Label]) -> Bools | None:
        """Return which numbers of the registry are meant; None means all."""
        wanted = list(labels)
        if not wanted:
            return None
        numbers = registry.numbers(wanted)
        chosen = np.zeros(len(registry), dtype=np.bool_)
        chosen[numbers[numbers >= 0]] = True
        return chosen

    def _number(self, node: NodeId) -> int:
        number = self._ids.number(node)
        if number is None or not self._is_node(number):
            raise NodeNotFoundError(node)
        return number

    def _is_node(self, number: int) -> bool:
        return number >= 0 and self._topology.is_node(number)

    def _id(self, number: int) -> NodeId:
        return NodeId(self._ids.texts[number])

    def _kind(self, number: int) -> Label:
        return Label(self._kinds.texts[int(self._topology.kinds[number])])

    def _key(self, edge: int) -> EdgeKey:
        topology = self._topology
        return EdgeKey(
            self._id(int(topology.source[edge])),
            Label(self._types.texts[int(topology.type[edge])]),
            self._id(int(topology.target[edge])),
        )


def _counts(by_number: Iterable[int], registry: Registry) -> dict[Label, int]:
    return {Label(text): int(count) for text, count in sorted(zip(registry.texts, by_number, strict=False)) if count}
