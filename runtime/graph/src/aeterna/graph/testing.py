"""For tests of whatever uses a graph: its ports in plain Python, obviously right and slow."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aeterna.graph.domain.arrow import pa, pc
from aeterna.graph.domain.changes import Edge, EdgeKey, Node
from aeterna.graph.domain.identifiers import Json, Label, NodeId, SessionId, SnapshotId
from aeterna.graph.domain.queries import NeighborFound, Neighbors, NodeFound, Path, Position, Statistics
from aeterna.graph.domain.rows import ROW_SCHEMA
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import (
    CommitConflictError,
    CommitUncertainError,
    NodeNotFoundError,
    NoPathError,
    SnapshotNotFoundError,
    StorageError,
)
from aeterna.graph.ports import Batch, Committed, CommitTrace

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.queries import Direction, NeighborsQuery, PathQuery
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.ports import LensView


class MemoryGraphStores:
    """`GraphStores` in memory. `lose_answers` and `refuse` make the next appends fail as real storage does."""

    def __init__(self) -> None:
        self._histories: dict[TenantId, list[tuple[Snapshot, Batch]]] = defaultdict(list)
        self._ids = itertools.count(1)
        self._failures: list[StorageError] = []

    def open(self, tenant: TenantId) -> MemoryGraphStore:
        """Give access to one tenant's history."""
        return MemoryGraphStore(self._histories[tenant], self._ids, self._failures)

    def probe(self) -> None:
        """Return: memory can always be reached."""

    def close(self) -> None:
        """Release nothing."""

    def lose_answers(self, count: int = 1) -> None:
        """Let the next appends happen, and say that nobody knows."""
        otherwise = StorageError("commit", "a test said so")
        self._failures.extend(CommitUncertainError("commit", "a test said so", otherwise) for _ in range(count))

    def refuse(self, failure: StorageError) -> None:
        """Let the next append fail, and nothing be written."""
        self._failures.append(failure)


class MemoryGraphStore:
    """A `GraphStore` on a list."""

    def __init__(
        self, history: list[tuple[Snapshot, Batch]], ids: itertools.count[int], failures: list[StorageError]
    ) -> None:
        self._history = history
        self._ids = ids
        self._failures = failures

    def head(self) -> Snapshot | None:
        """Return the newest snapshot."""
        return self._history[-1][0] if self._history else None

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return every snapshot, oldest first."""
        return tuple(snapshot for snapshot, _ in self._history)

    def append(self, batch: Batch, *, parent: SnapshotId | None) -> Snapshot:
        """Append the batch, unless ``parent`` is no longer the head or a test wanted a failure."""
        head = self.head()
        if (head.id if head else None) != parent:
            raise CommitConflictError("commit", f"the head is no longer {parent}")
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None and not isinstance(failure, CommitUncertainError):
            raise failure
        snapshot = Snapshot(
            id=SnapshotId(next(self._ids)),
            first_seq=batch.first_seq,
            last_seq=batch.last_seq,
            committed_at=batch.committed_at,
            floor=batch.floor,
            epoch=batch.epoch,
        )
        self._history.append((snapshot, batch))
        if failure is not None:
            raise failure
        return snapshot

    def settled(self, batch_id: str) -> Snapshot | None:
        """Look for a batch."""
        return next((snapshot for snapshot, batch in self._history if batch.id == batch_id), None)

    def rows(self, to: SnapshotId, *, after: int = 0) -> Rows:
        """Return what was appended up to ``to`` with a seq behind ``after``."""
        ids = [snapshot.id for snapshot, _ in self._history]
        if to not in ids:
            raise SnapshotNotFoundError(str(to))
        batches = [batch.rows for _, batch in self._history[: ids.index(to) + 1]]
        return pa.concat_tables(batches).filter(pc.field("seq") > after)


@dataclass(frozen=True, slots=True)
class _State:
    snapshot: Snapshot | None = None
    nodes: dict[NodeId, Node] = field(default_factory=dict[NodeId, Node])
    edges: dict[EdgeKey, Edge] = field(default_factory=dict[EdgeKey, Edge])
    sessions: dict[SessionId, Committed] = field(default_factory=dict[SessionId, Committed])
    records: dict[tuple[str, str], Json] = field(default_factory=dict[tuple[str, str], Json])


class MemoryLens:
    """A `Lens` on dictionaries."""

    def __init__(self) -> None:
        self._state = _State()

    def apply(self, rows: Rows, snapshot: Snapshot) -> None:
        """Bring the state to ``snapshot``."""
        before = self._state
        nodes, edges, sessions = dict(before.nodes), dict(before.edges), dict(before.sessions)
        records = dict(before.records)
        columns = {name: rows[name].to_pylist() for name in ROW_SCHEMA.names}
        in_order = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        for row in sorted(in_order, key=lambda row: row["seq"]):
            match row["record"], row["op"]:
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
        self._state = _State(snapshot, nodes, edges, sessions, records)

    @contextlib.contextmanager
    def view(self, time_limit: timedelta) -> Generator[LensView]:
        """Hold the present state; plain Python is not stopped after ``time_limit``."""
        del time_limit
        yield _MemoryView(self._state)


class _MemoryView:
    """A `LensView` by the definitions."""

    def __init__(self, state: _State) -> None:
        self._state = state

    @property
    def snapshot_id(self) -> SnapshotId | None:
        return self._state.snapshot.id if self._state.snapshot else None

    @property
    def last_seq(self) -> int:
        return self._state.snapshot.last_seq if self._state.snapshot else 0

    @property
    def committed_at(self) -> datetime | None:
        return self._state.snapshot.committed_at if self._state.snapshot else None

    def node(self, node: NodeId) -> NodeFound:
        found = self._node(node)
        return NodeFound(snapshot_id=self.snapshot_id, id=node, kind=found.kind, properties=found.properties)

    def neighbors(self, query: NeighborsQuery) -> Neighbors:
        types = query.types or None
        depths = self._depths(query.node, query.depth, query.direction, types)
        ordered = sorted(
            (depth, node)
            for node, depth in depths.items()
            if depth and (not query.kinds or self._state.nodes[node].kind in query.kinds)
        )
        if query.after is not None:
            ordered = [each for each in ordered if each > (query.after.depth, query.after.node)]
        page = ordered[: query.limit]
        edges = {
            edge
            for depth, node in page
            for start, arrival, edge in self._steps(query.direction, types)
            if arrival == node and depths.get(start) == depth - 1
        }
        nodes = tuple(
            NeighborFound(
                id=node,
                kind=self._state.nodes[node].kind,
                properties=self._state.nodes[node].properties,
                depth=depth,
            )
            for depth, node in page
        )
        return Neighbors(
            snapshot_id=self.snapshot_id,
            nodes=nodes,
            edges=tuple(self._state.edges[key] for key in sorted(edges)),
            next=Position(depth=nodes[-1].depth, node=nodes[-1].id) if len(ordered) > len(page) else None,
        )

    def shortest_path(self, query: PathQuery) -> Path:
        self._node(query.source)
        self._node(query.target)
        depths = self._depths(query.source, query.max_hops, query.direction, None)
        if query.target not in depths:
            raise NoPathError(query.source, query.target, query.max_hops)
        nodes, edges = [query.target], list[EdgeKey]()
        while nodes[-1] != query.source:
            start, edge = next(
                (start, edge)
                for start, arrival, edge in self._steps(query.direction, None)
                if arrival == nodes[-1] and depths.get(start) == depths[arrival] - 1
            )
            nodes.append(start)
            edges.append(edge)
        return Path(snapshot_id=self.snapshot_id, nodes=tuple(reversed(nodes)), edges=tuple(reversed(edges)))

    def statistics(self) -> Statistics:
        return Statistics(
            snapshot_id=self.snapshot_id,
            seq=self.last_seq,
            nodes=len(self._state.nodes),
            edges=len(self._state.edges),
            node_kinds=_counted(node.kind for node in self._state.nodes.values()),
            edge_types=_counted(key.type for key in self._state.edges),
        )

    def known(self, nodes: Sequence[NodeId]) -> frozenset[NodeId]:
        return frozenset(nodes) & self._state.nodes.keys()

    def existing(self, edges: Sequence[EdgeKey]) -> frozenset[EdgeKey]:
        return frozenset(edges) & self._state.edges.keys()

    def incident(self, nodes: Sequence[NodeId]) -> frozenset[EdgeKey]:
        return frozenset(key for key in self._state.edges if not {key.source, key.target}.isdisjoint(nodes))

    def committed(self, sessions: Sequence[SessionId]) -> Mapping[SessionId, Committed]:
        return {id_: self._state.sessions[id_] for id_ in sessions if id_ in self._state.sessions}

    def records(self, record: str) -> Mapping[str, Json]:
        return {id_: text for (name, id_), text in self._state.records.items() if name == record}

    def _node(self, node: NodeId) -> Node:
        if node not in self._state.nodes:
            raise NodeNotFoundError(node)
        return self._state.nodes[node]

    def _steps(self, direction: Direction, types: frozenset[Label] | None) -> Generator[tuple[NodeId, NodeId, EdgeKey]]:
        for key in self._state.edges:
            if types is not None and key.type not in types:
                continue
            if direction != "in":
                yield key.source, key.target, key
            if direction != "out":
                yield key.target, key.source, key

    def _depths(
        self, origin: NodeId, depth: int, direction: Direction, types: frozenset[Label] | None
    ) -> dict[NodeId, int]:
        self._node(origin)
        depths = {origin: 0}
        for step in range(1, depth + 1):
            arrivals = {arrival for start, arrival, _ in self._steps(direction, types) if depths.get(start) == step - 1}
            for arrival in arrivals - depths.keys():
                depths[arrival] = step
        return depths


class RecordingCommitObserver:
    """A `CommitObserver` that remembers every trace."""

    def __init__(self) -> None:
        self.traces: list[tuple[TenantId, CommitTrace]] = []

    @contextlib.contextmanager
    def commit(self, tenant: TenantId) -> Generator[CommitTrace]:
        """Watch one commit."""
        trace = CommitTrace()
        self.traces.append((tenant, trace))
        yield trace


def _counted(labels: Iterable[Label]) -> dict[Label, int]:
    counts: dict[Label, int] = defaultdict(int)
    for label in labels:
        counts[label] += 1
    return dict(sorted(counts.items()))
