"""Takes clients on a socket and runs each to its end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from aeterna.relay.adapters.streams import BUFFER_BYTES, StreamConnection
from aeterna.service.lifecycle import address_of

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from datetime import timedelta

    from aeterna.relay.ports import Connection

log = structlog.stdlib.get_logger(__name__)


class Listener:
    """Serves each client of a socket that listens already."""

    def __init__(self, listening: socket.socket, serve: Callable[[Connection], Awaitable[None]]) -> None:
        self._listening = listening
        self._serve = serve
        self._clients: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def accepting(self) -> AsyncGenerator[None]:
        """Take clients until the block ends; those that were taken stay."""
        # Its name first: afterwards the loop has the socket.
        address = address_of(self._listening)
        server = await asyncio.start_server(self._begun, sock=self._listening, limit=BUFFER_BYTES)
        log.info("relay.listening", address=address)
        try:
            yield
        finally:
            server.close()

    async def ended(self, within: timedelta) -> None:
        """Return when every client has ended, or when the time is over, with those that are left cut off."""
        if not self._clients:
            return
        _, late = await asyncio.wait(self._clients, timeout=within.total_seconds())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _begun(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(StreamConnection(reader, writer)))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
