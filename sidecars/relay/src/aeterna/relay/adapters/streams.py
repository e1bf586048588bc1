"""Connections on asyncio's streams, with small buffers, so that a slow side slows the other down, and signs of life."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

BUFFER_BYTES: Final = 64 * 1024
# A side that vanished without a word is noticed after a minute: 30 s of silence and three questions, 10 s apart, or
# 30 s in which it confirms nothing that was sent.
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 30_000}


class StreamConnection:
    """A `Connection` over TCP or TLS."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        writer.transport.set_write_buffer_limits(high=BUFFER_BYTES)
        _watched(writer.get_extra_info("socket"))

    async def receive(self) -> bytes:
        """See `Connection.receive`."""
        return await self._reader.read(BUFFER_BYTES)

    async def send(self, data: bytes) -> None:
        """See `Connection.send`."""
        self._writer.write(data)
        await self._writer.drain()

    async def line(self) -> bytes:
        """Return what comes up to the next end of line."""
        return await self._reader.readline()

    def close(self) -> None:
        """See `Connection.close`."""
        self._writer.close()


def _watched(endpoint: socket.socket) -> None:
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        # Not every system has every one of them.
        option: int | None = getattr(socket, name, None)
        if option is not None:
            endpoint.setsockopt(socket.IPPROTO_TCP, option, value)
