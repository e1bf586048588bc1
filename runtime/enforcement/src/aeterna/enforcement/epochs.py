"""The stream in which a decision point says which edition of the policies is in force, kept open and read."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast

import httptools

from aeterna.enforcement.decision import edition_of
from aeterna.enforcement.neighbour import NeighbourError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.enforcement.cache import DecisionCache
    from aeterna.enforcement.decision import Edition
    from aeterna.enforcement.neighbour import Address
    from aeterna.enforcement.ports import Observer, Random

EPOCHS: Final = "/v1/epochs"
_HEADERS: Final = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
_MAX_LINE_BYTES: Final = 16 * 1024
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0

log = logging.getLogger(__name__)


class EpochStream:
    """Reads the stream for ever: tells the cache what it hears, and that it is lost when it ends or falls silent."""

    def __init__(
        self, address: Address, cache: DecisionCache, *, silence: float, random: Random, observer: Observer
    ) -> None:
        """Take how many seconds without a sign of life end a stream."""
        self._address = address
        self._cache = cache
        self._silence = silence
        self._random = random
        self._observer = observer
        self._heard = False

    async def run(self) -> None:
        """Read until cancelled; between two streams wait, longer after each that said nothing, and never in step."""
        pause = _FIRST_PAUSE
        while True:
            self._heard = False
            try:
                await self._read()
            except NeighbourError as exc:
                log.debug("the epoch stream ended: %s", exc)
            finally:
                self._cache.lost()
                if self._heard:
                    self._observer.stream(live=False)
            pause = _FIRST_PAUSE if self._heard else min(_LONGEST_PAUSE, 2 * pause)
            await asyncio.sleep(pause * (0.5 + 0.5 * self._random()))

    async def _read(self) -> None:
        request = self._address.request("GET", EPOCHS, _HEADERS, b"")
        try:
            async with asyncio.timeout(self._silence):
                listening = await self._address.connect(lambda: _Listening(self._take))
        except TimeoutError:
            raise NeighbourError("no connection in time") from None
        try:
            await listening.listen(request, self._silence)
        finally:
            listening.close()

    def _take(self, edition: Edition | None) -> None:
        self._cache.heard(edition)
        if edition is not None and not self._heard:
            self._heard = True
            self._observer.stream(live=True)


class _Listening(asyncio.Protocol):
    """One connection with one endless answer; the methods that begin with ``on_`` are what httptools calls."""

    def __init__(self, take: Callable[[Edition | None], None]) -> None:
        self._take = take
        self._parser = httptools.HttpResponseParser(self)
        self._events = EventParser()
        self._media_types: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._ended = asyncio.get_running_loop().create_future()
        self._deadline: asyncio.Timeout | None = None
        self._silence = 0.0

    async def listen(self, request: bytes, silence: float) -> None:
        """Ask and read until the stream ends, which raises `NeighbourError`; silence ends it too."""
        if self._transport is not None:
            self._transport.write(request)
        self._silence = silence
        try:
            async with asyncio.timeout(silence) as self._deadline:
                await self._ended
        except TimeoutError:
            raise NeighbourError("it fell silent") from None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # a stream's, by what is connected

    def data_received(self, data: bytes) -> None:
        if self._ended.done():
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._end("it does not speak HTTP")

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._end("it closed the connection")

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self._media_types.append(value.partition(b";")[0].strip().lower())

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status != HTTPStatus.OK or self._media_types != [b"text/event-stream"]:
            self._end(f"it answered {status} and no event stream")

    def on_body(self, body: bytes) -> None:
        if self._ended.done():
            return
        if self._deadline is not None:
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._silence)
        try:
            editions = self._events.feed(body)
        except ValueError as exc:
            self._end(str(exc))
            return
        self._take(None)
        for edition in editions:
            self._take(edition)

    def on_message_complete(self) -> None:
        self._end("it ended the stream")

    def close(self) -> None:
        """Close without waiting."""
        self._ended.cancel()
        if self._transport is not None:
            self._transport.close()

    def _end(self, why: str) -> None:
        if not self._ended.done():
            self._ended.set_exception(NeighbourError(why))


class EventParser:
    """Parses server-sent events (WHATWG HTML, 9.2) from bytes as they come, and keeps the epochs among them."""

    def __init__(self) -> None:
        self._rest = b""
        self._event = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[Edition]:
        """Return the editions that are complete now; raise ValueError when the stream is not one of ours.

        An epoch event that names no edition is such a case: something changed, and nobody knows to what.
        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _MAX_LINE_BYTES:
            raise ValueError("a line of the stream is too long")
        editions = (self._line(line.removesuffix(b"\r").decode("utf-8", "replace")) for line in lines)
        return [edition for edition in editions if edition is not None]

    def _line(self, line: str) -> Edition | None:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                self._event = value
            elif name == "data":
                self._data.append(value)
            if sum(map(len, self._data)) > _MAX_LINE_BYTES:
                raise ValueError("an event of the stream is too long")
            return None
        event, data = self._event, "\n".join(self._data)
        self._event, self._data = "", []
        if event != "epoch":
            return None
        edition = edition_of(data)
        if edition is None:
            raise ValueError("an epoch event names no edition")
        return edition
