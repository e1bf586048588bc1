"""HTTP/1.1 to one neighbour over kept connections, with nothing that a question to a neighbour does not need.

Every request to a service asks the decision point first, so what this costs is added to each: no proxies, no redirects,
no cookies, no content codings. Answers are parsed by httptools (llhttp), the parser that our servers use.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import TYPE_CHECKING, Final, TypeVar, cast
from urllib.parse import urlsplit

import httptools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MAX_CONNECTIONS: Final = 64
_MAX_ANSWER_BYTES: Final = 64 * 1024
_UNIX: Final = "unix:"
REQUEST_ID: Final = "X-Request-ID"
_REQUEST_ID: Final = REQUEST_ID.lower().encode("ascii")
# A line break in a header would begin another header, or another request.
_UNFIT: Final = re.compile(r"[^\x20-\x7e]")

P = TypeVar("P", bound=asyncio.Protocol)


class NeighbourError(Exception):
    """The neighbour is away, or what it sent is no answer; never leaves the package's client."""


class _NothingReceivedError(NeighbourError):
    """The connection ended before the first byte of the answer."""


class Address:
    """Where a neighbour is: ``http(s)://host[:port][/prefix]`` or ``unix:/path``."""

    def __init__(self, url: str, *, tls: ssl.SSLContext | None = None) -> None:
        """Take whom to trust over https; by default whom the system trusts."""
        self._unix = url.removeprefix(_UNIX) if url.startswith(_UNIX) else None
        parts = urlsplit("http://localhost" if self._unix is not None else url)
        self._host = parts.hostname or "localhost"
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._authority = parts.netloc.rpartition("@")[2]

    async def connect(self, protocol: Callable[[], P]) -> P:
        """Return the protocol of a new connection, or raise `NeighbourError`."""
        loop = asyncio.get_running_loop()
        try:
            if self._unix is not None:
                _, made = await loop.create_unix_connection(protocol, self._unix)
            else:
                _, made = await loop.create_connection(protocol, self._host, self._port, ssl=self._tls)
        except (OSError, ValueError) as exc:
            raise NeighbourError("it does not accept connections") from exc
        return made

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return the bytes of a request, or raise `NeighbourError` for what would be more than one."""
        lines = [f"{method} {self._prefix}{path} HTTP/1.1", f"Host: {self._authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body)}")
        if any(_UNFIT.search(line) for line in lines):
            raise NeighbourError("a header has characters that no header may have")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class Neighbour:
    """Exchanges requests and answers with one address."""

    def __init__(
        self,
        address: Address,
        *,
        connections: int = _MAX_CONNECTIONS,
        answer_bytes: int = _MAX_ANSWER_BYTES,
        connect_seconds: float | None = None,
    ) -> None:
        """Take how many exchanges may be under way, how long an answer may be, and how long connecting may take."""
        self._address = address
        self._answer_bytes = answer_bytes
        self._connect_seconds = connect_seconds
        self._free = asyncio.Semaphore(connections)
        self._idle: list[_Connection] = []
        self._closed = False

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, bytes]:
        """Return status and body of the answer, or raise `NeighbourError`; a cancellation closes the connection.

        A kept connection that was closed meanwhile, before anything of the answer was received, is replaced once by a
        new one, so requests must be safe to repeat. An answer to a request with an id that names another is refused.
        """
        request = self._address.request(method, path, headers, body)
        request_id = headers.get(REQUEST_ID, "").encode("ascii")
        async with self._free:
            while self._idle:
                connection = self._idle.pop()
                if connection.usable:
                    try:
                        return await self._over(connection, request, request_id)
                    except _NothingReceivedError:
                        break
            if self._closed:
                raise NeighbourError("the client is closed")
            return await self._over(await self._connected(), request, request_id)

    async def aclose(self) -> None:
        """Close the kept connections and open no others."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        # A transport closes its socket in the loop's next turn.
        await asyncio.sleep(0)

    async def _connected(self) -> _Connection:
        try:
            async with asyncio.timeout(self._connect_seconds):
                return await self._address.connect(lambda: _Connection(self._answer_bytes))
        except TimeoutError as exc:
            raise NeighbourError("it does not accept connections in time") from exc

    async def _over(self, connection: _Connection, request: bytes, request_id: bytes) -> tuple[int, bytes]:
        reusable = False
        try:
            answer = await connection.exchange(request)
            if request_id and any(stated != request_id for stated in answer.request_ids):
                raise NeighbourError("its answer is to another request")
            reusable = answer.keep_alive and not self._closed
            return answer.status, bytes(answer.body)
        finally:
            if reusable:
                self._idle.append(connection)
            else:
                connection.close()


class _Connection(asyncio.Protocol):
    """One connection, on which one exchange runs at a time."""

    def __init__(self, answer_bytes: int) -> None:
        self._answer_bytes = answer_bytes
        self._transport: asyncio.Transport | None = None
        self._answer: _Answer | None = None
        self._done: asyncio.Future[None] | None = None
        self.usable = True

    async def exchange(self, request: bytes) -> _Answer:
        """Return the answer, or raise `NeighbourError`."""
        transport = self._transport
        if transport is None or not self.usable:
            raise _NothingReceivedError("the connection is closed")
        answer = self._answer = _Answer(self._answer_bytes)
        self._done = asyncio.get_running_loop().create_future()
        transport.write(request)
        try:
            await self._done
        finally:
            self._answer = self._done = None
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # a stream's, by what is connected

    def data_received(self, data: bytes) -> None:
        answer, done = self._answer, self._done
        if answer is None or done is None or done.done():
            # Nobody asked: what comes now would be taken for the answer to the next question.
            self.close()
            if done is not None and done.done():
                self.usable = False
            return
        try:
            answer.feed(data)
        except NeighbourError as exc:
            done.set_exception(exc)
            return
        if answer.ended:
            done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        answer, done = self._answer, self._done
        if answer is not None and done is not None and not done.done():
            why = "the connection broke" if exc else "it closed the connection"
            done.set_exception((NeighbourError if answer.received else _NothingReceivedError)(why))

    def close(self) -> None:
        """Close without waiting."""
        self.usable = False
        if self._transport is not None:
            self._transport.close()


class _Answer:
    """An answer as it comes in; the methods that begin with ``on_`` are what httptools calls."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._parser = httptools.HttpResponseParser(self)
        self.received = 0
        self.body = bytearray()
        self.status = 0
        self.keep_alive = False
        self.request_ids: list[bytes] = []
        self.ended = False
        self._begun = 0

    def feed(self, data: bytes) -> None:
        """Take what came, or raise `NeighbourError` when it cannot become exactly one answer."""
        self.received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            raise NeighbourError("its answer is no HTTP") from exc
        if self._begun > 1:
            raise NeighbourError("its answer is not exactly one")
        if self.received > 2 * self._most_bytes or len(self.body) > self._most_bytes:
            raise NeighbourError("its answer is too large to be one")

    def on_message_begin(self) -> None:
        self._begun += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == _REQUEST_ID:
            self.request_ids.append(value)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ended = True
        # Asked here, because the parser forgets both when it is ready for the next message.
        self.status = self._parser.get_status_code()
        self.keep_alive = self._parser.should_keep_alive()
