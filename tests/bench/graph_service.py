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
_VERSION: Final = "2026-07-28"
_KEY: Final = "io.modelcontextprotocol"


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
        tool_node = [timed(lambda node=node: _call(connection, "graph_node", {"node": node})) for node in nodes]
        tool_hop = [timed(lambda node=node: _call(connection, "graph_neighbors", _outward(node))) for node in nodes]
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
        "tool_node_ms": median_ms(tool_node),
        "tool_one_hop_ms": median_ms(tool_hop),
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


def _outward(node: str) -> dict[str, object]:
    """Return the arguments that ask what `_neighbors` asks of one step."""
    return {"node": node, "direction": "out", "limit": 100, "max_bytes": 1 << 20}


def _call(connection: http.client.HTTPConnection, tool: str, arguments: dict[str, object]) -> object:
    """Call a tool as protocol version 2026-07-28 has it: a message that needs none before it."""
    capabilities: dict[str, object] = {}
    meta = {f"{_KEY}/protocolVersion": _VERSION, f"{_KEY}/clientCapabilities": capabilities}
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    headers = {
        "Authorization": f"Bearer {TENANT}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Mcp-Protocol-Version": _VERSION,
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
    }
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    connection.request("POST", "/mcp", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    document = json.loads(content)
    if answer.status != http.HTTPStatus.OK or document["result"].get("isError"):
        raise RuntimeError(f"{tool}: {answer.status} {content[:500]!r}")
    return document


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
