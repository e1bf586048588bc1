"""What a decision of the policy sidecar costs over HTTP, beside the way one would first write it.

Run as ``python -P tests/bench/bench_policy.py``. Each server runs as a process of its own and is loaded over loopback;
what is compared is the CPU time of the server process for one request, which other load on the machine hardly changes.
The peer is ``naive_policy_server.py``. Progress goes to stderr; the last line of stdout is one JSON object.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "sidecars/policy/src/aeterna/policy/bundle"
NAIVE = Path(__file__).with_name("naive_policy_server.py")
CONNECTIONS = 16
QUESTIONS = 500
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One server under load."""

    cpu_us: float
    per_second: float
    p99_ms: float
    ready_ms: float
    rss_mb: float


def questions() -> list[bytes]:
    """Return whole HTTP requests: the permitted and the denied, of many subjects."""
    return [request(number) for number in range(QUESTIONS)]


def request(number: int) -> bytes:
    """Return one of them."""
    body = json.dumps(
        {
            "subject": {"type": "User", "id": f"u-{number}", "properties": {"tenant": "acme", "roles": ["writer"]}},
            "action": {"name": "graph.write" if number % 2 else "graph.read"},
            "resource": {"type": "Graph", "id": "main", "properties": {"tenant": "acme" if number % 3 else "globex"}},
            "context": {},
        }
    ).encode()
    return (
        b"POST /access/v1/evaluation HTTP/1.1\r\nHost: policy\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, its own and the kernel's on its behalf."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def server(command: Sequence[str], port: int, **environment: str) -> Generator[tuple[int, float]]:
    """Start a server, wait until it is ready, and yield its pid and how long that took in milliseconds."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)
    try:
        while not answers(port):
            if process.poll() is not None:
                raise SystemExit(f"{command} ended with {process.returncode}")
            time.sleep(0.005)
        yield process.pid, (time.perf_counter() - begun) * 1000
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    """Say whether the server is ready."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as probe:
            probe.sendall(b"GET /ready HTTP/1.1\r\nHost: policy\r\nConnection: close\r\n\r\n")
            return probe.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


async def load(port: int, count: int) -> list[float]:
    """Ask as many questions over the connections and return how long each took, in seconds."""
    asked, taken = questions(), list[float]()

    async def connection(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(first, count, CONNECTIONS):
            begun = time.perf_counter()
            writer.write(asked[number % QUESTIONS])
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b" 200 " not in head[:16]:
                raise SystemExit(f"refused: {head!r}")
            await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            taken.append(time.perf_counter() - begun)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(connection(first) for first in range(CONNECTIONS)))
    return taken


def measure(name: str, command: Sequence[str], port: int, count: int, **environment: str) -> Measured:
    """Warm a server up, load it, and say what a request cost it."""
    with server(command, port, **environment) as (pid, ready_ms):
        asyncio.run(load(port, QUESTIONS * 2))
        before, begun = cpu_seconds(pid), time.perf_counter()
        taken = asyncio.run(load(port, count))
        seconds = time.perf_counter() - begun
        measured = Measured(
            cpu_us=(cpu_seconds(pid) - before) / count * 1e6,
            per_second=count / seconds,
            p99_ms=statistics.quantiles(taken, n=100)[98] * 1000,
            ready_ms=ready_ms,
            rss_mb=rss_mb(pid),
        )
    sys.stderr.write(
        f"{name:>9}: {measured.cpu_us:7.1f} us CPU/request, {measured.per_second:6.0f}/s, "
        f"p99 {measured.p99_ms:5.1f} ms, ready in {measured.ready_ms:4.0f} ms, {measured.rss_mb:4.0f} MB\n"
    )
    return measured


def main() -> None:
    """Measure the three in one run and print their ratios."""
    sidecar = [sys.executable, "-P", "-m", "aeterna.policy"]
    port = free_port()
    cached = measure("cached", sidecar, port, 40_000, AETERNA_POLICY_PORT=str(port))
    port = free_port()
    uncached = measure("uncached", sidecar, port, 20_000, AETERNA_POLICY_PORT=str(port), AETERNA_POLICY_TTL="0")
    port = free_port()
    naive = measure("naive", [sys.executable, "-P", str(NAIVE), str(BUNDLE), str(port)], port, 3_000)
    sys.stdout.write(
        json.dumps(
            {
                "bench": "policy",
                "peer": "FastAPI with cedarpy and text arguments",
                "cached_cpu_us": round(cached.cpu_us, 1),
                "uncached_cpu_us": round(uncached.cpu_us, 1),
                "peer_cpu_us": round(naive.cpu_us, 1),
                "peer_over_cached": round(naive.cpu_us / cached.cpu_us, 1),
                "peer_over_uncached": round(naive.cpu_us / uncached.cpu_us, 1),
                "cached_per_second": round(cached.per_second),
                "cached_p99_ms": round(cached.p99_ms, 2),
                "ready_ms": round(cached.ready_ms),
                "rss_mb": round(cached.rss_mb, 1),
            }
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
