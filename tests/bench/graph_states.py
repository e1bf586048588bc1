"""The part of the graph's benchmark about states: writing them in bulk, loading them, moving them on, walking them."""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import duckdb
import igraph
import numpy as np
from graph_measures import TENANT, Figures, Shape, batch_of, changes_of, median_ms, name_of, power_law, say, timed

from aeterna.graph.adapters.lens.applying import Growth
from aeterna.graph.adapters.lens.arrow_lens import ArrowLens
from aeterna.graph.adapters.lens.walks import Way, ball, shortest
from aeterna.graph.domain.arrow import pa, untyped
from aeterna.graph.domain.identifiers import tenant_id
from aeterna.graph.main import open_stores

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.graph.adapters.iceberg.store import IcebergGraphStore
    from aeterna.graph.adapters.iceberg.stores import IcebergGraphStores
    from aeterna.graph.adapters.lens.adjacency import Ints
    from aeterna.graph.adapters.lens.state import LensState
    from aeterna.graph.domain.arrow import Table

COMMITS: Final = 120
COMMIT_EDGES: Final = 500
REPEATS: Final = 3
WALKS: Final = 60
ENOUGH: Final = 15.0  # seconds
_WALK: Final = """WITH RECURSIVE walk(node, depth) AS (
    SELECT ?::INTEGER, 0 UNION SELECT t, depth + 1 FROM walk JOIN edge ON s = node WHERE depth < 2)
    SELECT count(DISTINCT node) FROM walk"""
_PATH: Final = """WITH RECURSIVE walk(node, depth) USING KEY (node) AS (
    SELECT ?::INTEGER, 0 UNION SELECT t, min(walk.depth + 1) FROM walk JOIN edge ON s = walk.node
    LEFT JOIN recurring.walk AS seen ON seen.node = t WHERE seen.node IS NULL AND walk.depth < 16 GROUP BY t)
    SELECT depth FROM walk WHERE node = ?"""


def measured(folder: Path, shape: Shape) -> Figures:
    """Measure one size; leaves the compacted graph in the folder."""
    source, target = power_law(shape)
    stores = open_stores(catalog_uri=f"sqlite:///{folder}/catalog.db", warehouse=str(folder / "warehouse"))
    try:
        figures, lens = _stored(stores, folder, shape, source, target)
    finally:
        stores.close()
    state: LensState = untyped(lens)._state
    return figures | _memory(state) | _refresh(state) | _walks(state, source, target)


def _stored(
    stores: IcebergGraphStores, folder: Path, shape: Shape, source: Ints, target: Ints
) -> tuple[Figures, ArrowLens]:
    """Measure a bulk append and full loads beside what DuckDB needs for the same rows in Parquet."""
    store = stores.open(TENANT)
    bulk = batch_of(changes_of(shape.nodes, source, target), 1)
    duck = duckdb.connect()
    say(f"append {bulk.rows.num_rows} rows as one snapshot, and copy them as Parquet with DuckDB")
    append = [timed(lambda: store.append(bulk, parent=None))]
    copy = [timed(lambda: _copied(duck, bulk.rows, folder))]
    for turn in range(REPEATS - 1):  # in turn, so that whatever else the machine does hits both
        other = stores.open(tenant_id(f"again-{turn}"))
        append.append(timed(lambda other=other: other.append(bulk, parent=None)))
        copy.append(timed(lambda: _copied(duck, bulk.rows, folder)))
    rows = [bulk.rows]
    say(f"{COMMITS} small commits on top")
    generator = np.random.default_rng(5)
    for seq in range(2, COMMITS + 2):
        ends = generator.integers(0, shape.nodes, (2, COMMIT_EDGES), dtype=np.int32)
        small = batch_of(changes_of(COMMIT_EDGES // 5, ends[0], ends[1]), seq)
        head = store.head()
        store.append(small, parent=head.id if head else None)
        rows.append(small.rows)
    _copied(duck, pa.concat_tables(rows), folder)
    say("load: raw into DuckDB, and into a lens that can answer")
    after_commits, raw, _, _ = _loads(stores, duck, folder)
    say("compact, and load again")
    compactor = stores.upkeep(TENANT).compactor
    compactor.runs()
    now = datetime.now(UTC)
    rewrite = compactor.rewrite(0, forget_before=now, memory_bytes=2 << 30, watch=lambda _progress: None)
    compactor.swap(rewrite)
    compacted, raw_again, lens, digest = _loads(stores, duck, folder)
    duck.close()
    return {
        "bulk_append_rows_per_s_over_parquet_copy_ratio": min(copy) / min(append),
        "full_load_compacted_seconds": compacted,
        "full_load_compacted_over_raw_parquet": compacted / raw_again,
        "full_load_after_120_commits_over_raw_parquet": after_commits / raw,
        "digest_seconds": digest,
    }, lens


def _copied(duck: duckdb.DuckDBPyConnection, rows: Table, folder: Path) -> None:
    duck.register("bulk", rows)
    duck.table("bulk").write_parquet(f"{folder}/raw.parquet", compression="zstd")
    duck.unregister("bulk")


def _loads(
    stores: IcebergGraphStores, duck: duckdb.DuckDBPyConnection, folder: Path
) -> tuple[float, float, ArrowLens, float]:
    """Return the best seconds of ours and of DuckDB's, in turn, the last lens, and the seconds of its digest."""
    ours: list[float] = []
    raw: list[float] = []
    lens = ArrowLens(stopwatch=time.monotonic)
    for _ in range(REPEATS):
        raw.append(timed(lambda: duck.read_parquet(f"{folder}/raw.parquet").create("raw")))
        duck.execute("DROP TABLE raw")
        ours.append(timed(lambda: _load(stores.open(TENANT), lens)))
    with lens.view(timedelta(minutes=5)) as view:
        digest = timed(view.digest)
    return min(ours), min(raw), lens, digest


def _load(store: IcebergGraphStore, lens: ArrowLens) -> None:
    head = store.head()
    if head is not None:
        lens.load(store.parts(head.id), head)


def _searched(duck: duckdb.DuckDBPyConnection, source: int, target: int) -> None:
    """Search in SQL, for so long that a longer search would only flatter us."""
    alarm = threading.Timer(ENOUGH, duck.interrupt)
    alarm.start()
    with contextlib.suppress(duckdb.InterruptException):
        duck.execute(_PATH, [source, target]).fetchall()
    alarm.cancel()


def _memory(state: LensState) -> Figures:
    topology = state.topology
    arrays = [topology.source, topology.target, topology.type, topology.alive]
    indexes = (*topology.out, *topology.into)
    arrays += [part for index in indexes for part in (index.edges, index.offsets) if part is not None]
    return {"topology_bytes_an_edge": sum(array.nbytes for array in arrays) / len(topology.source)}


def _refresh(state: LensState) -> Figures:
    """Measure what 1 % more edges cost beside building both indexes anew; memory for growth is there by then."""
    generator, growth, topology = np.random.default_rng(3), Growth(), state.topology
    refreshes: list[float] = []
    rebuilds: list[float] = []
    for _ in range(5):
        count = len(topology.source) // 100
        ends = generator.integers(0, len(topology.kinds), (2, count), dtype=np.int32)
        begun = time.perf_counter()
        grown = replace(
            topology,
            source=growth.source.extended(topology.source, ends[0]),
            target=growth.target.extended(topology.target, ends[1]),
            type=growth.type.extended(topology.type, np.zeros(count, dtype=np.int32)),
            alive=growth.alive.extended(topology.alive, np.ones(count, dtype=np.bool_)),
        ).indexed()
        refreshes.append(time.perf_counter() - begun)
        rebuilds.append(timed(grown.rebuilt))
        topology = grown
    return {
        "refresh_of_1_percent_ms": median_ms(refreshes),
        "refresh_of_1_percent_over_rebuild": statistics.median(refreshes) / statistics.median(rebuilds),
    }


def _walks(state: LensState, source: Ints, target: Ints) -> Figures:
    """Measure walks in the lens's own shape beside DuckDB's recursive queries and igraph."""
    topology, nodes = state.topology, int(max(source.max(), target.max())) + 1
    number = state.numbers([name_of(node) for node in range(nodes)])
    duck = duckdb.connect()
    duck.register("pairs", pa.table({"s": source, "t": target}))
    duck.execute("CREATE TABLE edge AS SELECT * FROM pairs ORDER BY s")
    graph: Any = untyped(igraph).Graph(n=nodes, edges=np.stack([source, target], axis=1), directed=True)
    origins = np.random.default_rng(11).integers(nodes // 2, nodes, WALKS).tolist()
    way = Way(direction="out", types=None, check=lambda: None)
    say("2-hop walks")
    own = [timed(lambda node=node: ball(topology, int(number[node]), 2, way)) for node in origins]
    peer = [timed(lambda node=node: duck.execute(_WALK, [node]).fetchall()) for node in origins]
    theirs = [timed(lambda node=node: graph.neighborhood(node, order=2, mode="out")) for node in origins]
    say("shortest paths")
    goals = np.random.default_rng(13).integers(0, nodes, WALKS).tolist()
    pairs = list(zip(origins, goals, strict=True))
    found = [timed(lambda a=a, b=b: shortest(topology, int(number[a]), int(number[b]), 16, way)) for a, b in pairs]
    searched = [timed(lambda a=a, b=b: _searched(duck, a, b)) for a, b in pairs[:3]]
    by_igraph = [timed(lambda a=a, b=b: graph.distances(a, b, mode="out")) for a, b in pairs[:10]]
    duck.close()
    median = statistics.median
    return {
        "two_hop_ms": median_ms(own),
        "two_hop_times_faster_than_duckdb_cte": median(peer) / median(own),
        "two_hop_over_igraph": median(own) / median(theirs),
        "shortest_path_ms": median_ms(found),
        "shortest_path_times_faster_than_duckdb": median(searched) / median(found),
        "shortest_path_times_faster_than_igraph": median(by_igraph) / median(found),
    }
