"""Requests sent without waiting for answers: they may neither fill memory nor hide that their sender hung up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import uvicorn
from uvicorn.server import ServerState

from aeterna.service.http_protocol import MAX_PIPELINED, BoundedHttpProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.service.asgi import App, Receive, Scope, Send

pytestmark = pytest.mark.anyio

_REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@asynccontextmanager
async def served(app: App) -> AsyncGenerator[tuple[BoundedHttpProtocol, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Serve an application and yield the server's end of a connection and ours."""
    config = uvicorn.Config(app, lifespan="off", log_config=None)
    config.load()
    made: asyncio.Future[BoundedHttpProtocol] = asyncio.get_running_loop().create_future()

    def protocol() -> BoundedHttpProtocol:
        made.set_result(BoundedHttpProtocol(config=config, server_state=ServerState(), app_state={}))
        return made.result()

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield await made, reader, writer
    finally:
        writer.close()
        server.close()


async def test_whoever_sends_more_requests_than_may_wait_is_hung_up_on() -> None:
    async def waiting(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async with served(waiting) as (protocol, reader, writer), asyncio.timeout(10):
        writer.write(_REQUEST * (MAX_PIPELINED * 10))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        assert len(protocol.pipeline) <= MAX_PIPELINED


async def test_as_many_requests_as_may_wait_are_all_answered() -> None:
    async def answering(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with served(answering) as (_, reader, writer), asyncio.timeout(10):
        writer.write(_REQUEST * MAX_PIPELINED)
        answers = [await reader.readuntil(b"\r\n\r\n") for _ in range(MAX_PIPELINED)]
        assert all(answer.startswith(b"HTTP/1.1 204") for answer in answers)


async def test_a_stream_ends_when_its_caller_hangs_up_with_another_request_behind_it() -> None:
    ended = asyncio.Event()

    async def streaming(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        ended.set()

    async with served(streaming) as (_, reader, writer):
        writer.write(_REQUEST * 2)
        async with asyncio.timeout(10):
            await reader.readuntil(b"begun")
            writer.close()
            await ended.wait()
