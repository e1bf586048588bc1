"""Server-sent events whose ids are places in the log, so that ``Last-Event-ID`` takes a client on where it was."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from starlette.responses import StreamingResponse

from aeterna.a2a.api.problem import at_the_door
from aeterna.a2a.api.streams import HEARTBEAT, RETRY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sse_starlette.event import ServerSentEvent
    from sse_starlette.sse import EventSourceResponse

    from aeterna.a2a.api.exchange import Exchange
    from aeterna.a2a.api.streams import Streams

# JSON escapes the ends of lines that the stream's format has; these are others that some clients take for one.
_LINE_ENDS: Final = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}

_Made: TypeAlias = "str | dict[str, str] | ServerSentEvent"
"""What the SDK's dispatchers give out: its compat layer text or a dictionary, HTTP+JSON an event."""
_Item: TypeAlias = tuple[str, str | None]
"""The data of an event, and its name where it has one."""
_Placed: TypeAlias = tuple[str, str | None, int | None]
"""An item and its place in the log."""


async def event_stream(made: EventSourceResponse, exchange: Exchange, streams: Streams) -> StreamingResponse:
    """Return the stream that the SDK made, written by us: with ids, paced, and ended when the process drains.

    The SDK pulls an event, translates it and gives it out before it pulls the next; so while an item is here, the place
    in the exchange is the item's own. A refusal of a stream that was not opened yet is raised.
    """
    items = _items(made)
    first = asyncio.ensure_future(_next(items))
    opened = asyncio.ensure_future(exchange.opened.wait())
    await asyncio.wait({first, opened}, return_when=asyncio.FIRST_COMPLETED)
    opened.cancel()
    if first.done() and not exchange.opened.is_set():
        await items.aclose()
        failure = first.exception()
        if failure is not None:
            raise exchange.refusal if exchange.refusal is not None and at_the_door(exchange.refusal) else failure
    # Proxies that buffer would hold the events back.
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    written = _written(_resumed(first, items, exchange), exchange, streams)
    return StreamingResponse(written, media_type="text/event-stream", headers=headers)


async def _written(source: AsyncGenerator[_Placed], exchange: Exchange, streams: Streams) -> AsyncGenerator[bytes]:
    yield RETRY
    async with aclosing(streams.paced(source, exchange.binding)) as items:
        async for item in items:
            yield HEARTBEAT if item is None else _event(item)


async def _resumed(
    first: asyncio.Future[_Item | None], rest: AsyncGenerator[_Item], exchange: Exchange
) -> AsyncGenerator[_Placed]:
    """Give out the first item, which was asked for already, and then the rest, each with its place."""
    try:
        item = await first
        while item is not None:
            yield *item, exchange.seq
            item = await _next(rest)
    finally:
        first.cancel()
        await asyncio.wait({first})
        await rest.aclose()


async def _next(items: AsyncGenerator[_Item]) -> _Item | None:
    return await anext(items, None)


async def _items(made: EventSourceResponse) -> AsyncGenerator[_Item]:
    """Give out data and event name of what the SDK's dispatchers give out, each in a form of its own."""
    source = cast("AsyncGenerator[_Made]", made.body_iterator)  # pyright: ignore[reportUnknownMemberType] - as it is
    try:
        async for item in source:
            if isinstance(item, str):
                yield item, None
            elif isinstance(item, dict):
                yield item["data"], item.get("event")
            else:
                yield str(item.data), item.event
    finally:
        await source.aclose()


def _event(placed: _Placed) -> bytes:
    data, name, seq = placed
    # An error is at no place of the log: whoever comes back goes on after the last event.
    head = ([] if seq is None else [f"id: {seq}\n"]) if name is None else [f"event: {name}\n"]
    return "".join([*head, "data: ", data.translate(_LINE_ENDS), "\n\n"]).encode()
