"""uvicorn's HTTP/1.1 with bounds on what is neither body nor application: a request's head and its trailers."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any, ClassVar, Final

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aeterna.service.problem import malformed_head, oversized_head, oversized_trailer

if TYPE_CHECKING:
    import asyncio

    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from aeterna.service.problem import Problem

MAX_HEAD_BYTES: Final = 64 * 1024
HEAD_SECONDS: Final = 10.0
MAX_TRAILER_BYTES: Final = 64 * 1024
MAX_PIPELINED: Final = 64
log = structlog.stdlib.get_logger(__name__)
_UCRED_BYTES: Final = struct.calcsize("iII")


class _TooManyPipelinedError(Exception):
    """Ends the parsing of a connection that is closed; never leaves the parser."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuses heads over `MAX_HEAD_BYTES`, and closes connections that take over `HEAD_SECONDS` to send one.

    uvicorn bounds neither with httptools: one connection could send header after header until memory is full (200 MB
    were taken when it was tried), or hold itself open for ever with half a line. Neither does it tell trailers, which
    follow a chunked body, from headers: they took 570 MB, without a token, and appeared among the headers of a request
    that was being served. RFC 9110, 6.5.1: they must not be merged, and may be ignored.

    Nor does it bound the requests that wait for the answer to an earlier one: each answer has it read 256 KiB more of
    them, and one connection took 200 MB in three seconds. Whoever has more than `MAX_PIPELINED` waiting is hung up on.

    With ``most_connections`` whoever comes when there are so many is hung up on. It is for those that answer without a
    token: over TLS a connection with half of a request costs 325 KB (measured), and 1,500 of them ended an injector.
    """

    head_seconds: ClassVar = HEAD_SECONDS
    _head_deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _served = False
    _in_body = False
    _bytes_without_body = 0
    _running: RequestResponseCycle | None = None

    def __init__(self, *args: Any, most_connections: int | None = None, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self._most_connections = most_connections

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Wait for the first request; over a Unix socket its client is ``uid:<user>`` and the process's number."""
        super().connection_made(transport)
        if self._most_connections is not None and len(self.connections) > self._most_connections:
            log.warning("service.connections_full", connections=self._most_connections)
            transport.abort()
            return
        self.client = self.client or _peer(transport.get_extra_info("socket"))
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting, and tell the request that is being served: uvicorn tells the one that came last."""
        self._head_complete()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and count it while no head is complete, or while a body goes on without any content."""
        self._bytes_without_body += len(data)
        super().data_received(data)
        if self._in_body and self._bytes_without_body > MAX_TRAILER_BYTES:
            self._refuse(oversized_trailer(MAX_TRAILER_BYTES))
        elif self._head_deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(oversized_head(MAX_HEAD_BYTES))

    def on_message_begin(self) -> None:
        """Wait for the rest of another head on a connection that is kept alive."""
        super().on_message_begin()
        self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; let a trailer go."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Leave the request to the application."""
        self._head_complete()
        if len(self.pipeline) >= MAX_PIPELINED:
            # Nothing can be said: other answers are owed first. Raising stops the parser in the middle of what it has.
            self.transport.close()
            raise _TooManyPipelinedError
        super().on_headers_complete()
        self._served = self._in_body = True
        self._bytes_without_body = 0

    def on_body(self, body: bytes) -> None:
        """Pass content on: whoever sends some is not sending trailers yet."""
        self._bytes_without_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect the next request."""
        self._in_body = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with a problem document, as everything else is."""
        del msg
        self._refuse(malformed_head())

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _await_head(self) -> None:
        if self._head_deadline is None:
            self._head_bytes = 0
            self._head_deadline = self.loop.call_later(self.head_seconds, self.transport.close)

    def _head_complete(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _refuse(self, problem: Problem) -> None:
        """Answer without the application, and close; only close where its own answer has begun, or is owed first."""
        self._head_complete()
        if self.transport.is_closing():
            return
        if not self._owes_an_answer():
            self.transport.write(problem.raw("/"))
        self.transport.close()

    def _owes_an_answer(self) -> bool:
        """Tell whether what we write now would be taken for the answer to an earlier request, or for a part of it."""
        if not self._served:
            return False
        started = self.cycle.response_started if self._in_body else not self.cycle.response_complete
        return started or bool(self.pipeline)


def _peer(connection: socket.socket | None) -> tuple[str, int] | None:
    """Return what the kernel says of the other end of a Unix socket (unix(7), SO_PEERCRED), where it says anything."""
    if connection is None or connection.family != socket.AF_UNIX or not hasattr(socket, "SO_PEERCRED"):
        return None
    pid, uid, _ = struct.unpack("iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED_BYTES))
    return f"uid:{uid}", pid


# The name under which uvicorn's configuration takes a protocol is untyped for classes of one's own.
PROTOCOL: Final[type[Any]] = BoundedHttpProtocol
