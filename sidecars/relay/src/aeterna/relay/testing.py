"""Fakes of the ports of the relay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aeterna.relay.ports import LoggedIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.relay.errors import RelayError


class FakeConnection:
    """One end of a connection: a test says what comes, and finds what was sent."""

    def __init__(self) -> None:
        self._incoming: asyncio.Queue[bytes | OSError] = asyncio.Queue()
        self._most = 1_000_000
        self._taken = asyncio.Event()
        self.sent = bytearray()
        self.closed = False

    def comes(self, data: bytes | OSError) -> None:
        """Have something come: bytes, the end (no bytes), or a failure."""
        self._incoming.put_nowait(data)

    def takes(self, most: int) -> None:
        """Let whoever sends wait once so many bytes are under way."""
        self._most = most

    def take(self) -> bytes:
        """Return what was sent since the last time, so that more may be sent."""
        taken = bytes(self.sent)
        self.sent.clear()
        self._taken.set()
        return taken

    async def receive(self) -> bytes:
        """See `Connection.receive`."""
        found = await self._incoming.get()
        if isinstance(found, OSError):
            raise found
        return found

    async def send(self, data: bytes) -> None:
        """See `Connection.send`."""
        if self.closed:
            raise ConnectionResetError
        self.sent += data
        while len(self.sent) > self._most:
            self._taken.clear()
            await self._taken.wait()

    def close(self) -> None:
        """See `Connection.close`."""
        if not self.closed:
            self.closed = True
            self.comes(b"")


class FakeUpstream:
    """A cache that lets everybody in, or nobody while ``refusal`` is set."""

    def __init__(self, *, clock: Callable[[], float], life: float = 3600.0) -> None:
        self._clock = clock
        self._life = life
        self.refusal: RelayError | None = None
        self.opened: list[FakeConnection] = []

    async def open(self) -> LoggedIn:
        """See `Upstream.open`."""
        if self.refusal is not None:
            raise self.refusal
        made = FakeConnection()
        self.opened.append(made)
        return LoggedIn(connection=made, ends=self._clock() + self._life)
