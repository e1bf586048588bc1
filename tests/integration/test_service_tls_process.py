"""A service that serves TLS as a process of its own: what it answers, what it takes up, and how it stops."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.serving_pair import MountedSecret, TestAuthority

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio

PROGRAM = Path(__file__).with_name("slow_service.py")
AUTHORITY = TestAuthority()
LIVE = b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Served:
    """A running service, its mounted pair, and its log by the event."""

    def __init__(self, process: asyncio.subprocess.Process, secret: MountedSecret) -> None:
        self.process = process
        self.secret = secret
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def event(self, name: str) -> dict[str, object]:
        """Return the next log line of this event."""
        assert self.process.stderr is not None
        async with asyncio.timeout(20):
            while line := await self.process.stderr.readline():
                logged: dict[str, object] = json.loads(line)
                if logged["event"] == name:
                    return logged
        raise AssertionError(f"the process ended without {name}")

    def answered_once(self) -> ssl.SSLSocket:
        """Return a connection that has its answer, and on which nobody reads any more."""
        context = ssl.create_default_context(cadata=AUTHORITY.pem().decode())
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection = context.wrap_socket(plain, server_hostname="localhost")
        connection.sendall(LIVE)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        return connection

    async def connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection over TLS."""
        context = ssl.create_default_context(cadata=AUTHORITY.pem().decode())
        return await self.open(context)

    async def open(self, context: ssl.SSLContext | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection, closed at the end of the test."""
        host = "localhost" if context is not None else None
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname=host)
        self.writers.append(writer)
        return reader, writer


@pytest.fixture
async def service(tmp_path: Path) -> AsyncGenerator[Served]:
    """Start a service with a certificate, and end it."""
    secret = MountedSecret(tmp_path / "tls")
    secret.put(*AUTHORITY.pair())
    files = (str(secret.certificate), str(secret.key))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", PROGRAM, *files, stderr=asyncio.subprocess.PIPE
    )
    running = Served(process, secret)
    try:
        running.port = int(str((await running.event("service.listening"))["address"]).rpartition(":")[2])
        yield running
    finally:
        for writer in running.writers:
            writer.transport.abort()
        if process.returncode is None:
            process.kill()
        await process.wait()


async def head(reader: asyncio.StreamReader) -> bytes:
    """Return the head of an answer, and read its body."""
    async with asyncio.timeout(20):
        found = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(found.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        return found


async def test_it_is_asked_over_tls_and_a_new_pair_is_taken_up_without_a_restart(service: Served) -> None:
    first_reader, first = await service.connected()
    service.secret.put(*AUTHORITY.pair())
    second_reader, second = await service.connected()
    answers: list[bool] = []
    for reader, writer in ((first_reader, first), (second_reader, second)):
        writer.write(LIVE)
        answers.append((await head(reader)).startswith(b"HTTP/1.1 200"))
    shown = [each.get_extra_info("ssl_object").getpeercert(binary_form=True) for each in (first, second)]

    assert answers == [True, True]
    assert shown[0] != shown[1]


async def test_plain_http_is_not_spoken(service: Served) -> None:
    reader, writer = await service.open()
    writer.write(LIVE)
    async with asyncio.timeout(20):
        answer = await reader.read()

    assert b"HTTP" not in answer


async def test_an_idle_client_that_says_no_goodbye_does_not_hold_up_the_drain(service: Served) -> None:
    """Most clients read nothing on an idle connection, and the process would wait for its whole drain, 10 s."""
    idle = await asyncio.to_thread(service.answered_once)

    service.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(7):
        status = await service.process.wait()
    idle.close()

    assert status == 0


async def test_who_never_shakes_hands_keeps_nobody_from_being_served(service: Served) -> None:
    silent = [await service.open() for _ in range(50)]
    reader, writer = await service.connected()
    writer.write(LIVE)

    assert (await head(reader)).startswith(b"HTTP/1.1 200")
    assert len(silent) == 50
