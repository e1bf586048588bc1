"""Receiving a body as a whole, counted and timed as it comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aeterna.service.errors import RequestTimeoutError, RequestTooLargeError

if TYPE_CHECKING:
    from datetime import timedelta

    from aeterna.contracts.errors import AeternaError
    from aeterna.service.asgi import Receive


async def whole_body(receive: Receive, *, max_bytes: int, within: timedelta, hung_up: AeternaError) -> bytes:
    """Return the body; raise `RequestTooLargeError`, `RequestTimeoutError` or, if the caller hangs up, ``hung_up``."""
    body = bytearray()
    try:
        async with asyncio.timeout(within.total_seconds()):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise hung_up
                body += message.get("body", b"")
                if len(body) > max_bytes:
                    raise RequestTooLargeError(max_bytes)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise RequestTimeoutError(within) from None
