"""The part of the graph's benchmark about the service: the real API in a process of its own, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from graph_measures import TENANT, Figures, median_ms, name_of, say, timed

if TYPE_CHECKING:
    from collections.abc import Callable

ASKED: Final = 300
NODES: Final = 5_000  # the nodes asked about are among the first, which have the most edges, to the last of these
_PATIENCE: Final = 60.0


def measured(folder: Path) -> Figures:
    """Measure the graph in a folder, from the start of the process on."""
    port = _free_port()
    say("start the service, and ask it")
    begun = time.perf_counter()
    program = Path(__file__).with_name("graph_server.py")
    server = subprocess.Popen([sys.executable, "-P", program, str(folder), str(port)], stdout=subprocess.DEVNULL)
    try:
        _until(lambda: _status(port, "/ready") == http.HTTPStatus.OK)
        ready = time.perf_counter() - begun
        connection = http.client.HTTPConnection("127.0.0.1", port)
        _ask(connection, f"/api/v1/graph/neighbors?node={name_of(1)}")
        answered = time.perf_counter() - begun
        nodes = [name_of(1 + step * NODES // ASKED) for step in range(ASKED)]
        one_hop = [timed(lambda node=node: _ask(connection, _neighbors(node, 1))) for node in nodes]
        two_hops = [timed(lambda node=node: _ask(connection, _neighbors(node, 2))) for node in nodes[:60]]
        one_node = [timed(lambda node=node: _ask(connection, f"/api/v1/graph/nodes/{node}")) for node in nodes]
        connection.close()
    finally:
        server.terminate()
        server.wait()
    return {
        "cold_start_to_ready_seconds": ready,
        "cold_start_to_first_answer_seconds": answered,
        "http_node_ms": median_ms(one_node),
        "http_one_hop_ms": median_ms(one_hop),
        "http_one_hop_p95_ms": statistics.quantiles(one_hop, n=20)[-1] * 1000,
        "http_two_hop_ms": median_ms(two_hops),
    }


def _neighbors(node: str, depth: int) -> str:
    return f"/api/v1/graph/neighbors?node={node}&depth={depth}&limit=100"


def _ask(connection: http.client.HTTPConnection, path: str) -> object:
    connection.request("GET", path, headers={"Authorization": f"Bearer {TENANT}"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(f"{path}: {answer.status} {body[:500]!r}")
    return json.loads(body)


def _status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + _PATIENCE
    while not condition():
        if time.perf_counter() > deadline:
            raise TimeoutError("the service did not become ready")
        time.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
