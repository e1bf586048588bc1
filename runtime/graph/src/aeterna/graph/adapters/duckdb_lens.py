"""The lens: properties and sessions in DuckDB, the shape in memory, and one consistent view of both."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import duckdb
import numpy as np

from aeterna.graph.adapters.duckdb_view import DuckDbView, LensState, Names
from aeterna.graph.adapters.latest import latest_edges, latest_nodes
from aeterna.graph.adapters.registry import Registry
from aeterna.graph.adapters.topology import GONE, Column, Topology
from aeterna.graph.domain.arrow import Column as ArrowColumn
from aeterna.graph.domain.arrow import Table, equal_to, mask, pa, pc, where
from aeterna.graph.domain.changes import NO_PROPERTIES
from aeterna.graph.errors import QueryTimeoutError

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import timedelta

    from aeterna.graph.adapters.adjacency import Ints
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.ports import LensView, Stopwatch

_TABLES: Final = """
CREATE TABLE nodes (number INTEGER PRIMARY KEY, id VARCHAR, kind VARCHAR, properties VARCHAR);
CREATE TABLE edges (number INTEGER PRIMARY KEY, properties VARCHAR);
CREATE TABLE sessions (session VARCHAR PRIMARY KEY, digest VARCHAR, seq BIGINT, committed_us BIGINT, counts VARCHAR);
CREATE TABLE records (record VARCHAR, id VARCHAR, properties VARCHAR, PRIMARY KEY (record, id));
"""
_DELETE_NODES: Final = "DELETE FROM nodes USING changed WHERE nodes.number = changed.number"
_DELETE_EDGES: Final = "DELETE FROM edges USING changed WHERE edges.number = changed.number"


@dataclass(slots=True)
class _EdgeColumns:
    """The growing columns behind the topology's views."""

    source: Column[np.int32]
    target: Column[np.int32]
    type: Column[np.int32]


class DuckDbLens:
    """A `Lens` on DuckDB and numpy. One thread applies while any number read.

    Registries and columns only grow, the topology is replaced as a whole, and DuckDB keeps the rows a reader began
    with: so a view stays what it was without a lock that a long read would hold.
    """

    def __init__(self, *, stopwatch: Stopwatch, threads: int = 2, memory_limit: str = "2GB") -> None:
        self._connection = duckdb.connect(":memory:", config={"threads": threads, "memory_limit": memory_limit})
        self._connection.execute(_TABLES)
        self._stopwatch = stopwatch
        self._names = Names(ids=Registry(), kinds=Registry(), types=Registry())
        self._columns = _EdgeColumns(Column(np.int32), Column(np.int32), Column(np.int32))
        self._state = LensState(topology=Topology.empty(), snapshot=None)
        self._turn = threading.Lock()  # held while a state begins or ends, never while one is read

    def apply(self, rows: Rows, snapshot: Snapshot) -> None:
        """Bring the state to ``snapshot`` by the rows committed since; readers see all of it or nothing."""
        cursor = self._connection.cursor()
        try:
            cursor.begin()
            with_nodes = self._apply_nodes(cursor, rows.filter(where("record", "node")))
            topology = self._apply_edges(cursor, rows.filter(where("record", "edge")), with_nodes)
            _apply_sessions(cursor, rows.filter(where("record", "session")))
            _apply_records(cursor, rows)
            with self._turn:
                cursor.commit()
                self._state = LensState(topology=topology, snapshot=snapshot)
        finally:
            cursor.close()  # rolls back what was not committed

    @contextlib.contextmanager
    def view(self, time_limit: timedelta) -> Generator[LensView]:
        """Hold the present state for reading, for at most ``time_limit``."""
        cursor = self._connection.cursor()
        with self._turn:
            cursor.begin()
            # DuckDB takes its snapshot with the first statement that touches the database.
            cursor.execute("SELECT number FROM nodes LIMIT 0")
            state = self._state
        alarm = threading.Timer(time_limit.total_seconds(), cursor.interrupt)
        alarm.daemon = True
        alarm.start()
        deadline = self._stopwatch() + time_limit.total_seconds()

        def check() -> None:
            if self._stopwatch() > deadline:
                raise QueryTimeoutError(time_limit)

        try:
            yield DuckDbView(state, cursor, self._names, check)
        except duckdb.InterruptException as interrupted:
            raise QueryTimeoutError(time_limit) from interrupted
        finally:
            alarm.cancel()
            cursor.close()

    def _apply_nodes(self, cursor: duckdb.DuckDBPyConnection, rows: Rows) -> Topology:
        before = self._state.topology
        numbers = self._names.ids.numbered(rows["id"])
        last = latest_nodes(numbers, rows["seq"].to_numpy())
        rows, numbers = rows.take(last), numbers[last]
        written = equal_to(rows["op"], "upsert").to_numpy()
        kinds = np.full(len(self._names.ids), GONE, dtype=np.int32)
        kinds[: len(before.kinds)] = before.kinds
        kinds[numbers[~written]] = GONE
        upserts = rows.filter(mask(written))
        kinds[numbers[written]] = self._names.kinds.numbered(upserts["kind"])
        _delete(cursor, _DELETE_NODES, numbers[~written])
        changed = {
            "number": numbers[written],
            "id": upserts["id"],
            "kind": upserts["kind"],
            "properties": upserts["properties"],
        }
        _with_rows(
            cursor,
            pa.table(changed),
            "INSERT INTO nodes SELECT number, id, kind, properties FROM changed"
            " ON CONFLICT (number) DO UPDATE SET kind = excluded.kind, properties = excluded.properties",
        )
        return replace(before, kinds=kinds)

    def _apply_edges(self, cursor: duckdb.DuckDBPyConnection, rows: Rows, before: Topology) -> Topology:
        if rows.num_rows == 0:
            return before
        source, target = self._names.ids.numbered(rows["source"]), self._names.ids.numbered(rows["target"])
        type_ = self._names.types.numbered(rows["type"])
        last = latest_edges(source, type_, target, rows["seq"].to_numpy())
        rows, source, type_, target = rows.take(last), source[last], type_[last], target[last]
        written = equal_to(rows["op"], "upsert").to_numpy()
        numbers = before.find(source, type_, target)
        new = (numbers < 0) & written
        size = len(before.source)
        numbers[new] = np.arange(size, size + int(new.sum()))
        known = numbers >= 0  # the others are tombstones of edges that never were
        alive = np.concatenate([before.alive, np.ones(int(new.sum()), dtype=np.bool_)])
        alive[numbers[known]] = written[known]
        properties = pc.fill_null(rows["properties"], NO_PROPERTIES).filter(mask(known))
        _write_edge_properties(cursor, numbers[known].astype(np.int32), properties)
        return replace(
            before,
            source=self._columns.source.extend(size, source[new]),
            target=self._columns.target.extend(size, target[new]),
            type=self._columns.type.extend(size, type_[new]),
            alive=alive,
        ).indexed()


def _write_edge_properties(cursor: duckdb.DuckDBPyConnection, numbers: Ints, properties: ArrowColumn) -> None:
    """Keep a row only for edges that have properties: most have none."""
    bare = equal_to(properties, NO_PROPERTIES)
    _delete(cursor, _DELETE_EDGES, numbers[bare.to_numpy()])
    _with_rows(
        cursor,
        pa.table({"number": numbers, "properties": properties}).filter(pc.invert(bare)),
        "INSERT INTO edges SELECT number, properties FROM changed"
        " ON CONFLICT (number) DO UPDATE SET properties = excluded.properties",
    )


def _apply_sessions(cursor: duckdb.DuckDBPyConnection, rows: Rows) -> None:
    _with_rows(
        cursor,
        rows.select(["session", "digest", "seq", "committed_at", "properties"]),
        "INSERT INTO sessions SELECT session, digest, seq, epoch_us(committed_at), properties FROM changed",
    )


def _apply_records(cursor: duckdb.DuckDBPyConnection, rows: Rows) -> None:
    of_graph = pc.field("record").isin(["node", "edge", "session"])
    _with_rows(
        cursor,
        rows.filter(~of_graph).select(["record", "id", "op", "seq", "properties"]),
        "INSERT INTO records SELECT record, id, if(arg_max(op, seq) = 'upsert', arg_max(properties, seq), NULL)"
        " FROM changed GROUP BY ALL ON CONFLICT (record, id) DO UPDATE SET properties = excluded.properties",
    )


def _delete(cursor: duckdb.DuckDBPyConnection, statement: str, numbers: Ints) -> None:
    _with_rows(cursor, pa.table({"number": numbers}), statement)


def _with_rows(cursor: duckdb.DuckDBPyConnection, rows: Table, statement: str) -> None:
    if rows.num_rows:
        cursor.register("changed", rows)
        cursor.execute(statement)
        cursor.unregister("changed")
