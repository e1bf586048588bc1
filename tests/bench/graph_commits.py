"""The part of the graph's benchmark about commits: one client, many clients, and long histories."""

from __future__ import annotations

import statistics
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from graph_measures import Figures, median_ms, say, timed
from pyiceberg.catalog.sql import SqlCatalog

from aeterna.graph.adapters.iceberg.transaction import transaction
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.changes import Session, edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.domain.rows import ROW_SCHEMA, Accepted, rows_of
from aeterna.graph.main import open_graphs

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.graph.usecases.graphs import Graphs

ALONE: Final = 1_000
CLIENTS: Final = 64
SESSIONS: Final = 64 * 24
EARLY: Final = slice(10, 30)  # around the 20th commit
LATE: Final = slice(ALONE - 20, ALONE)
STOCK: Final = 300
STOCK_TIMED: Final = 5


def measured(folder: Path) -> Figures:
    """Measure commits in a folder."""
    graphs = open_graphs(catalog_uri=f"sqlite:///{folder}/ours.db", warehouse=str(folder / "ours"))
    try:
        say(f"{ALONE} durable commits by one client")
        alone = graphs.of(TenantId("alone"))
        single = [timed(lambda number=number: alone.commit(_session(number))) for number in range(ALONE)]
        say(f"{STOCK} appends by pyiceberg, of which the last {STOCK_TIMED} as it does them out of the box")
        at_stock = statistics.median(single[STOCK - 10 : STOCK + 10])
        stock = _stock(folder)
        return _crowd(graphs) | {
            "single_client_ms": median_ms(single),
            "append_at_20_commits_ms": median_ms(single[EARLY]),
            "append_at_1000_commits_ms": median_ms(single[LATE]),
            "append_at_1000_commits_over_20": statistics.median(single[LATE]) / statistics.median(single[EARLY]),
            "stock_append_at_300_snapshots_ms": stock * 1000,
            "append_at_300_snapshots_times_faster_than_stock": stock / at_stock,
        }
    finally:
        graphs.close()


def _session(number: int) -> Session:
    """Return a small session, as an agent would commit."""
    nodes = [node_of(f"n{number}:{part}", "Thing", {"number": number}) for part in range(5)]
    edges = [edge_of(nodes[0].id, "has", node.id) for node in nodes[1:]]
    return session_of(f"s{number}", subject="bench", nodes=nodes, edges=edges)


def _crowd(graphs: Graphs) -> Figures:
    """Measure many clients beside one that commits alone, just before and just after them."""
    crowd, beside = graphs.of(TenantId("crowd")), graphs.of(TenantId("beside"))

    def wait(number: int) -> float:
        return timed(lambda: crowd.commit(_session(number)))

    for graph in (crowd, beside):
        graph.commit(_session(SESSIONS))  # which makes the tenant's table
    before = [timed(lambda number=number: beside.commit(_session(number))) for number in range(30)]
    say(f"{SESSIONS} durable commits by {CLIENTS} clients")
    with ThreadPoolExecutor(CLIENTS) as pool:
        waits: list[float] = []
        seconds = timed(lambda: waits.extend(pool.map(wait, range(SESSIONS))))
    after = [timed(lambda number=number: beside.commit(_session(number))) for number in range(30, 60)]
    sequential = statistics.median([*before, *after])
    return {
        "group_commit_sessions_per_s": SESSIONS / seconds,
        "group_commit_over_own_sequential_ratio": SESSIONS / seconds * statistics.mean([*before, *after]),
        "group_commit_p95_over_own_sequential_p50": statistics.quantiles(waits, n=20)[-1] / sequential,
    }


def _stock(folder: Path) -> float:
    """Return the seconds of a stock append to a history of many snapshots, which is made with our transaction."""
    one = Accepted(session=_session(0), seq=1, committed_at=datetime.now(UTC), removed_nodes=(), removed_edges=())
    rows = rows_of([one])
    catalog = SqlCatalog("stock", uri=f"sqlite:///{folder}/stock.db", warehouse=str(folder / "stock"))
    catalog.create_namespace("stock")
    table = untyped(catalog).create_table(("stock", "graph"), schema=ROW_SCHEMA)
    for _ in range(STOCK - STOCK_TIMED):
        changes = untyped(transaction(table))
        changes.append(rows)
        changes.commit_transaction()
    table = untyped(catalog).load_table(("stock", "graph"))
    seconds = statistics.median([timed(lambda: table.append(rows)) for _ in range(STOCK_TIMED)])
    catalog.engine.dispose()
    return seconds
