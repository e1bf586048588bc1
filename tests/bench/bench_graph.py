"""How fast the graph commits, loads and walks, each beside a named peer in the same run.

Progress goes to stderr; the last line on stdout is one JSON object. ``*_ratio`` above 1 says how many times better
we are than the peer, unless the name says "over", which is how many times the peer's cost we pay.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import igraph
import numpy as np
from pyiceberg.catalog.sql import SqlCatalog

from aeterna.graph.adapters.duckdb_lens import DuckDbLens
from aeterna.graph.adapters.iceberg.catalog import IcebergGraphStores
from aeterna.graph.adapters.walks import Way, ball, shortest
from aeterna.graph.domain.arrow import Table, pa, untyped
from aeterna.graph.domain.changes import edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import SessionId, TenantId
from aeterna.graph.domain.rows import ROW_SCHEMA, Accepted, rows_of
from aeterna.graph.main import open_graphs
from aeterna.graph.ports import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.graph.adapters.adjacency import Ints
    from aeterna.graph.adapters.topology import Topology
    from aeterna.graph.domain.arrow import Table
from aeterna.graph.domain.changes import Session

TENANT = TenantId("bench")
CLIENTS, SESSIONS = 64, 768
APPENDS, LATE = 120, 20
NODES, EDGES = 200_000, 1_000_000
WALKS = 60


def say(text: str) -> None:
    """Tell the terminal what is going on."""
    sys.stderr.write(f"{text}\n")


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def session(number: int) -> Session:
    """Return a small session, as an agent would commit."""
    nodes = [node_of(f"n{number}:{part}", "Thing", {"number": number}) for part in range(5)]
    edges = [edge_of(nodes[0].id, "has", node.id) for node in nodes[1:]]
    return session_of(f"s{number}", subject="bench", nodes=nodes, edges=edges)


def commits(folder: Path) -> dict[str, float]:
    """Measure group commit by 64 clients, and one client alone, beside stock appends."""
    one = Accepted(session=session(0), seq=1, committed_at=datetime.now(UTC), removed_nodes=(), removed_edges=())
    rows = rows_of([one])
    catalog = SqlCatalog("stock", uri=f"sqlite:///{folder}/stock.db", warehouse=str(folder / "stock"))
    catalog.create_namespace("stock")
    table = untyped(catalog).create_table(("stock", "graph"), schema=ROW_SCHEMA)
    graphs = open_graphs(catalog_uri=f"sqlite:///{folder}/ours.db", warehouse=str(folder / "ours"))
    alone = graphs.of(TenantId("alone"))
    say(f"{APPENDS} appends as pyiceberg does it out of the box, and in turn {APPENDS} durable commits of ours")
    stock: list[float] = []
    single: list[float] = []
    for number in range(APPENDS):
        # In turn, so that whatever else the machine does hits both.
        stock.append(timed(lambda: table.append(rows)))
        single.append(timed(lambda number=number: alone.commit(session(number))))
    catalog.engine.dispose()
    crowd = graphs.of(TENANT)

    def wait(number: int) -> float:
        return timed(lambda: crowd.commit(session(number)))

    say(f"{SESSIONS} commits of ours by {CLIENTS} clients")
    with ThreadPoolExecutor(CLIENTS) as pool:
        begun = time.perf_counter()
        waits = list(pool.map(wait, range(SESSIONS)))
        seconds = time.perf_counter() - begun
    graphs.close()
    rate, stock_rate, single_rate = SESSIONS / seconds, len(stock) / sum(stock), len(single) / sum(single)
    early = statistics.median(single[:LATE])
    return {
        "stock_sequential_sessions_per_s": stock_rate,
        "single_client_sessions_per_s": single_rate,
        "group_commit_sessions_per_s": rate,
        "group_commit_over_stock_sequential_ratio": rate / stock_rate,
        "group_commit_over_own_sequential_ratio": rate / single_rate,
        "group_commit_p95_over_own_sequential_p50": statistics.quantiles(waits, n=20)[-1] / statistics.median(single),
        "append_at_120_snapshots_ours_over_early": statistics.median(single[-LATE:]) / early,
        "append_at_120_snapshots_stock_over_early": statistics.median(stock[-LATE:]) / statistics.median(stock[:LATE]),
        "append_at_120_snapshots_faster_than_stock_ratio": statistics.median(stock[-LATE:])
        / statistics.median(single[-LATE:]),
    }


def power_law() -> tuple[Ints, Ints]:
    """Return the ends of the edges of a graph in which few nodes have most of them."""
    generator = np.random.default_rng(7)
    source = (NODES * generator.random(EDGES) ** 3).astype(np.int32)
    target = (NODES * generator.random(EDGES) ** 2).astype(np.int32)
    pairs = np.unique(np.stack([source, target], axis=1), axis=0)
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])


def rows_of_graph(source: Ints, target: Ints) -> Table:
    """Write the graph as the rows of one session."""
    ids = pa.array([f"node:{number}" for number in range(NODES)])
    edges, none = len(source), pa.nulls
    size = NODES + edges + 1
    at = pa.scalar(datetime.now(UTC), pa.timestamp("us", tz="UTC"))

    def column(nodes: object, edges: object, session_value: str | None = None) -> object:
        return pa.concat_arrays([nodes, edges, pa.array([session_value], pa.string())])

    columns = {
        "record": column(pa.repeat("node", NODES), pa.repeat("edge", edges), "session"),
        "op": pa.repeat("upsert", size),
        "seq": pa.repeat(pa.scalar(1, pa.int64()), size),
        "session": pa.repeat("bulk", size),
        "committed_at": pa.repeat(at, size),
        "subject": pa.repeat("bench", size),
        "id": column(ids, none(edges, pa.string())),
        "kind": column(pa.repeat("Thing", NODES), none(edges, pa.string())),
        "source": column(none(NODES, pa.string()), ids.take(pa.array(source))),
        "type": column(none(NODES, pa.string()), pa.repeat("knows", edges)),
        "target": column(none(NODES, pa.string()), ids.take(pa.array(target))),
        "properties": column(pa.repeat('{"a":1}', NODES), pa.repeat("{}", edges), '{"edges":0,"nodes":0}'),
        "digest": column(none(NODES, pa.string()), none(edges, pa.string()), "bulk"),
    }
    return pa.table(columns, schema=ROW_SCHEMA)


def loading(folder: Path, rows: Table) -> tuple[dict[str, float], DuckDbLens]:
    """Measure a bulk append and a full load beside what DuckDB needs for the same Parquet."""
    stores = IcebergGraphStores(
        catalog_uri=f"sqlite:///{folder}/bulk.db", warehouse=str(folder / "bulk"), power_safe=True
    )
    now = datetime.now(UTC)
    batch = Batch(id="bulk", rows=rows, sessions=(SessionId("bulk"),), first_seq=1, last_seq=1, committed_at=now)
    store = stores.open(TENANT)
    say(f"append {rows.num_rows} rows as one snapshot, and copy them as Parquet with DuckDB")
    append = timed(lambda: store.append(batch, parent=None))
    duck = duckdb.connect()
    duck.register("bulk", rows)
    copy = timed(lambda: duck.table("bulk").write_parquet(f"{folder}/raw.parquet", compression="zstd"))
    say("load them: raw into DuckDB, and into a lens that can answer")
    raw = timed(lambda: duck.read_parquet(f"{folder}/raw.parquet").create("raw"))
    lens = DuckDbLens(stopwatch=time.monotonic)

    def load() -> None:
        reader = stores.open(TENANT)
        head = reader.head()
        if head is not None:
            lens.apply(reader.rows(head.id), head)

    ours = timed(load)
    stores.close()
    return {
        "bulk_append_rows_per_s_over_parquet_copy_ratio": copy / append,
        "full_load_seconds": ours,
        "full_load_over_raw_parquet": ours / raw,
    }, lens


def walking(lens: DuckDbLens, source: Ints, target: Ints) -> dict[str, float]:
    """Measure walks in the lens's own shape beside DuckDB's recursive queries and igraph."""
    topology: Topology = untyped(lens)._state.topology  # the walk itself, without the page around it
    duck = duckdb.connect()
    duck.register("pairs", pa.table({"s": source, "t": target}))
    duck.execute("CREATE TABLE edge AS SELECT * FROM pairs ORDER BY s")
    graph = untyped(igraph).Graph(n=NODES, edges=np.stack([source, target], axis=1), directed=True)
    origins = [int(node) for node in np.random.default_rng(11).integers(NODES // 2, NODES, WALKS)]
    way = Way(direction="out", types=None, check=lambda: None)
    cte = """WITH RECURSIVE walk(node, depth) AS (
        SELECT ?::INTEGER, 0 UNION SELECT t, depth + 1 FROM walk JOIN edge ON s = node WHERE depth < 2)
        SELECT count(DISTINCT node) FROM walk"""
    say("2-hop walks")
    ours = [timed(lambda node=node: ball(topology, node, 2, way)) for node in origins]
    peer = [timed(lambda node=node: duck.execute(cte, [node]).fetchall()) for node in origins]
    theirs = [timed(lambda node=node: graph.neighborhood(node, order=2, mode="out")) for node in origins]
    say("shortest paths")
    goals = [int(node) for node in np.random.default_rng(13).integers(0, NODES, WALKS)]
    pairs = list(zip(origins, goals, strict=True))
    found = [timed(lambda a=a, b=b: shortest(topology, a, b, 16, way)) for a, b in pairs]
    path = """WITH RECURSIVE walk(node, depth) USING KEY (node) AS (
        SELECT ?::INTEGER, 0 UNION SELECT t, min(walk.depth + 1) FROM walk JOIN edge ON s = walk.node
        LEFT JOIN recurring.walk AS seen ON seen.node = t WHERE seen.node IS NULL AND walk.depth < 16 GROUP BY t)
        SELECT depth FROM walk WHERE node = ?"""
    searched = [timed(lambda a=a, b=b: duck.execute(path, [a, b]).fetchall()) for a, b in pairs[:5]]
    by_igraph = [timed(lambda a=a, b=b: graph.distances(a, b, mode="out")) for a, b in pairs[:20]]
    median = statistics.median
    return {
        "two_hop_ms": median(ours) * 1000,
        "two_hop_faster_than_duckdb_cte_ratio": median(peer) / median(ours),
        "two_hop_over_igraph": median(ours) / median(theirs),
        "shortest_path_ms": median(found) * 1000,
        "shortest_path_faster_than_duckdb_cte_ratio": median(searched) / median(found),
        "shortest_path_faster_than_igraph_ratio": median(by_igraph) / median(found),
    }


def main() -> None:
    """Measure everything in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="bench-graph-"))
    try:
        results = commits(folder)
        source, target = power_law()
        loaded, lens = loading(folder, rows_of_graph(source, target))
        results |= loaded | walking(lens, source, target)
    finally:
        shutil.rmtree(folder)
    say(f"{NODES} nodes, {len(source)} edges, Python {sys.version.split()[0]}, duckdb {duckdb.__version__}")
    sys.stdout.write(json.dumps({name: round(value, 3) for name, value in results.items()}) + "\n")


if __name__ == "__main__":
    main()
