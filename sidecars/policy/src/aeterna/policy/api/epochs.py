"""``GET /v1/epochs``: tells enforcement points at once that what they remember is of yesterday."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from aeterna.policy.usecases.decide import Decider
    from aeterna.service.asgi import Receive, Send
    from aeterna.service.lifecycle import Drain

EPOCHS: Final = "/v1/epochs"
HEARTBEAT_SECONDS: Final = 5.0
_HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_HEARTBEAT: Final = b": still here\n\n"


async def stream(
    decider: Decider, drain: Drain, receive: Receive, send: Send, *, heartbeat: float = HEARTBEAT_SECONDS
) -> None:
    """Send an event now, with each new edition and when decisions begin or cease to be denied for its age.

    In between a comment shows that the line is alive. The stream ends when the caller hangs up or the process drains.
    """
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    over = [asyncio.create_task(_gone(receive)), asyncio.create_task(drain.wait())]
    told: tuple[int, str, bool] | None = None
    try:
        while not any(task.done() for task in over):
            # Taken before the state is: what is adopted in between must not be missed.
            changed = asyncio.create_task(decider.changed.wait())
            try:
                state = _state(decider)
                body = _event(decider) if state != told else _HEARTBEAT
                told = state
                await send({"type": "http.response.body", "body": body, "more_body": True})
                await asyncio.wait({changed, *over}, timeout=heartbeat, return_when=asyncio.FIRST_COMPLETED)
            finally:
                changed.cancel()
    finally:
        for task in over:
            task.cancel()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _state(decider: Decider) -> tuple[int, str, bool]:
    edition = decider.edition
    return (edition.epoch, edition.digest, decider.trouble is None) if edition is not None else (0, "", False)


def _event(decider: Decider) -> bytes:
    epoch, digest, trusted = _state(decider)
    data = orjson.dumps({"epoch": epoch, "digest": digest, "age": round(decider.age, 3), "trusted": trusted})
    return b"event: epoch\ndata: %b\n\n" % data


async def _gone(receive: Receive) -> None:
    """Return when the caller hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
