"""What the graph needs from the world: a durable history, a fast lens on it, and somebody who watches commits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias

from aeterna.graph.domain.identifiers import Json, NodeId, SessionId, SnapshotId, TenantId
from aeterna.graph.domain.rows import Rows

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from aeterna.graph.domain.changes import EdgeKey
    from aeterna.graph.domain.queries import Neighbors, NeighborsQuery, NodeFound, Path, PathQuery, Statistics
    from aeterna.graph.domain.snapshots import Snapshot

Clock: TypeAlias = Callable[[], datetime]  # aware, UTC
Stopwatch: TypeAlias = Callable[[], float]  # seconds, monotonic
Pause: TypeAlias = Callable[[float], None]  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Sessions that are committed together; ``id`` finds the commit again when its outcome is unknown."""

    id: str
    rows: Rows
    sessions: tuple[SessionId, ...]
    first_seq: int
    last_seq: int
    committed_at: datetime
    floor: int = 0  # carried on from the parent
    epoch: int = 0  # of the lease under which it is written


class GraphStore(Protocol):
    """A tenant's durable history. Kept by ``adapters.iceberg``; faked in ``testing``.

    Every method may raise `StorageError`. Not safe for use by two threads at once.
    """

    def head(self) -> Snapshot | None:
        """Ask the catalog for the newest snapshot of any writer; None before the first."""
        ...

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return every snapshot that is still readable, oldest first, as of the last look at the catalog."""
        ...

    def append(self, batch: Batch, *, parent: SnapshotId | None) -> Snapshot:
        """Write every row of the batch as one durable snapshot on top of ``parent``.

        Raise `CommitConflictError` when ``parent`` is no longer the head, `StorageFullError` or `StorageError`
        when it could not be written (in all three nothing was), `CommitUncertainError` when nobody knows.
        """
        ...

    def settled(self, batch_id: str) -> Snapshot | None:
        """Look for a batch among the snapshots in the catalog: the answer to `CommitUncertainError`."""
        ...

    def rows(self, to: SnapshotId, *, after: int = 0) -> Rows:
        """Read the rows of the snapshot ``to``, all of them or only those with a seq behind ``after``.

        What an ``after`` below the snapshot's floor gives lacks removals: it cannot bring a state forward. Raise
        `SnapshotNotFoundError` when ``to`` is unknown.
        """
        ...


class GraphStores(Protocol):
    """The durable histories of all tenants."""

    def open(self, tenant: TenantId) -> GraphStore:
        """Give access to one tenant's history; creates nothing before the first append."""
        ...

    def probe(self) -> None:
        """Raise `StorageError` when the catalog cannot be reached."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What is remembered of a session for ever."""

    digest: str
    seq: int
    committed_at: datetime
    nodes: int
    edges: int


class LensView(Protocol):
    """One consistent state of a graph; later refreshes do not reach it.

    The questions raise `NodeNotFoundError`, `NoPathError` and, when the time is up, `QueryTimeoutError`.
    """

    @property
    def snapshot_id(self) -> SnapshotId | None:
        """The snapshot that the state is of; None while the graph is empty."""
        ...

    @property
    def last_seq(self) -> int:
        """The seq of the newest session, 0 before the first."""
        ...

    @property
    def committed_at(self) -> datetime | None:
        """When the newest session was committed."""
        ...

    def node(self, node: NodeId) -> NodeFound:
        """Return one node."""
        ...

    def neighbors(self, query: NeighborsQuery) -> Neighbors:
        """Return one page of the nodes around a node."""
        ...

    def shortest_path(self, query: PathQuery) -> Path:
        """Return one of the shortest paths."""
        ...

    def statistics(self) -> Statistics:
        """Count what there is."""
        ...

    def known(self, nodes: Sequence[NodeId]) -> frozenset[NodeId]:
        """Return those of the ids that are nodes."""
        ...

    def existing(self, edges: Sequence[EdgeKey]) -> frozenset[EdgeKey]:
        """Return those of the keys that are edges."""
        ...

    def incident(self, nodes: Sequence[NodeId]) -> frozenset[EdgeKey]:
        """Return every edge that starts or ends at one of the nodes."""
        ...

    def committed(self, sessions: Sequence[SessionId]) -> Mapping[SessionId, Committed]:
        """Return what is remembered of those sessions that were committed."""
        ...

    def records(self, record: str) -> Mapping[str, Json]:
        """Return by id what else is on record about the graph: its holds and erasures, by their ``record``."""
        ...


class Lens(Protocol):
    """A tenant's graph in a form made for questions. Kept by ``adapters.duckdb_lens``; faked in ``testing``."""

    def apply(self, rows: Rows, snapshot: Snapshot) -> None:
        """Bring the state to ``snapshot`` by the rows committed since; readers see all of it or nothing."""
        ...

    def view(self, time_limit: timedelta) -> AbstractContextManager[LensView]:
        """Hold the present state for reading, for at most ``time_limit``."""
        ...


LensFactory: TypeAlias = Callable[[], Lens]  # each an empty graph


@dataclass(slots=True, kw_only=True)
class CommitTrace:
    """What is noted about a commit while it happens."""

    sessions: int = 0
    rows: int = 0
    retries: int = 0
    snapshot_id: SnapshotId | None = None
    error: str | None = None  # the code of the error that ended it


class CommitObserver(Protocol):
    """Watches commits: spans, latencies and error counts."""

    def commit(self, tenant: TenantId) -> AbstractContextManager[CommitTrace]:
        """Watch one commit; what the trace holds at the end is what happened."""
        ...
