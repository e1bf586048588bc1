"""Several API processes on one PostgreSQL catalog: they show the same, soon, and say when they do not."""

from __future__ import annotations

import re
import signal
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.upkeep import CompactionPolicy
from aeterna.graph.main import open_stores
from aeterna.graph.ports import CommitTrace
from aeterna.graph.usecases.compacting import compact as compaction
from fixtures.api_processes import PATIENCE, Replicas, replicas_on
from fixtures.fix_graph import ACME, GraphBench, arrow_lens
from fixtures.fix_live_runtime import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from aeterna.service.testing import SigningKey

DIGEST = "/internal/v1/graph/digest"
NEVER = "86400"


@pytest.fixture
def place(empty_database: str, tmp_path: Path) -> dict[str, str]:
    """Return where the graphs are: a PostgreSQL catalog and a folder."""
    login = conninfo_to_dict(empty_database)
    where = f"host={login['host']}&port={login['port']}"
    return {
        "CATALOG_URI": f"postgresql://postgres@/{login['dbname']}?{where}",
        "WAREHOUSE": str(tmp_path / "warehouse"),
    }


@pytest.fixture
def replicas(place: dict[str, str], signing_key: SigningKey, tmp_path: Path) -> Iterator[Replicas]:
    """Return what starts replicas on the place."""
    with replicas_on(place, signing_key, tmp_path / "run") as running:
        yield running


def write(client: httpx.Client, name: str, value: int = 0) -> int:
    """Commit a session that touches a node of its own and one that all share; return its seq."""
    nodes: list[dict[str, object]] = [
        {"id": name, "kind": "Thing", "properties": {"v": value}},
        {"id": "hub", "kind": "Hub", "properties": {}},
    ]
    edges = [{"source": "hub", "type": "has", "target": name}]
    session: dict[str, object] = {"session_id": f"{name}:{value}", "nodes": nodes, "edges": edges}
    done = client.post("/api/v1/graph/sessions", json=session)
    assert done.status_code == 201, done.text
    return int(done.json()["seq"])


def shown(client: httpx.Client, at_least: int = 0) -> dict[str, Any]:
    """Return the fingerprint that a replica gives."""
    answer = client.get(DIGEST, headers={"Aeterna-Seq": str(at_least)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_replicas_that_both_write_converge_to_equal_digests_and_keep_them_through_compaction(
    replicas: Replicas, place: dict[str, str]
) -> None:
    with (
        replicas.start() as one,
        replicas.start() as other,
        replicas.client(one) as first,
        replicas.client(other) as second,
        ThreadPoolExecutor(8) as pool,
    ):
        turns = ((first, second)[turn % 2] for turn in range(64))
        seqs = list(pool.map(write, turns, (f"n{turn % 16}" for turn in range(64)), range(64)))
        both = [shown(client, max(seqs)) for client in (first, second)]

        compact(place)
        again = [write(first, "later"), write(second, "last")]
        after = [shown(client, max(again)) for client in (first, second)]

    assert sorted(seqs) == list(range(1, 65))
    assert both[0] == both[1]
    assert (both[0]["nodes"], both[0]["edges"]) == (17, 16)
    assert after[0] == after[1]
    assert (after[0]["nodes"], after[0]["edges"]) == (19, 18)


def compact(place: dict[str, str]) -> None:
    """Compact the tenant's table as a third process would."""
    stores = open_stores(catalog_uri=place["CATALOG_URI"], warehouse=place["WAREHOUSE"], power_safe=False)
    world = GraphBench(stores=stores).engine().world
    compactor = stores.upkeep(ACME).compactor
    done = compaction(compactor, CompactionPolicy(), world, trace=CommitTrace(), watch=lambda _: None, full=True)
    stores.close()
    assert done.files_after < done.files_before


def commit_quietly(place: dict[str, str], id_: str) -> None:
    """Commit a session as a process would whose notices are all lost."""
    stores = open_stores(catalog_uri=place["CATALOG_URI"], warehouse=place["WAREHOUSE"], power_safe=False)
    graphs = GraphBench(stores=stores, new_lens=arrow_lens).graphs()
    graphs.of(ACME).commit(session_of(id_, subject="ada", nodes=[node_of(id_, "Thing", {})]))
    graphs.close()


def test_a_notice_brings_a_replica_forward_that_nobody_asks_and_that_does_not_poll(replicas: Replicas) -> None:
    with (
        replicas.start() as one,
        replicas.start(REFRESH_EVERY=NEVER, POLL_EVERY=NEVER) as other,
        replicas.client(one) as writer,
        replicas.client(other) as reader,
    ):
        write(writer, "first")
        assert shown(reader)["seq"] == 1

        seq = write(writer, "second")

        wait_until(lambda: shown(reader)["seq"] == seq, PATIENCE)


def test_without_notices_a_replica_polls(replicas: Replicas, place: dict[str, str]) -> None:
    commit_quietly(place, "first")
    with replicas.start(REFRESH_EVERY=NEVER, POLL_EVERY="0.1") as one, replicas.client(one) as reader:
        assert shown(reader)["seq"] == 1

        commit_quietly(place, "second")

        wait_until(lambda: shown(reader)["seq"] == 2, PATIENCE)


def test_a_replica_that_cannot_follow_is_not_ready_and_says_why(replicas: Replicas, place: dict[str, str]) -> None:
    """Files that cannot be read are how a replica that lost its way to the object store looks from within."""
    commit_quietly(place, "first")
    data = Path(place["WAREHOUSE"])
    with replicas.start(LAG_BOUND="0.2", POLL_EVERY="0.1") as one, replicas.client(one) as reader:
        assert shown(reader)["seq"] == 1
        known = set(data.rglob("*.parquet"))
        one.process.send_signal(signal.SIGSTOP)
        commit_quietly(place, "second")
        (fresh,) = set(data.rglob("*.parquet")) - known
        away = fresh.rename(fresh.with_suffix(".away"))
        one.process.send_signal(signal.SIGCONT)

        wait_until(lambda: reader.get("/ready").status_code == 503, PATIENCE)

        told = reader.get("/health").json()["checks"]["replica"]
        assert told["reason"] == "service.not_ready"
        assert told["why"]["tenant_hash"] == sha256(b"acme").hexdigest()[:16]
        assert (told["why"]["missing_sessions"], told["why"]["cause"]) == (1, "graph.storage_unavailable")
        assert lag_of(reader) > 0.2
        assert shown(reader)["seq"] == 1

        away.rename(fresh)
        wait_until(lambda: reader.get("/ready").status_code == 200, PATIENCE)
        assert (shown(reader)["seq"], lag_of(reader)) == (2, 0)


def lag_of(client: httpx.Client) -> float:
    """Return the metric."""
    (line,) = re.findall(r"^aeterna_graph_replica_lag_seconds (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(line)
