"""More sessions than can be written are turned away over HTTP, told when to come back, and kept nowhere."""

from __future__ import annotations

import gc
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import create_engine, text

from aeterna.graph.adapters.leases.sql import SqlWriterLeases
from aeterna.graph.usecases.engine import World
from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph import ACME
from fixtures.fix_graph_api import graph_client

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from concurrent.futures import Executor, Future
    from pathlib import Path

    import httpx
    from sqlalchemy import Engine

    from fixtures.fix_graph_api import GraphClient

SESSIONS: Final = "/api/v1/graph/sessions"
WAITING, CLIENTS, FLOOD = 4, 24, 150
BODY_CHARS: Final = 60_000


@pytest.fixture
def client(tmp_path: Path) -> Iterator[GraphClient]:
    with graph_client(tmp_path, FakeDecisionPoint(), waiting_sessions=WAITING) as client:
        yield client


class OtherProcess:
    """A process that may hold up the writing of the one that is served."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        world = World(clock=lambda: datetime.now(UTC), stopwatch=time.monotonic, pause=time.sleep, chance=lambda: 0.0)
        self.leases = SqlWriterLeases(engine, holder="other", world=world)

    @contextmanager
    def saturating(self, client: GraphClient, pool: Executor) -> Generator[list[Future[httpx.Response]]]:
        """Hold the lease while one session waits for it and as many as may wait behind that one; yield them."""
        with self.leases.holding(ACME):
            let_in = [pool.submit(_post, client, 0)]
            _wait_until(self._is_asked)
            crowd = [pool.submit(_post, client, number) for number in range(1, CLIENTS)]
            _wait_until(lambda: sum(future.done() for future in crowd) == len(crowd) - WAITING)
            yield let_in + crowd

    def _is_asked(self) -> bool:
        with self._engine.connect() as connection:
            return connection.execute(text("SELECT wanted FROM aeterna_writer_leases")).scalar_one() > 0


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def other_process(client: GraphClient, tmp_path: Path) -> Iterator[OtherProcess]:
    del client  # which makes the catalog
    engine = create_engine(f"sqlite:///{tmp_path}/catalog.db")
    other = OtherProcess(engine)
    yield other
    other.leases.close()
    engine.dispose()


def _post(client: GraphClient, number: int, words: str = "") -> httpx.Response:
    body: dict[str, Any] = {
        "session_id": f"s{number}",
        "nodes": [{"id": f"n{number}", "kind": "Thing", "properties": {"text": words}}],
    }
    return client.post(SESSIONS, json=body)


def _nodes(client: GraphClient) -> int:
    return client.get("/api/v1/graph/statistics").json()["nodes"]


def test_who_is_turned_away_is_told_when_to_come_back_and_who_was_let_in_is_written(
    client: GraphClient, other_process: OtherProcess
) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        with other_process.saturating(client, pool) as asked:
            pass
        answers = [future.result() for future in asked]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == CLIENTS - 1 - WAITING
    assert {answer.json()["code"] for answer in refused} == {"graph.busy"}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert _nodes(client) == 1 + WAITING
    metrics = client.get("/metrics").text
    assert f'aeterna_graph_sessions_turned_away_total{{code="graph.busy"}} {float(len(refused))}' in metrics
    assert f"aeterna_graph_commit_queue_seconds_count {float(1 + WAITING)}" in metrics
    for number, answer in enumerate(answers):
        assert _post(client, number).status_code == (201 if answer.status_code == 429 else 200)


def test_a_flood_that_is_turned_away_leaves_nothing_in_memory(client: GraphClient, other_process: OtherProcess) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool, other_process.saturating(client, pool):
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        statuses = {_post(client, number, "x" * BODY_CHARS).status_code for number in range(CLIENTS, CLIENTS + FLOOD)}
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert statuses == {429}
    assert after - before < FLOOD * BODY_CHARS // 10
