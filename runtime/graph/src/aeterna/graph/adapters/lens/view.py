"""Answers from one state of the lens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aeterna.graph.adapters.lens.digests import digest_of
from aeterna.graph.adapters.lens.walks import Way, arriving, ball, shortest
from aeterna.graph.adapters.questions.neighborhoods import first_satisfying, subgraph
from aeterna.graph.adapters.questions.patterns import matches
from aeterna.graph.adapters.questions.relatedness import related
from aeterna.graph.adapters.questions.search import search
from aeterna.graph.adapters.questions.topology import topology
from aeterna.graph.domain.changes import Edge
from aeterna.graph.domain.identifiers import Label
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
from aeterna.graph.errors import NoPathError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from aeterna.graph.adapters.lens.adjacency import Ints
    from aeterna.graph.adapters.lens.asking import Asking
    from aeterna.graph.adapters.lens.labels import Labels
    from aeterna.graph.adapters.lens.walks import Ball
    from aeterna.graph.domain.changes import EdgeKey
    from aeterna.graph.domain.identifiers import Json, NodeId, SessionId, SnapshotId
    from aeterna.graph.domain.questions.patterns import Matches, Pattern
    from aeterna.graph.domain.questions.relatedness import Related, RelatedQuery
    from aeterna.graph.domain.questions.searches import Hits, SearchQuery
    from aeterna.graph.domain.questions.subgraphs import Subgraph, SubgraphQuery
    from aeterna.graph.domain.snapshots import Stamp
    from aeterna.graph.domain.topologies import Topology
    from aeterna.graph.ports import Committed


class LensStateView:
    """A `LensView` on a state that nothing changes any more."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._state = asking.state

    @property
    def snapshot_id(self) -> SnapshotId | None:
        """The snapshot that the state is of; None while the graph is empty."""
        return self._state.snapshot.id if self._state.snapshot else None

    @property
    def last_seq(self) -> int:
        """The seq of the newest session, 0 before the first."""
        return self._state.snapshot.last_seq if self._state.snapshot else 0

    @property
    def committed_at(self) -> datetime | None:
        """When the newest session was committed."""
        return self._state.snapshot.committed_at if self._state.snapshot else None

    def digest(self) -> str:
        """Return the SHA-256 of all nodes and edges."""
        return digest_of(self._state, self._asking.check)

    def node(self, node: NodeId) -> NodeFound:
        """Return one node."""
        number = self._state.number(node)
        return NodeFound(
            snapshot_id=self.snapshot_id,
            seq=self.last_seq,
            id=node,
            kind=self._state.kind(number),
            properties=self._state.node_properties(np.array([number], dtype=np.int32))[0],
        )

    def neighbors(self, query: NeighborsQuery) -> Neighbors:
        """Return one page of the nodes around a node."""
        state, topology = self._state, self._state.topology
        way = Way(direction=query.direction, types=state.wanted_types(query.types), check=self._asking.check)
        around = ball(topology, state.number(query.node), query.depth, way)
        page, more = self._page(around, query)
        edges = [arriving(topology, around, numbers, depth, way) for depth, numbers in page]
        self._asking.check()
        nodes = tuple(
            NeighborFound(id=id_, kind=kind, properties=properties, depth=depth)
            for depth, numbers in page
            for id_, kind, properties in zip(
                state.ids(numbers), state.kinds_of(numbers), state.node_properties(numbers), strict=True
            )
        )
        return Neighbors(
            snapshot_id=self.snapshot_id,
            seq=self.last_seq,
            nodes=nodes,
            edges=self._edges(np.concatenate([np.empty(0, dtype=np.int32), *edges])),
            next=Position(depth=nodes[-1].depth, node=nodes[-1].id) if more else None,
        )

    def shortest_path(self, query: PathQuery) -> Path:
        """Return one of the shortest paths."""
        state = self._state
        start, end = state.number(query.source), state.number(query.target)
        way = Way(direction=query.direction, types=state.wanted_types(query.types), check=self._asking.check)
        edges = shortest(state.topology, start, end, query.max_hops, way)
        if edges is None:
            raise NoPathError(query.source, query.target, query.max_hops)
        keys = tuple(state.key(edge) for edge in edges)
        nodes = [query.source]
        for key in keys:
            nodes.append(key.target if key.source == nodes[-1] else key.source)
        return Path(snapshot_id=self.snapshot_id, seq=self.last_seq, nodes=tuple(nodes), edges=keys)

    def subgraph(self, query: SubgraphQuery) -> Subgraph:
        """Return the piece of the graph around some nodes."""
        return subgraph(self._asking, query)

    def related(self, query: RelatedQuery) -> Related:
        """Return the nodes that share the most telling neighbours with one."""
        return related(self._asking, query)

    def matches(self, query: Pattern) -> Matches:
        """Return one page of what fits a pattern; raise `QueryTooLargeError` when it needs too much memory."""
        return matches(self._asking, query)

    def search(self, query: SearchQuery) -> Hits:
        """Return the nodes that hold some words, as of this state or a later one."""
        return search(self._asking, query)

    def statistics(self) -> Statistics:
        """Count what there is."""
        state, topology = self._state, self._state.topology
        nodes = topology.kinds >= 0
        by_kind = np.bincount(topology.kinds[nodes], minlength=1)
        by_type = np.bincount(topology.type[topology.alive], minlength=1)
        degrees = np.bincount(topology.source[topology.alive], minlength=len(nodes))
        degrees += np.bincount(topology.target[topology.alive], minlength=len(nodes))
        count, highest = int(by_kind.sum()), int(degrees.max(initial=0))
        hubs = np.flatnonzero(degrees == highest).astype(np.int32) if highest else np.empty(0, dtype=np.int32)
        return Statistics(
            snapshot_id=self.snapshot_id,
            seq=self.last_seq,
            nodes=count,
            edges=int(by_type.sum()),
            node_kinds=_counts(by_kind, state.names.kinds),
            edge_types=_counts(by_type, state.names.types),
            degree_mean=2 * int(by_type.sum()) / count if count else 0.0,
            degree_max=highest,
            hub=state.id(int(state.in_order(hubs)[0])) if len(hubs) else None,
            isolated=int((degrees[nodes] == 0).sum()),
        )

    def topology(self) -> Topology:
        """Return the whole graph in arrays."""
        return topology(self._asking)

    def known(self, nodes: Sequence[NodeId]) -> frozenset[NodeId]:
        """Return those of the ids that are nodes."""
        return frozenset(
            node for node, number in zip(nodes, self._state.numbers(nodes).tolist(), strict=True) if number >= 0
        )

    def existing(self, edges: Sequence[EdgeKey]) -> frozenset[EdgeKey]:
        """Return those of the keys that are edges."""
        if not edges:
            return frozenset()
        state = self._state
        source = state.numbers([edge.source for edge in edges])
        target = state.numbers([edge.target for edge in edges])
        type_ = state.names.types.numbers(edge.type for edge in edges)
        possible = np.flatnonzero((source >= 0) & (target >= 0) & (type_ >= 0))
        numbers = state.topology.find(source[possible], type_[possible], target[possible])
        return frozenset(
            edges[place]
            for place, number in zip(possible.tolist(), numbers.tolist(), strict=True)
            if number >= 0 and state.topology.alive[number]
        )

    def incident(self, nodes: Sequence[NodeId]) -> frozenset[EdgeKey]:
        """Return every edge that starts or ends at one of the nodes."""
        if not nodes:
            return frozenset()
        numbers = self._state.numbers(nodes)
        numbers = numbers[numbers >= 0]
        touching = np.union1d(self._state.topology.leaving(numbers), self._state.topology.entering(numbers))
        return frozenset(self._state.keys(touching))

    def committed(self, sessions: Sequence[SessionId]) -> Mapping[SessionId, Committed]:
        """Return what is remembered of those sessions that were committed."""
        return self._state.sessions.find(sessions)

    def newest(self, by: datetime | int) -> Stamp | None:
        """Return the newest session that was committed by a time, or of a seq that is not higher."""
        return self._state.sessions.newest(by)

    def records(self, record: str) -> Mapping[str, Json]:
        """Return by id what else is on record about the graph."""
        return dict(sorted(self._state.records.get(record, {}).items()))

    def _page(self, around: Ball, query: NeighborsQuery) -> tuple[list[tuple[int, Ints]], bool]:
        """Return the page's nodes by depth, in order of their ids, and whether more follow."""
        state, kinds = self._state, self._state.wanted_kinds(query.kinds)
        page: list[tuple[int, Ints]] = []
        room = query.limit
        for depth, layer in enumerate(around.layers[1:], start=1):
            if query.after is not None and depth < query.after.depth:
                continue
            self._asking.check()
            numbers = state.in_order(layer if kinds is None else layer[kinds[state.topology.kinds[layer]]])
            if query.after is not None and depth == query.after.depth:
                numbers = numbers[[node > query.after.node for node in state.ids(numbers)]]
            if query.where:
                # One more than there is room for, which shows that there are more.
                numbers = first_satisfying(self._asking, query.where, numbers, room + 1)
            if len(numbers) == 0:
                continue
            if room == 0:
                return page, True
            page.append((depth, numbers[:room]))
            if len(numbers) > room:
                return page, True
            room -= len(numbers)
        return page, False

    def _edges(self, numbers: Ints) -> tuple[Edge, ...]:
        found = zip(self._state.keys(numbers), self._state.edge_properties(numbers), strict=True)
        return tuple(Edge(key=key, properties=properties) for key, properties in sorted(found))


def _counts(by_number: np.ndarray[tuple[int], np.dtype[np.int64]], labels: Labels) -> dict[Label, int]:
    return {Label(label): int(count) for label, count in sorted(zip(labels.texts, by_number, strict=False)) if count}
