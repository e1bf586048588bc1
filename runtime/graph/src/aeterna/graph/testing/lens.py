"""A `Lens` in plain Python, obviously right and slow."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.changes import Edge, EdgeKey, Node
from aeterna.graph.domain.digests import digest_of_graph
from aeterna.graph.domain.identifiers import Json, Label, NodeId, SessionId
from aeterna.graph.domain.snapshots import Stamp
from aeterna.graph.ports import Committed
from aeterna.graph.testing.patterns import matches
from aeterna.graph.testing.questions import neighbors, related, shortest_path, statistics, subgraph
from aeterna.graph.testing.search import search
from aeterna.graph.testing.state import State
from aeterna.graph.testing.topology import topology

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from datetime import datetime, timedelta

    from aeterna.graph.domain.identifiers import SnapshotId
    from aeterna.graph.domain.parts import Parts
    from aeterna.graph.domain.queries import Neighbors, NeighborsQuery, NodeFound, Path, PathQuery, Statistics
    from aeterna.graph.domain.questions.patterns import Matches, Pattern
    from aeterna.graph.domain.questions.relatedness import Related, RelatedQuery
    from aeterna.graph.domain.questions.searches import Hits, SearchQuery
    from aeterna.graph.domain.questions.subgraphs import Subgraph, SubgraphQuery
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.domain.topologies import Topology
    from aeterna.graph.ports import LensView


class MemoryLens:
    """A `Lens` on dictionaries."""

    def __init__(self) -> None:
        self._state = State()

    def load(self, parts: Parts, snapshot: Snapshot) -> None:
        """Make the state that of ``snapshot``."""
        named = {"node": parts.nodes, "edge": parts.edges, "session": parts.sessions}
        rows = [row | {"record": record} for record, part in named.items() for row in untyped(part).to_pylist()]
        self._state = State()
        self._apply([*rows, *untyped(parts.others).to_pylist()], snapshot)

    def apply(self, rows: Rows, snapshot: Snapshot) -> None:
        """Bring the state to ``snapshot``."""
        self._apply(untyped(rows).to_pylist(), snapshot)

    def _apply(self, rows: list[dict[str, Any]], snapshot: Snapshot) -> None:  # Any: each column has a type of its own
        before = self._state
        nodes, edges, sessions = dict(before.nodes), dict(before.edges), dict(before.sessions)
        records = dict(before.records)
        for row in sorted(rows, key=lambda row: row["seq"]):
            match row["record"], row.get("op"):
                case "session", _:
                    sessions[SessionId(row["session"])] = Committed(
                        digest=row["digest"],
                        seq=row["seq"],
                        committed_at=row["committed_at"],
                        **json.loads(row["properties"]),
                    )
                case "node", "upsert":
                    id_ = NodeId(row["id"])
                    nodes[id_] = Node(id=id_, kind=Label(row["kind"]), properties=Json(row["properties"]))
                case "node", _:
                    nodes.pop(NodeId(row["id"]), None)
                case "edge", op:
                    key = EdgeKey(NodeId(row["source"]), Label(row["type"]), NodeId(row["target"]))
                    edges.pop(key, None)
                    if op == "upsert":
                        edges[key] = Edge(key=key, properties=Json(row["properties"]))
                case record, op:
                    records.pop((record, row["id"]), None)
                    if op == "upsert":
                        records[record, row["id"]] = Json(row["properties"])
        self._state = State(snapshot=snapshot, nodes=nodes, edges=edges, sessions=sessions, records=records)

    @contextlib.contextmanager
    def view(self, time_limit: timedelta) -> Generator[LensView]:
        """Hold the present state; plain Python is not stopped after ``time_limit``."""
        del time_limit
        yield MemoryView(self._state)


class MemoryView:
    """A `LensView` by the definitions."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def snapshot_id(self) -> SnapshotId | None:
        """The snapshot that the state is of."""
        return self._state.snapshot_id

    @property
    def last_seq(self) -> int:
        """The seq of the newest session."""
        return self._state.seq

    @property
    def committed_at(self) -> datetime | None:
        """When the newest session was committed."""
        return self._state.snapshot.committed_at if self._state.snapshot else None

    def node(self, node: NodeId) -> NodeFound:
        """Return one node."""
        return self._state.found(node)

    def neighbors(self, query: NeighborsQuery) -> Neighbors:
        """Return one page of the nodes around a node."""
        return neighbors(self._state, query)

    def shortest_path(self, query: PathQuery) -> Path:
        """Return one of the shortest paths."""
        return shortest_path(self._state, query)

    def subgraph(self, query: SubgraphQuery) -> Subgraph:
        """Return the piece of the graph around some nodes."""
        return subgraph(self._state, query)

    def related(self, query: RelatedQuery) -> Related:
        """Return the nodes that are most like one."""
        return related(self._state, query)

    def matches(self, query: Pattern) -> Matches:
        """Return one page of what fits a pattern."""
        return matches(self._state, query)

    def search(self, query: SearchQuery) -> Hits:
        """Return the nodes that hold some words."""
        return search(self._state, query)

    def statistics(self) -> Statistics:
        """Count what there is."""
        return statistics(self._state)

    def topology(self) -> Topology:
        """Return the whole graph in arrays."""
        return topology(self._state)

    def known(self, nodes: Sequence[NodeId]) -> frozenset[NodeId]:
        """Return those of the ids that are nodes."""
        return frozenset(nodes) & self._state.nodes.keys()

    def existing(self, edges: Sequence[EdgeKey]) -> frozenset[EdgeKey]:
        """Return those of the keys that are edges."""
        return frozenset(edges) & self._state.edges.keys()

    def incident(self, nodes: Sequence[NodeId]) -> frozenset[EdgeKey]:
        """Return every edge that starts or ends at one of the nodes."""
        return frozenset(key for key in self._state.edges if not {key.source, key.target}.isdisjoint(nodes))

    def committed(self, sessions: Sequence[SessionId]) -> Mapping[SessionId, Committed]:
        """Return what is remembered of those sessions that were committed."""
        return {id_: self._state.sessions[id_] for id_ in sessions if id_ in self._state.sessions}

    def newest(self, by: datetime | int) -> Stamp | None:
        """Return the newest session that was committed by a time, or of a seq that is not higher."""
        stamps = (Stamp(seq=each.seq, committed_at=each.committed_at) for each in self._state.sessions.values())
        known = [each for each in stamps if (each.seq <= by if isinstance(by, int) else each.committed_at <= by)]
        return max(known, key=lambda each: each.seq, default=None)

    def digest(self) -> str:
        """Return the digest of all nodes and edges."""
        return digest_of_graph(self._state.nodes.values(), self._state.edges.values())

    def records(self, record: str) -> Mapping[str, Json]:
        """Return by id what else is on record about the graph."""
        return {id_: properties for (kind, id_), properties in sorted(self._state.records.items()) if kind == record}
