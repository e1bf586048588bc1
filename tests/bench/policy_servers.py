"""Servers under load: each runs as a process of its own, and what one request cost it is read from the kernel.

What is compared is CPU time, of all of a server's threads and children, which other load on the machine hardly changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

CONNECTIONS = 16
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How a server is started, and what is asked of it: whole HTTP requests, in turn."""

    name: str
    command: Sequence[str]
    port: int
    ready_path: bytes
    requests: Sequence[bytes]
    environment: dict[str, str]
    ready_port: int | None = None
    """Of probes, where they are not at the port of the requests."""
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One server under load."""

    cpu_us: float
    per_second: float
    p99_ms: float
    ready_ms: float
    rss_mb: float


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def post(path: str, body: bytes) -> bytes:
    """Return a whole HTTP request."""
    head = f"POST {path} HTTP/1.1\r\nHost: policy\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, its own and the kernel's on its behalf."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def running(server: Server) -> Generator[tuple[int, float]]:
    """Start a server, wait until it is ready, and yield its pid and how long that took in milliseconds."""
    begun = time.perf_counter()
    environment = {**os.environ, **server.environment}
    process = subprocess.Popen(server.command, env=environment, stderr=subprocess.DEVNULL)
    try:
        while not ready(server):
            if process.poll() is not None:
                raise SystemExit(f"{server.command} ended with {process.returncode}")
            time.sleep(0.005)
        yield process.pid, (time.perf_counter() - begun) * 1000
    finally:
        process.terminate()
        process.wait()


def ready(server: Server) -> bool:
    """Say whether the server says that it is ready."""
    try:
        with contextlib.ExitStack() as opened:
            probe = opened.enter_context(socket.create_connection(("127.0.0.1", server.ready_port or server.port), 1))
            if server.tls is not None and server.ready_port is None:
                probe = opened.enter_context(server.tls.wrap_socket(probe))
            probe.sendall(b"GET %s HTTP/1.1\r\nHost: policy\r\nConnection: close\r\n\r\n" % server.ready_path)
            return probe.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


class Connection:
    """One keep-alive connection, on which one request is under way at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> bytes:
        """Return the body of a 200 answer, or end the benchmark: what is refused costs less than what is answered."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head[:16]:
            raise SystemExit(f"refused: {head!r}")
        return await self._reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))

    async def aclose(self) -> None:
        """Close it."""
        self._writer.close()
        await self._writer.wait_closed()


@contextlib.asynccontextmanager
async def connected(port: int, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Connection]:
    """Yield a connection to loopback."""
    connection = Connection(*await asyncio.open_connection("127.0.0.1", port, ssl=tls))
    try:
        yield connection
    finally:
        await connection.aclose()


async def load(server: Server, count: int) -> list[float]:
    """Ask as many questions as fast as the server answers, and return how long each took, in seconds."""
    taken: list[float] = []

    async def one(first: int) -> None:
        async with connected(server.port, server.tls) as connection:
            for number in range(first, count, CONNECTIONS):
                begun = time.perf_counter()
                await connection.ask(server.requests[number % len(server.requests)])
                taken.append(time.perf_counter() - begun)

    await asyncio.gather(*(one(first) for first in range(CONNECTIONS)))
    return taken


async def paced(server: Server, *, per_second: float, seconds: float) -> list[float]:
    """Ask at a fixed pace whether or not earlier questions were answered; return how late each answer was, in seconds.

    Latency counts from when a question was due, so that a server that stalls is charged for all who waited meanwhile.
    """
    taken: list[float] = []
    start = time.perf_counter() + 0.05
    total = int(per_second * seconds)

    async def one(first: int) -> None:
        async with connected(server.port, server.tls) as connection:
            for number in range(first, total, CONNECTIONS):
                due = start + number / per_second
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                await connection.ask(server.requests[number % len(server.requests)])
                taken.append(time.perf_counter() - due)

    await asyncio.gather(*(one(first) for first in range(CONNECTIONS)))
    return taken


def percentile(taken: Sequence[float], percent: int) -> float:
    """Return a percentile, in milliseconds."""
    return statistics.quantiles(taken, n=100)[percent - 1] * 1000


def measure(server: Server, count: int) -> Measured:
    """Warm a server up, load it, and say what a request cost it."""
    with running(server) as (pid, ready_ms):
        asyncio.run(load(server, min(1_000, count)))
        before, begun = cpu_seconds(pid), time.perf_counter()
        taken = asyncio.run(load(server, count))
        seconds = time.perf_counter() - begun
        measured = Measured(
            cpu_us=(cpu_seconds(pid) - before) / count * 1e6,
            per_second=count / seconds,
            p99_ms=percentile(taken, 99),
            ready_ms=ready_ms,
            rss_mb=rss_mb(pid),
        )
    sys.stderr.write(
        f"{server.name:>24}: {measured.cpu_us:7.1f} us CPU/request, {measured.per_second:6.0f}/s, "
        f"p99 {measured.p99_ms:5.1f} ms, ready in {measured.ready_ms:4.0f} ms, {measured.rss_mb:4.0f} MB\n"
    )
    return measured
