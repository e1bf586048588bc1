"""What a connection and the cache owe the relay: the fakes obey as real sockets and a real TLS server do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.identity.login import TokenLogin
from aeterna.identity.testing import FakeTokenSource
from aeterna.relay.adapters.logins import CacheLogin
from aeterna.relay.adapters.streams import StreamConnection
from aeterna.relay.adapters.tls_upstream import TlsUpstream
from aeterna.relay.errors import LoginRefusedError, UpstreamUnavailableError
from aeterna.relay.ports import Connection, Upstream
from aeterna.relay.testing import FakeConnection, FakeUpstream
from fixtures.serving_pair import TestAuthority

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path


pytestmark = pytest.mark.anyio

NOW = 1_800_000_000.0


@dataclass(kw_only=True)
class Line:
    """A connection, and what the other side of it does: ``says`` with nothing is its end."""

    connection: Connection
    says: Callable[[bytes], None]
    breaks: Callable[[], None]
    heard: bytearray


@asynccontextmanager
async def fake_line() -> AsyncGenerator[Line]:
    """Yield the fake that is shipped."""
    made = FakeConnection()
    yield Line(connection=made, says=made.comes, breaks=lambda: made.comes(ConnectionResetError()), heard=made.sent)


@asynccontextmanager
async def real_line() -> AsyncGenerator[Line]:
    """Yield a connection over TCP."""
    heard, others = bytearray(), asyncio.Queue[asyncio.StreamWriter]()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        others.put_nowait(writer)
        while data := await reader.read(65_536):
            heard.extend(data)

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        connection = StreamConnection(*await asyncio.open_connection(*server.sockets[0].getsockname()))
        other = await others.get()

        def say(data: bytes) -> None:
            other.write(data) if data else other.write_eof()

        yield Line(connection=connection, says=say, breaks=other.transport.abort, heard=heard)
        connection.close()
        other.close()


LINES = pytest.mark.parametrize("line", [fake_line, real_line], ids=["fake", "TCP"])


@LINES
async def test_what_the_other_side_says_comes_in_its_order_and_then_its_end(
    line: Callable[[], AbstractAsyncContextManager[Line]],
) -> None:
    async with line() as found, asyncio.timeout(10):
        for words in (b"one ", b"two", b""):
            found.says(words)

        came = bytearray()
        while data := await found.connection.receive():
            came += data

    assert came == b"one two"


@LINES
async def test_what_is_sent_reaches_the_other_side(line: Callable[[], AbstractAsyncContextManager[Line]]) -> None:
    async with line() as found, asyncio.timeout(10):
        await found.connection.send(b"a word")

        while bytes(found.heard) != b"a word":  # noqa: ASYNC110 - what the other side heard is no event
            await asyncio.sleep(0.001)


@LINES
async def test_a_connection_that_breaks_is_an_error_and_no_end(
    line: Callable[[], AbstractAsyncContextManager[Line]],
) -> None:
    async with line() as found, asyncio.timeout(10):
        await found.connection.send(b"a word")
        found.breaks()

        with pytest.raises(ConnectionError):
            await found.connection.receive()


@LINES
async def test_on_a_closed_connection_nothing_is_sent(line: Callable[[], AbstractAsyncContextManager[Line]]) -> None:
    async with line() as found, asyncio.timeout(10):
        found.connection.close()
        found.connection.close()

        with pytest.raises(ConnectionError):
            await found.connection.send(b"late")

    assert not found.heard


@dataclass(kw_only=True)
class Cache:
    """A cache in a test's hands."""

    upstream: Upstream
    refuses: Callable[[], None]
    leaves: Callable[[], None]


@asynccontextmanager
async def fake_cache(_: Path) -> AsyncGenerator[Cache]:
    """Yield the fake that is shipped."""
    made = FakeUpstream(clock=lambda: NOW)

    def refuse() -> None:
        made.refusal = LoginRefusedError("WRONGPASS")

    def leave() -> None:
        made.refusal = UpstreamUnavailableError("ConnectionRefusedError")

    yield Cache(upstream=made, refuses=refuse, leaves=leave)


@dataclass
class Redis:
    """As much of Redis as lets somebody in, or does not."""

    answer: bytes = b"+OK\r\n"
    writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a login, and keep the connection."""
        self.writers.append(writer)
        await reader.readuntil(b"token-1\r\n")
        writer.write(self.answer)


@asynccontextmanager
async def real_cache(folder: Path) -> AsyncGenerator[Cache]:
    """Yield a server that proves its name over TLS."""
    redis, authority = Redis(), TestAuthority("cache")
    certificate, key = authority.pair(host="localhost")
    (folder / "pair.pem").write_bytes(key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pair.pem")
    server = await asyncio.start_server(redis.serve, "127.0.0.1", 0, ssl=context)
    upstream = TlsUpstream(
        "localhost",
        server.sockets[0].getsockname()[1],
        trust=ssl.create_default_context(cadata=authority.pem().decode()),
        login=CacheLogin(user="relay", clock=lambda: NOW),
        tokens=TokenLogin(FakeTokenSource(clock=lambda: NOW), clock=lambda: NOW, random=lambda: 0.5),
        timeout=timedelta(seconds=5),
    )

    def refuse() -> None:
        redis.answer = b"-WRONGPASS invalid username-password pair\r\n"

    yield Cache(upstream=upstream, refuses=refuse, leaves=server.close)
    server.close()
    for each in redis.writers:
        each.transport.abort()


CACHES = pytest.mark.parametrize("cache", [fake_cache, real_cache], ids=["fake", "TLS"])


@CACHES
async def test_each_who_is_let_in_has_a_connection_of_its_own_for_as_long_as_the_login_holds(
    cache: Callable[[Path], AbstractAsyncContextManager[Cache]], tmp_path: Path
) -> None:
    async with cache(tmp_path) as found, asyncio.timeout(10):
        first, second = await found.upstream.open(), await found.upstream.open()

        assert first.connection is not second.connection
        assert (first.ends, second.ends) == (NOW + 3600, NOW + 3600)
        for each in (first, second):
            each.connection.close()


@CACHES
async def test_who_is_refused_is_told_the_kind_of_it(
    cache: Callable[[Path], AbstractAsyncContextManager[Cache]], tmp_path: Path
) -> None:
    async with cache(tmp_path) as found, asyncio.timeout(10):
        found.refuses()

        with pytest.raises(LoginRefusedError) as refused:
            await found.upstream.open()

    assert refused.value.reason == "WRONGPASS"


@CACHES
async def test_a_cache_that_is_away_is_an_error_of_its_own(
    cache: Callable[[Path], AbstractAsyncContextManager[Cache]], tmp_path: Path
) -> None:
    async with cache(tmp_path) as found, asyncio.timeout(10):
        found.leaves()

        with pytest.raises(UpstreamUnavailableError):
            await found.upstream.open()
