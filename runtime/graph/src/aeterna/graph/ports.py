"""What the graph needs from the world: a durable history, a fast lens on it, and somebody who watches commits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias

from aeterna.graph.domain.certificates import Removed
from aeterna.graph.domain.identifiers import Json, NodeId, SessionId, SnapshotId, TagName, TenantId
from aeterna.graph.domain.rows import Rows

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from aeterna.graph.domain.arrow import Table
    from aeterna.graph.domain.certificates import ErasedFile, Erasure, Verification
    from aeterna.graph.domain.changes import EdgeKey
    from aeterna.graph.domain.erasure import Target
    from aeterna.graph.domain.parts import Parts
    from aeterna.graph.domain.queries import Neighbors, NeighborsQuery, NodeFound, Path, PathQuery, Statistics
    from aeterna.graph.domain.questions.patterns import Matches, Pattern
    from aeterna.graph.domain.questions.relatedness import Related, RelatedQuery
    from aeterna.graph.domain.questions.searches import Hits, SearchQuery
    from aeterna.graph.domain.questions.subgraphs import Subgraph, SubgraphQuery
    from aeterna.graph.domain.snapshots import Snapshot, Stamp
    from aeterna.graph.domain.tags import Tag
    from aeterna.graph.domain.topologies import Topology
    from aeterna.graph.domain.upkeep import (
        Collected,
        CollectionPolicy,
        Expired,
        Progress,
        RetentionPolicy,
        Rewrite,
        Run,
        TaskReport,
    )

Clock: TypeAlias = Callable[[], datetime]  # aware, UTC
Stopwatch: TypeAlias = Callable[[], float]  # seconds, monotonic
Pause: TypeAlias = Callable[[float], None]  # seconds
Watch: TypeAlias = "Callable[[Progress], None]"  # what it raises stops the task


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Sessions that are committed together; ``id`` finds the commit again when its outcome is unknown."""

    id: str
    rows: Rows
    sessions: tuple[SessionId, ...]
    first_seq: int
    last_seq: int
    committed_at: datetime
    floor: int = 0  # carried on from the parent, unless an erasure rewrites what was before
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

        Raise `CommitConflictError` when ``parent`` is no longer the head, `WriterFencedError` when the head's epoch
        is higher than the batch's, `StorageFullError` or `StorageError`
        when it could not be written (in all of them nothing was), `CommitUncertainError` when nobody knows.
        """
        ...

    def settled(self, batch_id: str) -> Snapshot | None:
        """Look for a batch among the snapshots in the catalog: the answer to `CommitUncertainError`."""
        ...

    def rows(self, to: SnapshotId, *, after: int = 0, up_to: int | None = None) -> Rows:
        """Read the rows of the snapshot ``to``, or only those with a seq behind ``after`` and not behind ``up_to``.

        What an ``after`` below the snapshot's floor gives lacks removals: it cannot bring a state forward. Raise
        `SnapshotNotFoundError` when ``to`` is unknown.
        """
        ...

    def parts(self, to: SnapshotId, *, up_to: int | None = None) -> Parts:
        """Read as `rows` does, in the form in which a lens is loaded fastest."""
        ...


class TagStore(Protocol):
    """A tenant's tags: names that keep snapshots readable. Kept by ``adapters.iceberg``; faked in ``testing``.

    Every method looks at the catalog and may raise `StorageError`; after `CommitConflictError`, of which nothing was
    written, and `CommitUncertainError` it can be asked again. Not safe for use by two threads at once.
    """

    def tags(self) -> tuple[Tag, ...]:
        """Return every tag, in order of their names."""
        ...

    def create(self, name: TagName, snapshot: SnapshotId, *, expires_at: datetime | None) -> Tag:
        """Name a snapshot that is still readable, for a time or for ever.

        A tag that names it already stays as it is and is returned. Raise `TagConflictError` when the name is taken by
        another snapshot, and `SnapshotNotFoundError` when there is none.
        """
        ...

    def delete(self, name: TagName) -> None:
        """Forget the name, and leave its snapshot to maintenance; raise `TagNotFoundError`."""
        ...


class Compactor(Protocol):
    """Merges the files of one tenant's table. Kept by ``adapters.iceberg``; faked in ``testing``.

    Every method may raise `StorageError`. Not safe for use by two threads at once.
    """

    def runs(self) -> tuple[Run, ...]:
        """Ask the catalog for the head and return its runs, oldest first."""
        ...

    def rewrite(self, first: int, *, forget_before: datetime, memory_bytes: int, watch: Watch) -> Rewrite:
        """Write the rows of the runs of the last look, from position ``first`` on, as files of no snapshot yet.

        What was replaced before ``forget_before`` is left out, and what was removed when all runs are merged.
        """
        ...

    def swap(self, rewrite: Rewrite) -> Snapshot:
        """Commit the rewritten files in place of the old ones on the newest head, as a snapshot without sessions.

        Raise `CommitConflictError` when another writer was first, which another swap may survive,
        `CompactionOvertakenError` when anything but appends came between, `CommitUncertainError` when nobody knows.
        """
        ...

    def settled(self, rewrite: Rewrite) -> Snapshot | None:
        """Look for the swap in the catalog: the answer to `CommitUncertainError`."""
        ...

    def abandon(self, rewrite: Rewrite) -> None:
        """Delete the files of a rewrite that was not swapped in, as far as that is possible now."""
        ...


class Expirer(Protocol):
    """Removes old snapshots of one tenant. Kept by ``adapters.iceberg``; faked in ``testing``."""

    def expire(self, policy: RetentionPolicy, *, now: datetime, dry_run: bool) -> Expired:
        """Remove old snapshots and outdated refs; raise `StorageError`, `CommitConflictError` when one came between."""
        ...


class Collector(Protocol):
    """Deletes the files of one tenant that nothing names. Kept by ``adapters.iceberg``; faked in ``testing``."""

    def collect(self, policy: CollectionPolicy, *, now: datetime, dry_run: bool, watch: Watch) -> Collected:
        """Delete what is unreachable and older than the grace period, or raise `StorageError`; may be repeated."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a rewrite is about to take out, and who had committed it."""

    removed: Removed
    subjects: frozenset[str]


class Eraser(Protocol):
    """Takes rows out of one tenant's history for ever. Kept by ``adapters.iceberg``; faked in ``testing``.

    Every method may raise `StorageError`. Not safe for use by two threads at once.
    """

    def records(self) -> Mapping[str, Json]:
        """Return the newest text of each erasure on record, without opening the graph."""
        ...

    def state(self, *, after: int = 0) -> tuple[Snapshot, Table] | None:
        """Return the head and what its rows behind a seq are about, texts left out; None before the first."""
        ...

    def rewrite(self, erasure: Erasure, compose: Callable[[Snapshot, Reached], Batch | None]) -> Snapshot | None:
        """Commit, on the newest head, the rows without those that a pending erasure reaches.

        ``compose`` gets that head and gives the session that says so. When it gives None or raises, nothing is
        written. In the same commit every snapshot and ref goes that holds a reached row. Raise `CommitConflictError`
        when another writer was first (asking again costs little) and `CommitUncertainError`.
        """
        ...

    def settled(self, batch: Batch) -> Snapshot | None:
        """Look for the rewrite in the catalog: the answer to `CommitUncertainError`."""
        ...

    def garbage(self, erasure: Erasure) -> tuple[ErasedFile, ...]:
        """Find and weigh every file that is left and that only what a rewrite removed still names."""
        ...

    def delete(self, files: Sequence[ErasedFile]) -> None:
        """Delete the files; a file that is gone already is no error."""
        ...

    def verify(self, target: Target, seq: int, *, at: datetime) -> Verification:
        """Look for the target in every byte that is left; ``seq`` is the last that the erasure reached."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What keeps one tenant's table fast and small."""

    compactor: Compactor
    expirer: Expirer
    collector: Collector


class GraphStores(Protocol):
    """The durable histories of all tenants."""

    def open(self, tenant: TenantId) -> GraphStore:
        """Give access to one tenant's history; creates nothing before the first append."""
        ...

    def refs(self, tenant: TenantId) -> TagStore:
        """Give access to one tenant's tags."""
        ...

    def upkeep(self, tenant: TenantId) -> Upkeep:
        """Give what keeps one tenant's table fast and small."""
        ...

    def eraser(self, tenant: TenantId) -> Eraser:
        """Give what takes rows out of one tenant's history for ever."""
        ...

    def tenants(self) -> tuple[TenantId, ...]:
        """Return every tenant that has a table."""
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

    def subgraph(self, query: SubgraphQuery) -> Subgraph:
        """Return the piece of the graph around some nodes."""
        ...

    def related(self, query: RelatedQuery) -> Related:
        """Return the nodes that share the most telling neighbours with one."""
        ...

    def matches(self, query: Pattern) -> Matches:
        """Return one page of what fits a pattern; raise `QueryTooLargeError` when it needs too much memory."""
        ...

    def search(self, query: SearchQuery) -> Hits:
        """Return the nodes that hold some words.

        The index of a lens moves on and not back: after a refresh, an earlier view answers from the later state and
        names that as ``snapshot_id``.
        """
        ...

    def statistics(self) -> Statistics:
        """Count what there is."""
        ...

    def topology(self) -> Topology:
        """Return the whole graph in arrays."""
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

    def newest(self, by: datetime | int) -> Stamp | None:
        """Return the newest session that was committed by a time, or of a seq that is not higher; None before all."""
        ...

    def digest(self) -> str:
        """Return the SHA-256 of all nodes and edges, as `domain.digests` defines it."""
        ...

    def records(self, record: str) -> Mapping[str, Json]:
        """Return by id what else is on record about the graph: its holds and erasures, by their ``record``."""
        ...


class Lens(Protocol):
    """A tenant's graph in a form made for questions. Kept by ``adapters.lens``; faked in ``testing``."""

    def load(self, parts: Parts, snapshot: Snapshot) -> None:
        """Make the state that of ``snapshot``, of which ``parts`` are all the rows, whatever it was before."""
        ...

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
    epoch: int | None = None  # of the writer's lease; None when it wrote without one
    lease_seconds: float = 0.0  # waited for the lease
    queue_seconds: tuple[float, ...] = ()  # that each session of the group had waited when its commit began
    error: str | None = None  # the code of the error that ended it


class CommitObserver(Protocol):
    """Watches commits: spans, latencies and error counts. Never fails: a commit is the same when nobody watches.

    Kept by ``adapters.telemetry``; faked in ``testing``.
    """

    def commit(self, tenant: TenantId) -> AbstractContextManager[CommitTrace]:
        """Watch one commit; what its trace, a new one, holds at the end is what happened. Errors pass through."""
        ...

    def turned_away(self, tenant: TenantId, code: str) -> None:
        """Note a session that was not even queued, and the code of the error that said so."""
        ...


class WriterLeases(Protocol):
    """Who may write a tenant now: one process at a time. Kept by ``adapters.leases``; faked in ``testing``.

    A lease lets processes take turns instead of losing to each other. It is not what keeps a history right: a holder
    that was thought dead may still write. Its epoch fences it: the store refuses an epoch that is lower than the
    head's, and a parent that is not the head.
    """

    def holding(self, tenant: TenantId, *, not_below: int = 0) -> AbstractContextManager[int | None]:
        """Wait for the lease, hold it for one commit, and give its epoch, which is higher than any earlier holder's.

        ``not_below`` is the newest epoch in the history. None means: no lease, by design or because waiting took too
        long; the commit then inherits the head's epoch and relies on the parent alone. The lease may be kept for the
        next commit until another process asks for it. Leaving by `WriterFencedError` drops it. Raise `StorageError`
        when nobody can tell who holds it.
        """
        ...

    def close(self) -> None:
        """Give up every lease that is kept."""
        ...


class UpkeepObserver(Protocol):
    """Watches upkeep: counters, times and logs. Never fails: a round goes on to its next task.

    Kept by the program that runs the upkeep; faked in ``testing``.
    """

    def done(self, tenant: TenantId, report: TaskReport) -> None:
        """Note what one task did."""
        ...


class Notices(Protocol):
    """Tells processes of each other's commits, soon and perhaps. Kept by ``adapters.notices``; faked in ``testing``.

    A lost notice only costs a poll: whoever hears of a seq looks it up in the catalog, and nobody relies on hearing.
    """

    def publish(self, tenant: TenantId, seq: int) -> None:
        """Say that the seq is durable; never fails and never waits. Of several, perhaps only the newest is told."""
        ...

    def subscribe(self, listener: Callable[[TenantId, int], None]) -> None:
        """Call the listener, in any thread, for what any process publishes from now on, this one perhaps included.

        It must return soon: the others wait for it.
        """
        ...

    def close(self) -> None:
        """Tell and hear no more."""
        ...
