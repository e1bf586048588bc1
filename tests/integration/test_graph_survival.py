"""What an acknowledgement is worth: killed writers, writers side by side, and full disks."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyiceberg.catalog.sql import SqlCatalog

from aeterna.graph.domain.catalogs import NAMESPACE
from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.domain.queries import neighbors_query
from fixtures.fix_graph import ACME, GraphBench, arrow_lens, iceberg_stores
from fixtures.graph_writer import NODES, session

if TYPE_CHECKING:
    from collections.abc import Iterable

PROGRAMS = Path(__file__).parents[1] / "fixtures"


def _writer(folder: Path, name: str, *, threads: int, sessions: int) -> subprocess.Popen[str]:
    program = [sys.executable, "-P", str(PROGRAMS / "graph_writer.py"), str(folder), name, str(threads), str(sessions)]
    return subprocess.Popen(program, stdout=subprocess.PIPE, text=True)


def _acknowledged(lines: Iterable[str]) -> dict[str, int]:
    """Read complete lines as session ids and their seq."""
    return {line.split()[0]: int(line.split()[1]) for line in lines if line.endswith("\n")}


def _assert_whole(folder: Path, acknowledged: dict[str, int]) -> None:
    """Every acknowledged session is there, none is there in part, and seqs have no gap."""
    stores = iceberg_stores(folder)
    graphs = GraphBench(stores=stores, new_lens=arrow_lens).graphs()
    graph = graphs.of(ACME)
    statistics = graph.statistics()
    assert statistics.nodes == statistics.seq * NODES
    assert statistics.edges == statistics.seq * (NODES - 1)
    for id_, seq in acknowledged.items():
        name, number = id_.split(":")
        assert seq <= statistics.seq
        assert graph.node(NodeId(f"{id_}:4")).properties == f'{{"number":{number}}}'
        assert len(graph.neighbors(neighbors_query(f"{name}:{number}:0"))[0].nodes) == NODES - 1
    snapshots = graph.snapshots(10_000)[::-1]
    assert [snapshot.first_seq for snapshot in snapshots] == [1, *(each.last_seq + 1 for each in snapshots[:-1])]
    graphs.close()


def test_killed_writers_lose_no_acknowledged_session_and_leave_none_in_part(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - when to kill, and the same each time
    acknowledged: dict[str, int] = {}
    for kill in range(8):
        writer = _writer(tmp_path, f"k{kill}", threads=6, sessions=2_000)
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(chance.randrange(1, 9))]
        with suppress(subprocess.TimeoutExpired):
            # Anywhere within the next commits: not only where an acknowledgement was just written.
            writer.wait(chance.random() * 0.08)
        writer.kill()
        lines += writer.stdout.readlines()
        writer.wait()
        writer.stdout.close()
        acknowledged |= _acknowledged(lines)

    assert len(acknowledged) >= 8
    _assert_whole(tmp_path, acknowledged)


def test_a_session_repeated_after_a_kill_is_there_once(tmp_path: Path) -> None:
    """The client cannot know whether its session was committed; asking again settles it."""
    writer = _writer(tmp_path, "k", threads=1, sessions=2_000)
    assert writer.stdout is not None
    last = [writer.stdout.readline() for _ in range(3)][-1]
    writer.kill()
    writer.wait()
    writer.stdout.close()
    stores = iceberg_stores(tmp_path)
    graphs = GraphBench(stores=stores, new_lens=arrow_lens).graphs()
    graph = graphs.of(ACME)
    before = graph.statistics()

    receipt = graph.commit(session("k", int(last.split()[0].split(":")[1])))

    assert (receipt.repeated, receipt.seq, str(receipt.snapshot_id)) == (True, int(last.split()[1]), last.split()[2])
    assert graph.statistics() == before
    graphs.close()


def test_two_processes_on_one_tenant_write_every_session_once_and_without_a_gap(tmp_path: Path) -> None:
    writers = [_writer(tmp_path, name, threads=4, sessions=24) for name in ("left", "right")]
    seqs: list[int] = []
    acknowledged: dict[str, int] = {}
    for writer in writers:
        output, _ = writer.communicate(timeout=120)
        assert writer.returncode == 0
        acknowledged |= _acknowledged(output.splitlines(keepends=True))
        seqs = sorted(acknowledged.values())

    assert seqs == list(range(1, 49))
    _assert_whole(tmp_path, acknowledged)


def test_on_a_full_disk_nothing_is_half_written_and_later_sessions_are_committed(tmp_path: Path) -> None:
    """The limits stop the data file, the manifest, the metadata file and the catalog itself in turn."""
    limits = ["100", "5000", "5400", "20000"]
    program = [sys.executable, "-P", str(PROGRAMS / "graph_full_disk.py"), str(tmp_path), *limits]

    found = json.loads(subprocess.run(program, check=True, capture_output=True, text=True).stdout)

    refusals, repeated = found["outcomes"][1::2], found["outcomes"][2::2]
    # SQLite calls a file that may not grow an I/O error, and a full disk full.
    assert refusals == ["graph.storage_full"] * 3 + ["graph.storage_unavailable"]
    assert repeated == ["committed"] * len(limits)
    assert (found["nodes"], found["seq"]) == (len(limits) + 1, len(limits) + 1)


def test_the_table_is_what_the_guide_says_to_any_reader_of_iceberg(tmp_path: Path) -> None:
    """The layout is a public contract: Spark, DuckDB and others read these tables."""
    graphs = GraphBench(stores=iceberg_stores(tmp_path), new_lens=arrow_lens).graphs()
    graphs.of(ACME).commit(session("one", 1))
    graphs.close()
    catalog = SqlCatalog("aeterna", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=str(tmp_path / "warehouse"))
    table = catalog.load_table((NAMESPACE, "acme"))

    assert [(field.name, str(field.field_type), field.required) for field in table.schema().fields] == [
        ("record", "string", True),
        ("op", "string", True),
        ("seq", "long", True),
        ("session", "string", True),
        ("committed_at", "timestamptz", True),
        ("subject", "string", True),
        ("id", "string", False),
        ("kind", "string", False),
        ("source", "string", False),
        ("type", "string", False),
        ("target", "string", False),
        ("properties", "string", False),
        ("digest", "string", False),
    ]
    assert table.properties["aeterna.layout"] == "2"
    assert table.scan().count() == NODES + (NODES - 1) + 1
    catalog.engine.dispose()


@pytest.mark.parametrize("later", [0, 3], ids=["at once", "after as many commits"])
def test_who_has_a_graph_open_shows_what_newcomers_show_after_another_engine_rolled_it_back(
    tmp_path: Path, later: int
) -> None:
    """Whoever rolls back takes sessions away by intent: nobody may go on with a mixture of both histories."""
    bench = GraphBench(stores=iceberg_stores(tmp_path), new_lens=arrow_lens)
    graphs, others = bench.graphs(), bench.graphs()
    for number in range(3):
        graphs.of(ACME).commit(session("one", number))
    catalog = SqlCatalog("aeterna", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=str(tmp_path / "warehouse"))
    table = catalog.load_table((NAMESPACE, "acme"))
    table.manage_snapshots().rollback_to_snapshot(table.snapshots()[0].snapshot_id).commit()
    for number in range(later):
        others.of(ACME).commit(session("two", number))

    graphs.of(ACME).refresh()

    assert graphs.of(ACME).fingerprint() == others.of(ACME).fingerprint()
    graphs.close()
    catalog.engine.dispose()


@pytest.mark.parametrize("power_safe", [True, False])
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc which file a handle is")
def test_local_files_are_written_through_when_the_machine_may_fail(
    tmp_path: Path, power_safe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power failure cannot be had in a test; that every file and folder was synced can be seen."""
    synced: set[str] = set()
    fsync = os.fsync

    def noted(handle: int) -> None:
        synced.add(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    monkeypatch.setattr("os.fsync", noted)
    stores = iceberg_stores(tmp_path, power_safe=power_safe)
    graphs = GraphBench(stores=stores, new_lens=arrow_lens).graphs()
    graphs.of(ACME).commit(session("one", 1))
    graphs.close()

    files = {str(path) for path in (tmp_path / "warehouse").rglob("*")}
    assert files
    assert (files <= synced) is power_safe
