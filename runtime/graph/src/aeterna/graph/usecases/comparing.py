"""Compares a graph at two moments: by the rows between them where that is enough, else by both whole states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aeterna.graph.domain.arrow import pc, untyped
from aeterna.graph.domain.changes import Edge, EdgeKey, Node
from aeterna.graph.domain.diffs import (
    Change,
    Counts,
    Diff,
    EdgeChange,
    NodeChange,
    Place,
    diff_cursor_of,
    diff_cursor_parsed,
)
from aeterna.graph.domain.erasure import hiding, without_erased
from aeterna.graph.domain.identifiers import Json, Label, NodeId
from aeterna.graph.domain.states import (
    EDGE_KEY,
    NODE_KEY,
    Delta,
    State,
    behind,
    delta,
    latest,
    latest_of,
    living,
    narrowed,
    upserts,
)
from aeterna.graph.errors import QueryTimeoutError, SnapshotNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aeterna.graph.domain.arrow import Table
    from aeterna.graph.domain.diffs import DiffQuery
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.ports import GraphStore
    from aeterna.graph.usecases.engine import Engine
    from aeterna.graph.usecases.moments import Moments
    from aeterna.graph.usecases.present import Present

Way: TypeAlias = Literal["rows", "states"]

_CHANGES: Final[tuple[Change, ...]] = ("added", "changed", "removed")


class Comparing:
    """The differences between moments of one tenant's graph."""

    def __init__(self, tenant: TenantId, engine: Engine, present: Present, moments: Moments) -> None:
        self._tenant = tenant
        self._engine = engine
        self._present = present
        self._moments = moments

    def diff(self, query: DiffQuery, *, cursor: str | None = None, at_least: int = 0) -> tuple[Diff, str | None]:
        """Return a page and the cursor of the next one, which compares the same two moments.

        Raise `SnapshotNotFoundError`, `TagNotFoundError` or, when it takes too long, `QueryTimeoutError`.
        """
        after: Place | None = None
        if cursor is not None:
            start_at, end_at, after = diff_cursor_parsed(cursor, query)
            start, end = self._moments.resolved(start_at), self._moments.resolved(end_at)
        else:
            end = self._moments.newest(at_least) if query.end is None else self._moments.resolved(query.end, at_least)
            start = self._moments.resolved(query.start)
        try:
            between = self._between(start, end)
        except SnapshotNotFoundError:
            # Expired since the last look, which a moment does not depend on.
            start, end = self._moments.again(start), self._moments.again(end)
            between = self._between(start, end)
        found = narrowed(between, query.kinds, query.types)
        page = _page(found, start, end, after, (query.limit, self._engine.limits.page_bytes))
        following = None if page.next is None else diff_cursor_of(query, start.last_seq, end.last_seq, page.next)
        return page, following

    def _between(self, start: Snapshot, end: Snapshot) -> Delta:
        with self._present.view() as view:
            erasures = view.records("erasure")
        key = ("diff", self._tenant, start.last_seq, end.last_seq, hiding(erasures))
        return self._engine.reads.get(key, lambda: self._compared(start, end, erasures), lambda found: found.nbytes)

    def _compared(self, start: Snapshot, end: Snapshot, erasures: Mapping[str, Json]) -> Delta:
        store = self._engine.stores.open(self._tenant)
        store.head()
        check = self._deadline()
        older, newer = sorted((start, end), key=lambda snapshot: snapshot.last_seq)
        before, after = states(store, older, newer, erasures, check=check)
        found = delta(before, after) if older is start else delta(after, before)
        check()
        return found

    def _deadline(self) -> Callable[[], None]:
        limit, stopwatch = self._engine.limits.query_time, self._engine.world.stopwatch
        end = stopwatch() + limit.total_seconds()

        def check() -> None:
            if stopwatch() > end:
                raise QueryTimeoutError(limit)

        return check


def states(
    store: GraphStore,
    older: Snapshot,
    newer: Snapshot,
    erasures: Mapping[str, Json],
    *,
    check: Callable[[], None],
    old: Rows | None = None,
    way: Way | None = None,
) -> tuple[State, State]:
    """Return of both snapshots what tells them apart: everything, or only what was touched between them.

    ``old`` are the older one's rows, when they are here already. ``way`` says how, for a test; by default it is by rows
    wherever that is exact.
    """
    old = store.rows(older.id, up_to=older.last_seq) if old is None else old
    shown = without_erased(old, erasures)
    check()
    if way is None:
        # Forgotten removals leave no row to find; hidden rows take edges with them that no row speaks of.
        exact = newer.floor <= older.last_seq and shown.num_rows == old.num_rows
        way = "rows" if exact and not hiding(erasures) else "states"
    if way == "rows":
        touched = latest(store.rows(newer.id, after=older.last_seq, up_to=newer.last_seq))
        check()
        return upserts(latest_of(old, touched)), upserts(touched)
    before = living(latest(shown))
    check()
    return before, living(latest(without_erased(store.rows(newer.id, up_to=newer.last_seq), erasures)))


def counts_of(table: Table) -> Counts:
    """Count the changes of a delta's table."""
    found = {change: int(pc.sum(pc.equal(table["change"], change)).as_py() or 0) for change in _CHANGES}
    return Counts(added=found["added"], changed=found["changed"], removed=found["removed"])


def _page(found: Delta, start: Snapshot, end: Snapshot, after: Place | None, room: tuple[int, int]) -> Diff:
    limit, most_chars = room
    nodes, edges = found.nodes, found.edges
    if isinstance(after, EdgeKey):
        nodes, edges = untyped(nodes).slice(0, 0), behind(edges, EDGE_KEY, after)
    elif after is not None:
        nodes = behind(nodes, NODE_KEY, (after,))
    page: list[NodeChange | EdgeChange] = []
    chars = 0
    for change in _changes(nodes, edges, limit):
        # At least one, whatever its size: a page that is empty would never end.
        chars += _chars(change)
        if page and chars > most_chars:
            break
        page.append(change)
    more = len(page) < nodes.num_rows + edges.num_rows
    return Diff(
        start=start,
        end=end,
        node_counts=counts_of(found.nodes),
        edge_counts=counts_of(found.edges),
        nodes=tuple(change for change in page if isinstance(change, NodeChange)),
        edges=tuple(change for change in page if isinstance(change, EdgeChange)),
        next=_place(page[-1]) if more else None,
    )


def _changes(nodes: Table, edges: Table, limit: int) -> Iterator[NodeChange | EdgeChange]:
    for row in untyped(nodes).slice(0, limit).to_pylist():
        id_ = NodeId(row["id"])
        before, after = (
            None
            if row[f"kind_{side}"] is None
            else Node(id=id_, kind=Label(row[f"kind_{side}"]), properties=Json(row[f"properties_{side}"]))
            for side in ("before", "after")
        )
        yield NodeChange(change=row["change"], before=before, after=after)
    for row in untyped(edges).slice(0, max(0, limit - nodes.num_rows)).to_pylist():
        key = EdgeKey(NodeId(row["source"]), Label(row["type"]), NodeId(row["target"]))
        before, after = (
            None if row[f"properties_{side}"] is None else Edge(key=key, properties=Json(row[f"properties_{side}"]))
            for side in ("before", "after")
        )
        yield EdgeChange(change=row["change"], before=before, after=after)


def _chars(change: NodeChange | EdgeChange) -> int:
    return sum(len(side.properties) for side in (change.before, change.after) if side is not None)


def _place(change: NodeChange | EdgeChange) -> Place:
    side = change.after or change.before
    if side is None:
        raise AssertionError("a change has at least one side")
    return side.id if isinstance(side, Node) else side.key
