"""A service on the chassis as a process of its own: what the network can do to it, and how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio

PROGRAM = Path(__file__).with_name("slow_service.py")


class Running:
    """A running service, its address, and its log by the event."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.port = 0

    async def event(self, name: str) -> dict[str, object]:
        """Return the next log line of this event."""
        assert self.process.stderr is not None
        async with asyncio.timeout(20):
            while line := await self.process.stderr.readline():
                logged: dict[str, object] = json.loads(line)
                if logged["event"] == name:
                    return logged
        raise AssertionError(f"the process ended without {name}")

    async def send(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection, send the data and return it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        return reader, writer


@pytest.fixture
async def service() -> AsyncGenerator[Running]:
    """Start a service, and end it."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-P", PROGRAM, stderr=asyncio.subprocess.PIPE)
    running = Running(process)
    try:
        running.port = int(str((await running.event("service.listening"))["address"]).rpartition(":")[2])
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """Return everything until the connection is closed."""
    async with asyncio.timeout(20):
        return await reader.read()


async def test_a_request_under_way_is_answered_before_the_process_stops(service: Running) -> None:
    reader, writer = await service.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await service.event("slow.begun")

    service.process.send_signal(signal.SIGTERM)
    answered = await answer(reader)
    writer.close()

    assert answered.startswith(b"HTTP/1.1 200")
    assert b"finished because of the drain" in answered
    assert await service.process.wait() == 0


async def test_a_second_signal_does_not_wait(service: Running) -> None:
    _, writer = await service.send(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
    await service.event("never.begun")

    service.process.send_signal(signal.SIGTERM)
    await service.event("service.draining")
    service.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(5):
        await service.process.wait()
    writer.close()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"HELLO\r\n\r\n", b"400", b"http.malformed"),
        (b"\x16\x03\x01\x02\x00\x01\x00", b"400", b"http.malformed"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400", b"http.malformed"),
        (b"GET /live HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 66_000, b"431", b"http.head_too_large"),
        (b"GET /live HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 11_000, b"431", b"http.head_too_large"),
    ],
    ids=[
        "no HTTP",
        "TLS on a plain port",
        "two lengths",
        "one endless header",
        "endless headers",
    ],
)
async def test_what_is_no_request_is_refused_and_the_connection_closed(
    sent: bytes, status: bytes, code: bytes, service: Running
) -> None:
    """The heads are only a little too large: the kernel resets a connection that is closed before it was read empty."""
    reader, writer = await service.send(sent)

    answered = await answer(reader)
    with contextlib.suppress(ConnectionError):
        writer.close()
        await writer.wait_closed()

    assert answered.startswith(b"HTTP/1.1 " + status)
    assert b"application/problem+json" in answered
    assert code in answered


CHUNKED = b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    "trailers", [b"X: " + b"a" * 66_000, b"X: a\r\n" * 11_000], ids=["one endless", "endless many"]
)
async def test_trailers_without_end_are_refused_and_the_connection_closed(trailers: bytes, service: Running) -> None:
    """They need no token, and 30 MB of them once took 570 MB of memory for as long as the process lived."""
    reader, writer = await service.send(CHUNKED + b"Expect: 100-continue\r\n\r\n")
    await reader.readuntil(b"100 Continue\r\n\r\n")

    writer.write(b"0\r\n" + trailers)
    answered = await answer(reader)
    writer.close()

    assert answered.startswith(b"HTTP/1.1 431")
    assert b"http.trailer_too_large" in answered


async def test_a_trailer_is_no_header(service: Running) -> None:
    """RFC 9110, 6.5.1: a proxy that checks or sets a header never sees what comes after the body."""
    reader, writer = await service.send(CHUNKED + b"X-Head: 1\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n")

    answered = await answer(reader)
    writer.close()

    assert b"x-head" in answered
    assert b"x-trailer" not in answered


async def test_trailers_after_the_answer_end_the_connection_without_a_second_one(service: Running) -> None:
    """Nobody asked for it: a client would take it for the answer to its next request."""
    reader, writer = await service.send(
        CHUNKED.replace(b"/echo", b"/nowhere").replace(b"close", b"keep-alive") + b"\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")

    writer.write(b"0\r\n" + b"X: a\r\n" * 11_000)
    rest = await answer(reader)
    writer.close()

    assert b"HTTP/1.1" not in rest


async def test_a_caller_who_hangs_up_in_the_middle_is_no_failure_of_the_service(service: Running) -> None:
    """Otherwise anybody could fill the log with stack traces, and wake up whoever watches the failures."""
    reader, writer = await service.send(CHUNKED + b"Expect: 100-continue\r\n\r\n")
    await reader.readuntil(b"100 Continue\r\n\r\n")

    writer.close()
    recorded = await service.event("request")

    reader, writer = await service.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    metrics = await answer(reader)
    writer.close()
    assert recorded["status"] == 499
    assert b'aeterna_http_request_failures_total{route="/echo"}' not in metrics
