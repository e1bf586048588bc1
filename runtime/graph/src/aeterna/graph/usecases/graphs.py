"""The graphs of all tenants, as a service uses them: ask a tenant's graph, or hand it a session."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from aeterna.graph.domain.certificates import ERASURE
from aeterna.graph.domain.erasure import hiding, without_erased
from aeterna.graph.domain.fingerprints import Fingerprint
from aeterna.graph.domain.questions.checks import within
from aeterna.graph.domain.questions.cursors import cursor_of, cursor_parsed, offset_cursor_of, offset_cursor_parsed
from aeterna.graph.domain.questions.pages import (
    matches_within,
    neighbors_within,
    require_related_within,
    require_subgraph_within,
    subgraph_within,
)
from aeterna.graph.domain.snapshots import AtSeq
from aeterna.graph.errors import GraphClosedError, InvalidQueryError, SnapshotNotFoundError
from aeterna.graph.usecases.committing import GroupCommitter
from aeterna.graph.usecases.erasing import Erasures
from aeterna.graph.usecases.erasure_jobs import ErasureJobs
from aeterna.graph.usecases.history import History
from aeterna.graph.usecases.present import Present
from aeterna.graph.usecases.replica import Replica

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.identifiers import Json, NodeId, SnapshotId, TenantId
    from aeterna.graph.domain.queries import Neighbors, NeighborsQuery, NodeFound, Path, PathQuery, Statistics
    from aeterna.graph.domain.questions.patterns import Matches, Pattern
    from aeterna.graph.domain.questions.relatedness import Related, RelatedQuery
    from aeterna.graph.domain.questions.searches import Hits, SearchQuery
    from aeterna.graph.domain.questions.subgraphs import Subgraph, SubgraphQuery
    from aeterna.graph.domain.snapshots import AsOf, Receipt, Snapshot
    from aeterna.graph.domain.topologies import Topology
    from aeterna.graph.ports import Lens, LensView
    from aeterna.graph.usecases.engine import Engine


class Graph:
    """One tenant's graph. Reads block; a commit gives a future.

    Every read takes ``as_of`` (a snapshot or a time; the newest state without it) and ``at_least``, a seq that
    the newest state must hold, which is how a client reads its own writes from any replica. Both raise
    `SnapshotNotFoundError`. A ``budget`` is how many bytes of names and properties the answer may have, where that is
    less than a page of this process has.
    """

    def __init__(self, tenant: TenantId, engine: Engine) -> None:
        self._tenant = tenant
        self._engine = engine
        self._present = Present(tenant, engine.stores.open(tenant), engine)
        self.history = History(tenant, engine, self._present)
        self._committer = GroupCommitter(tenant, self._present, engine)
        self.erasures = Erasures(tenant, self._present, engine)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being committed."""
        return self._committer.idle

    @property
    def shown_seq(self) -> int:
        """The seq of the newest session that reads see; 0 before the first."""
        return self._present.shown_seq

    @property
    def known_seq(self) -> int:
        """The seq of the newest session that the catalog told of."""
        return self._present.known_seq

    def refresh(self, seq: int | None = None) -> None:
        """Look at the catalog, unless reads see ``seq`` already; raise `StorageError`."""
        self._present.refresh(seq)

    def close(self) -> None:
        """Take no more sessions, and return when those that wait are committed."""
        self._committer.close()

    def submit(self, session: Session) -> Future[Receipt]:
        """Queue the session and return at once; see `GroupCommitter.submit`."""
        return self._committer.submit(session)

    def commit(self, session: Session) -> Receipt:
        """Write the session and return when it is durable; raise what forbids it."""
        return self.submit(session).result()

    def node(self, node: NodeId, *, as_of: AsOf | None = None, at_least: int = 0) -> NodeFound:
        """Return a node, or raise `NodeNotFoundError`."""
        with self._view(as_of, at_least) as view:
            return view.node(node)

    def neighbors(
        self,
        query: NeighborsQuery,
        *,
        cursor: str | None = None,
        as_of: AsOf | None = None,
        at_least: int = 0,
        budget: int | None = None,
    ) -> tuple[Neighbors, str | None]:
        """Return a page and the cursor of the next one; pages that follow a cursor stay in the first one's state."""
        self._require_depth(query.depth)
        if cursor is not None:
            as_of, after = cursor_parsed(cursor, query) if as_of is None else _twice_in_time()
            query = replace(query, after=after)
        with self._view(as_of, at_least) as view:
            page = neighbors_within(view.neighbors(query), self._page_bytes(budget))
        return page, None if page.next is None else cursor_of(query, page.seq, page.next)

    def shortest_path(self, query: PathQuery, *, as_of: AsOf | None = None, at_least: int = 0) -> Path:
        """Return one of the shortest paths, or raise `NoPathError`."""
        with self._view(as_of, at_least) as view:
            return view.shortest_path(query)

    def subgraph(
        self, query: SubgraphQuery, *, as_of: AsOf | None = None, at_least: int = 0, budget: int | None = None
    ) -> Subgraph:
        """Return the piece of the graph around some nodes; raise `AnswerTooLargeError` when it has too many bytes.

        With a budget, what is farthest from the seeds is left out until the rest fits.
        """
        self._require_depth(query.depth)
        with self._view(as_of, at_least) as view:
            found = view.subgraph(query)
        if budget is None:
            return require_subgraph_within(found, self._engine.limits.page_bytes)
        return subgraph_within(found, self._page_bytes(budget))

    def related(
        self, query: RelatedQuery, *, as_of: AsOf | None = None, at_least: int = 0, budget: int | None = None
    ) -> Related:
        """Return the nodes that are most like a node by what they are joined to."""
        with self._view(as_of, at_least) as view:
            return require_related_within(view.related(query), self._page_bytes(budget))

    def matches(
        self,
        query: Pattern,
        *,
        cursor: str | None = None,
        as_of: AsOf | None = None,
        at_least: int = 0,
        budget: int | None = None,
    ) -> tuple[Matches, str | None]:
        """Return a page of what fits a pattern, and the cursor of the next one in the same state."""
        if cursor is not None:
            as_of, offset = offset_cursor_parsed(cursor, query) if as_of is None else _twice_in_time()
            query = replace(query, offset=offset)
        with self._view(as_of, at_least) as view:
            page = matches_within(view.matches(query), query.offset, self._page_bytes(budget))
        return page, None if page.next is None else offset_cursor_of(query, page.seq, page.next)

    def search(self, query: SearchQuery, *, as_of: AsOf | None = None, at_least: int = 0) -> Hits:
        """Return the nodes that hold some words, the best first."""
        with self._view(as_of, at_least) as view:
            hits = view.search(query)
            asked_of = view.last_seq
        if as_of is None or hits.seq == asked_of:
            return hits
        # The index of the present went on meanwhile; that of a lens on the past does not.
        with self._past(self.history.moments.resolved(AtSeq(asked_of), at_least)) as view:
            return view.search(query)

    def statistics(self, *, as_of: AsOf | None = None, at_least: int = 0) -> Statistics:
        """Count what there is."""
        with self._view(as_of, at_least) as view:
            return view.statistics()

    def topology(self, *, as_of: AsOf | None = None, at_least: int = 0) -> tuple[int, Topology]:
        """Return the whole graph in arrays, and the seq of the newest session in it."""
        with self._view(as_of, at_least) as view:
            return view.last_seq, view.topology()

    def fingerprint(self, *, as_of: AsOf | None = None, at_least: int = 0) -> Fingerprint:
        """Return what two replicas compare to know that they show the same."""
        with self._view(as_of, at_least) as view:
            counts = view.statistics()
            return Fingerprint(
                digest=view.digest(),
                seq=view.last_seq,
                snapshot_id=view.snapshot_id,
                nodes=counts.nodes,
                edges=counts.edges,
            )

    def snapshots(self, limit: int, *, at_least: int = 0) -> tuple[Snapshot, ...]:
        """Return the newest snapshots, newest first."""
        return self._present.snapshots(at_least)[::-1][:limit]

    @contextlib.contextmanager
    def _view(self, as_of: AsOf | None, at_least: int) -> Generator[LensView]:
        if as_of is None:
            with self._present.view(at_least) as view:
                yield view
            return
        wanted = self.history.moments.resolved(as_of, at_least)
        with self._present.view() as view:
            if view.last_seq == wanted.last_seq:
                yield view
                return
        with self._past(wanted) as view:
            yield view

    def _past(self, wanted: Snapshot) -> AbstractContextManager[LensView]:
        try:
            lens = self._past_lens(wanted)
        except SnapshotNotFoundError:
            # Expired since the last look, which a moment does not depend on.
            lens = self._past_lens(self.history.moments.again(wanted))
        return lens.view(self._engine.limits.query_time)

    def _past_lens(self, wanted: Snapshot) -> Lens:
        with self._present.view() as view:
            erasures = view.records(ERASURE)
        return self._engine.past.get(
            self._tenant, wanted.last_seq, lambda: self._loaded(wanted, erasures), without=hiding(erasures)
        )

    def _page_bytes(self, budget: int | None) -> int:
        most = self._engine.limits.page_bytes
        return most if budget is None else min(budget, most)

    def _require_depth(self, depth: int) -> None:
        within(depth, 0, self._engine.limits.max_depth, "depth")

    def seq_of(self, snapshot: SnapshotId) -> int:
        """Return the seq up to which a snapshot holds sessions; raise `SnapshotNotFoundError`."""
        return self.history.moments.resolved(snapshot, 0).last_seq

    def _loaded(self, snapshot: Snapshot, erasures: Mapping[str, Json]) -> Lens:
        store = self._engine.stores.open(self._tenant)  # its own: the present's is moved by commits meanwhile
        store.head()
        lens = self._engine.new_lens()
        if hiding(erasures):
            lens.apply(without_erased(store.rows(snapshot.id, up_to=snapshot.last_seq), erasures), snapshot)
        else:
            lens.load(store.parts(snapshot.id, up_to=snapshot.last_seq), snapshot)
        return lens


def _twice_in_time() -> NoReturn:
    raise InvalidQueryError("cursor", "names a moment already; leave as_of away")


class Graphs:
    """The graphs of all tenants: opened when asked for, and the least recently used ones forgotten again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._graphs: OrderedDict[TenantId, Graph] = OrderedDict()
        self._turn = threading.Lock()
        self._closed = False
        self.erasure_jobs = ErasureJobs(
            lambda tenant: self.of(tenant).erasures, engine.world, tenants=engine.stores.tenants
        )
        self.replica = Replica(opened=self.opened, notices=engine.notices, stopwatch=engine.world.stopwatch)

    @property
    def engine(self) -> Engine:
        """What all graphs share."""
        return self._engine

    def opened(self) -> dict[TenantId, Graph]:
        """Return the graphs that are open now."""
        with self._turn:
            return dict(self._graphs)

    def of(self, tenant: TenantId) -> Graph:
        """Return the tenant's graph; nothing is read or made before it is used."""
        with self._turn:
            if self._closed:
                raise GraphClosedError
            graph = self._graphs.get(tenant)
            if graph is None:
                graph = self._graphs[tenant] = Graph(tenant, self._engine)
            self._graphs.move_to_end(tenant)
            self._forget_some()
            return graph

    def probe(self) -> None:
        """Raise `StorageError` when the storage cannot be reached."""
        self._engine.stores.probe()

    def close(self) -> None:
        """Commit what waits, then release everything."""
        with self._turn:
            self._closed = True
            graphs = list(self._graphs.values())
        for graph in graphs:
            graph.close()
        self.replica.close()
        self._engine.executor.shutdown()
        self._engine.leases.close()
        self._engine.stores.close()

    def _forget_some(self) -> None:
        for tenant in list(self._graphs)[:-1]:
            if len(self._graphs) <= self._engine.limits.open_tenants:
                return
            # A graph with waiting sessions stays: forgetting it would leave nobody to wait for them at the end.
            if self._graphs[tenant].idle:
                del self._graphs[tenant]
