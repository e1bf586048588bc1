"""Requests answered as they are read: the same answers as the usual way gives, whatever the bytes do on the wire."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import uvicorn
from uvicorn.server import ServerState

from aeterna.service.direct import Direct, DirectHttpProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from aeterna.service.asgi import Receive, Scope, Send
    from aeterna.service.direct import Headers

pytestmark = pytest.mark.anyio


class Echo:
    """Says what it was sent and which way it came; "wait" in the body is not for the direct way."""

    direct_targets = frozenset({b"/echo"})

    def direct(self, target: bytes, headers: Headers, body: bytes) -> tuple[bytes, bytes] | None:
        """Answer what does not ask to wait."""
        del target, headers
        return None if b"wait" in body else (b"x-way: direct\r\n", body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the usual way."""
        assert scope["type"] == "http"
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = [(b"x-way", b"usual"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Hasty(DirectHttpProtocol):
    """Waits for a head as long as a test can wait."""

    head_seconds = 0.05


@asynccontextmanager
async def served(
    protocol: type[DirectHttpProtocol] = DirectHttpProtocol,
    *,
    keep_alive: int = 75,
    common: Sequence[tuple[bytes, bytes]] = (),
    most: int | None = None,
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Serve the echo and yield a connection to it."""
    app = Echo()
    assert isinstance(app, Direct)
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_keep_alive=keep_alive)
    state = ServerState()
    state.default_headers = [*common]
    config.load()
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(app, config=config, server_state=state, app_state={}, most_connections=most), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()


def request(body: bytes, *headers: bytes, method: bytes = b"POST", target: bytes = b"/echo") -> bytes:
    """Return a whole request."""
    lines = b"".join(header + b"\r\n" for header in (b"Host: x", b"Content-Length: %d" % len(body), *headers))
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, target, lines, body)


async def answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Return which way an answer came, or its status where it is none, and its body."""
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
    way = head.partition(b"x-way: ")[2].partition(b"\r\n")[0]
    return (way or head.split(b" ")[1]).decode(), body


async def asked(*parts: bytes, answers: int = 1) -> list[tuple[str, bytes]]:
    """Send the parts, each once what came before was read from the wire, and return the answers."""
    async with served() as (reader, writer):
        for part in parts:
            writer.write(part)
            await writer.drain()
            # Two turns of the loop: what is written is on the wire, and the server, on this loop too, has read it.
            await asyncio.sleep(0.01)
        return [await answer(reader) for _ in range(answers)]


async def test_a_whole_request_is_answered_directly() -> None:
    assert await asked(request(b"one")) == [("direct", b"one")]


async def test_what_the_application_cannot_answer_at_once_goes_the_usual_way() -> None:
    assert await asked(request(b"wait")) == [("usual", b"wait")]


@pytest.mark.parametrize(
    "unusual",
    [
        request(b"x", target=b"/other"),
        request(b"x", method=b"PUT"),
        request(b"x", b"Connection: close"),
        request(b"x").replace(b"HTTP/1.1", b"HTTP/1.0"),
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    ],
    ids=["target", "method", "close", "http-1.0", "chunked"],
)
async def test_what_is_out_of_the_ordinary_goes_the_usual_way(unusual: bytes) -> None:
    assert await asked(unusual) == [("usual", b"x")]


@pytest.mark.parametrize("at", [1, 20, 40, -4, -1])
async def test_a_request_in_two_parts_is_answered_all_the_same(at: int) -> None:
    whole = request(b"body")

    assert [body for _, body in await asked(whole[:at], whole[at:])] == [b"body"]


async def test_a_request_byte_by_byte_is_answered_all_the_same() -> None:
    whole = request(b"ab")

    async with served() as (reader, writer):
        for byte in whole:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        assert (await answer(reader))[1] == b"ab"


async def test_requests_on_one_connection_are_answered_in_their_order() -> None:
    """However the ways alternate: an answer that overtakes another is an answer to the wrong question."""
    bodies = [b"1", b"2 wait", b"3", b"4 wait", b"5 wait", b"6", b"7"]

    answers = await asked(b"".join(map(request, bodies)), answers=len(bodies))

    assert [body for _, body in answers] == bodies


async def test_one_after_the_other_each_is_answered() -> None:
    bodies = [b"1", b"2 wait", b"3", b"4"]

    async with served() as (reader, writer):
        answers: list[tuple[str, bytes]] = []
        for body in bodies:
            writer.write(request(body))
            answers.append(await answer(reader))

    assert answers == [("direct", b"1"), ("usual", b"2 wait"), ("direct", b"3"), ("direct", b"4")]


async def test_who_waits_to_send_its_body_is_told_to_go_on() -> None:
    async with served() as (reader, writer):
        writer.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        async with asyncio.timeout(10):
            told = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"x")
        answered = await answer(reader)

    assert told.startswith(b"HTTP/1.1 100")
    assert answered == ("usual", b"x")


async def test_what_is_no_http_after_an_answer_is_refused() -> None:
    assert await asked(request(b"one") + b"\x00\x01\x02\r\n\r\n", answers=2) == [
        ("direct", b"one"),
        ("400", (await asked(b"\x00\x01\r\n\r\n"))[0][1]),
    ]


async def test_a_head_without_an_end_is_refused_when_it_is_too_large() -> None:
    head = b"POST /echo HTTP/1.1\r\n" + b"X: " + b"y" * 70_000

    assert [status for status, _ in await asked(head)] == ["431"]
    assert [way for way, _ in await asked(request(b"one") + head, answers=2)] == ["direct", "431"]


async def test_a_head_without_an_end_is_not_waited_for() -> None:
    async with served(Hasty) as (reader, writer):
        writer.write(request(b"one") + b"POST /echo HT")
        await answer(reader)
        async with asyncio.timeout(10):
            assert await reader.read() == b""


@pytest.mark.parametrize("body", [b"one", b"wait"])
async def test_a_connection_that_is_idle_for_its_time_is_closed(body: bytes) -> None:
    async with served(keep_alive=1) as (reader, writer):
        writer.write(request(b"one") + request(body))
        await answer(reader)
        await answer(reader)

        async with asyncio.timeout(10):
            assert await reader.read() == b""


async def test_a_connection_that_is_used_outlives_the_time_that_it_may_be_idle() -> None:
    loop = asyncio.get_running_loop()
    async with served(keep_alive=1) as (reader, writer):
        until, answered = loop.time() + 1.5, 0
        while loop.time() < until:
            writer.write(request(b"one" if answered % 2 else b"wait"))
            await answer(reader)
            answered += 1

    assert answered > 1


@pytest.mark.parametrize("body", [b"at once", b"wait"], ids=["direct", "usual"])
async def test_who_is_told_with_an_answer_to_leave_is_hung_up_on_after_it(body: bytes) -> None:
    """A server that stops says so, and answers nothing more: the request behind is for another one."""
    async with served(common=[(b"connection", b"close")]) as (reader, writer):
        writer.write(request(body) + request(body))

        head = await reader.readuntil(b"\r\n\r\n")
        rest = await reader.read()

    assert b"connection: close\r\n" in head
    assert rest == body


async def test_of_more_connections_than_there_may_be_the_last_to_come_is_hung_up_on() -> None:
    async with served(most=1) as (reader, writer):
        writer.write(request(b"one"))
        first = await answer(reader)

        late = await asyncio.open_connection(*writer.get_extra_info("peername"))
        with contextlib.suppress(ConnectionError):
            assert await late[0].read() == b""
        writer.write(request(b"two"))

        assert (first, await answer(reader)) == (("direct", b"one"), ("direct", b"two"))
        late[1].close()


async def test_a_place_that_was_left_is_free_again() -> None:
    async with served(most=1) as (reader, writer):
        writer.write(request(b"one", b"Connection: close"))
        await reader.read()

        next_reader, next_writer = await asyncio.open_connection(*writer.get_extra_info("peername"))
        next_writer.write(request(b"two"))

        assert await answer(next_reader) == ("direct", b"two")
        next_writer.close()
