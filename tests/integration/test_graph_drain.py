"""A replica that is asked to stop under load loses nothing: what it acknowledged is there, the rest goes elsewhere."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from fixtures.api_processes import PATIENCE, Replicas, replicas_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aeterna.service.testing import SigningKey

WRITERS, SESSIONS = 8, 15
SESSIONS_PATH = "/api/v1/graph/sessions"


@pytest.fixture
def replicas(signing_key: SigningKey, tmp_path: Path) -> Iterator[Replicas]:
    """Return what starts replicas on one folder."""
    place = {"CATALOG_URI": f"sqlite:///{tmp_path}/catalog.db", "WAREHOUSE": str(tmp_path / "warehouse")}
    with replicas_on(place, signing_key, tmp_path / "run") as running:
        yield running


def session(writer: int, number: int) -> dict[str, object]:
    """Return a session of two nodes and the edge between them."""
    ends = [f"{writer}:{number}:{end}" for end in "ab"]
    nodes: list[dict[str, object]] = [{"id": end, "kind": "End", "properties": {}} for end in ends]
    edge = {"source": ends[0], "type": "to", "target": ends[1]}
    return {"session_id": f"{writer}:{number}", "nodes": nodes, "edges": [edge]}


def test_every_session_is_there_once_when_its_replica_stops_in_the_middle(replicas: Replicas) -> None:
    """Clients repeat elsewhere what was refused or cut off; the session's id makes that safe."""
    refusals: set[int | str] = set()
    half_way = threading.Semaphore(0)
    with replicas.start(DRAIN_TIMEOUT="5") as stopping, replicas.start() as staying:

        def run(writer: int) -> dict[str, int]:
            receipts: dict[str, int] = {}
            with replicas.client(stopping) as first, replicas.client(staying) as second:
                for number in range(SESSIONS):
                    body = session(writer, number)
                    receipts[str(body["session_id"])] = committed(first, second, body, refusals)
                    half_way.release()
            return receipts

        with ThreadPoolExecutor(WRITERS) as pool:
            runs = [pool.submit(run, writer) for writer in range(WRITERS)]
            for _ in range(WRITERS * SESSIONS // 3):
                half_way.acquire(timeout=PATIENCE)
            stopping.terminate()
            ended = stopping.process.wait(PATIENCE)
            receipts = {id_: seq for each in runs for id_, seq in each.result(PATIENCE * 2).items()}
        with replicas.client(staying) as reader:
            found = reader.get("/internal/v1/graph/digest", headers={"Aeterna-Seq": str(max(receipts.values()))}).json()

    assert ended == 0, stopping.log.read_text("utf-8")[-2_000:]
    assert sorted(receipts.values()) == list(range(1, WRITERS * SESSIONS + 1))
    assert (found["nodes"], found["edges"]) == (2 * WRITERS * SESSIONS, WRITERS * SESSIONS)
    assert refusals, "nobody noticed the stop: it came too late to mean anything"
    assert refusals <= {503, "ConnectError", "RemoteProtocolError", "ReadError"}


def committed(first: httpx.Client, second: httpx.Client, body: dict[str, object], refusals: set[int | str]) -> int:
    """Commit at the first replica, or where that cannot be at the second one; return the seq."""
    try:
        answer = first.post(SESSIONS_PATH, json=body)
        if answer.status_code in {200, 201}:
            return int(answer.json()["seq"])
        refusals.add(answer.status_code)
    except httpx.TransportError as cut:
        refusals.add(type(cut).__name__)
    answer = second.post(SESSIONS_PATH, json=body)
    assert answer.status_code in {200, 201}, answer.text
    return int(answer.json()["seq"])
