"""The Spark job on the API's own tables: run once for all tests here, because starting Spark takes seconds."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import igraph
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.changes import edge_of, node_of, session_of
from aeterna.graph.domain.fingerprints import Fingerprint
from aeterna.graph.domain.identifiers import NodeId, TenantId
from aeterna.graph.main import open_stores
from aeterna.graph.usecases.graphs import Graphs
from fixtures.fix_graph import GraphBench, arrow_lens
from fixtures.spark import spark_job

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.needs("java", "mvn", "spark"), pytest.mark.slow]

KARATE, BUSY = TenantId("karate-club"), TenantId("busy")
FIVE_DAYS: Final = 5 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """The job's report, what was there before it, and graphs that were open all the time."""

    folder: Path
    report: Any  # JSON
    before: dict[TenantId, Fingerprint]
    earlier: Graphs
    orphan: Path

    def of(self, tenant: TenantId) -> Any:  # noqa: ANN401 - a part of the JSON
        """Return the tenant's line of the report."""
        (line,) = [each for each in self.report["tenants"] if each["tenant"] == tenant]
        return line


def graphs_in(folder: Path) -> Graphs:
    """Open the graphs in a folder, as another process would."""
    stores = open_stores(
        catalog_uri=f"sqlite:///{folder}/catalog.db", warehouse=str(folder / "warehouse"), power_safe=False
    )
    return GraphBench(stores=stores, new_lens=arrow_lens).graphs()


def fill(graphs: Graphs) -> None:
    """Write one tenant at once, and the other by sessions of which each replaces what the one before it said."""
    famous = untyped(igraph).Graph.Famous("Zachary")
    members = [node_of(f"m{member.index}", "Member", {}) for member in famous.vs]
    ties = [edge_of(f"m{tie.source}", "knows", f"m{tie.target}") for tie in famous.es]
    graphs.of(KARATE).commit(session_of("all", subject="zachary", nodes=members, edges=ties))
    for turn in range(12):
        nodes = [node_of(f"n{number}", "Thing", {"turn": turn}) for number in range(8)]
        edges = [edge_of("n0", "has", node.id, {"weight": 2.5}) for node in nodes[1:]]
        graphs.of(BUSY).commit(session_of(f"s{turn}", subject="ada", nodes=nodes, edges=edges))
    graphs.of(BUSY).commit(session_of("gone", subject="ada", removed_nodes=[NodeId("n7")]))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Run every task of the job over both tenants."""
    folder = tmp_path_factory.mktemp("spark")
    graphs = graphs_in(folder)
    fill(graphs)
    before = {tenant: graphs.of(tenant).fingerprint() for tenant in (KARATE, BUSY)}
    orphan = folder / "warehouse" / "aeterna" / "busy" / "data" / "left-by-a-crash.parquet"
    orphan.write_bytes(b"nobody names this file")
    os.utime(orphan, (time.time() - FIVE_DAYS, time.time() - FIVE_DAYS))
    scratch = tmp_path_factory.mktemp("scratch")
    report = spark_job(
        catalog_uri=f"sqlite:///{folder}/catalog.db",
        warehouse=folder / "warehouse",
        scratch=scratch,
        options=("--history", "0", "--expire-after", "0", "--keep", "1"),
    )
    yield Ran(folder=folder, report=report, before=before, earlier=graphs, orphan=orphan)
    graphs.close()


def test_the_content_of_every_graph_is_what_it_was(ran: Ran) -> None:
    after = graphs_in(ran.folder)

    found = {tenant: after.of(tenant).fingerprint() for tenant in ran.before}

    after.close()
    assert {tenant: (each.digest, each.seq) for tenant, each in found.items()} == {
        tenant: (each.digest, each.seq) for tenant, each in ran.before.items()
    }


def test_many_files_become_one_and_what_was_replaced_is_gone(ran: Ran) -> None:
    busy = ran.of(BUSY)

    assert (busy["files_before"], busy["files_after"]) == (13, 1)
    # 8 nodes and 7 edges, of which one each is the tombstone, and the rows of 13 sessions.
    assert busy["rows_after"] == 8 + 7 + 13


def test_expired_snapshots_take_their_files_with_them(ran: Ran) -> None:
    left = list((ran.folder / "warehouse" / "aeterna" / "busy" / "data").rglob("*.parquet"))

    assert ran.of(BUSY)["deleted_files"] > 0
    # What the job itself has just written is younger than its beginning, so the next run takes it.
    assert len(left) <= 3


def test_files_of_no_snapshot_are_removed(ran: Ran) -> None:
    assert ran.of(BUSY)["orphans"] == 1
    assert not ran.orphan.exists()


def test_what_spark_leaves_says_which_session_is_the_last_and_from_where_states_can_be_rebuilt(ran: Ran) -> None:
    graphs = graphs_in(ran.folder)

    newest = graphs.of(BUSY).snapshots(1)[0]

    graphs.close()
    assert (newest.last_seq, newest.sessions, newest.floor) == (13, 0, 13)


def test_communities_are_as_good_as_they_can_be(ran: Ran) -> None:
    assert ran.of(KARATE)["modularity"] == pytest.approx(0.4198, abs=5e-5)
    assert (ran.of(KARATE)["nodes"], ran.of(KARATE)["communities"]) == (34, 4)


def test_each_tenants_communities_are_rows_of_its_own_with_the_seq_they_are_of(ran: Ran) -> None:
    catalog = SqlCatalog("aeterna", uri=f"sqlite:///{ran.folder}/catalog.db")

    scan = catalog.load_table("aeterna_derived.communities").scan()
    rows: list[dict[str, Any]] = untyped(scan).to_arrow().to_pylist()

    catalog.close()
    assert {(row["tenant"], row["seq"]) for row in rows} == {(KARATE, 1), (BUSY, 13)}
    assert {row["node"] for row in rows if row["tenant"] == BUSY} == {f"n{number}" for number in range(7)}


def test_who_was_open_all_the_time_writes_on_and_a_newcomer_sees_the_same(ran: Ran) -> None:
    """Last here: it changes a graph."""
    ran.earlier.of(BUSY).refresh()
    seq = ran.earlier.of(BUSY).commit(session_of("later", subject="ada", nodes=[node_of("new", "Thing", {})])).seq
    newcomer = graphs_in(ran.folder)

    found = newcomer.of(BUSY).fingerprint()

    newcomer.close()
    assert (seq, found.seq) == (14, 14)
    assert found == ran.earlier.of(BUSY).fingerprint()
