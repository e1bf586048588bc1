"""Bounds on what a request may cost before it is understood: its size as it streams in, and its time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aeterna.service.errors import AnswerTimeoutError, RequestTimeoutError, RequestTooLargeError
from aeterna.service.problem import STATUSES, problem_of, send_problem

if TYPE_CHECKING:
    from datetime import timedelta

    from aeterna.service.asgi import App, Message, Receive, Scope, Send
    from aeterna.service.errors import ServiceError

_CLOSE: Final = {"Connection": "close"}


class RequestLimits:
    """Refuses bodies over a size and requests over a time, whatever the application does with them.

    The bytes are counted as they arrive, since a chunked body announces no length. The time runs until the first byte
    of the answer; a stream that has begun may last, because a subscription is meant to.
    """

    def __init__(self, app: App, *, max_body_bytes: int, timeout: timedelta) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._timeout = timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within the bounds, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced_length(scope) > self._max_body_bytes:
            await _refuse(scope, send, RequestTooLargeError(self._max_body_bytes))
            return
        exchange = _Exchange(receive, send, self._max_body_bytes)
        try:
            async with asyncio.timeout(self._timeout.total_seconds()) as exchange.deadline:
                await self._app(scope, exchange.receive, exchange.send)
        except RequestTooLargeError:
            if not exchange.too_large:
                raise
        except TimeoutError:
            if not exchange.deadline.expired():
                raise
            late = RequestTimeoutError(self._timeout) if exchange.awaiting_body else AnswerTimeoutError(self._timeout)
            await _refuse(scope, send, late)
            return
        if exchange.too_large and not exchange.answering:
            await _refuse(scope, send, RequestTooLargeError(self._max_body_bytes))


class _Exchange:
    """One request and its answer, counted."""

    deadline: asyncio.Timeout

    def __init__(self, receive: Receive, send: Send, max_body_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._left = max_body_bytes
        self._max_body_bytes = max_body_bytes
        self._received = False
        self.awaiting_body = False
        self.too_large = False
        self.answering = False

    async def receive(self) -> Message:
        # Set before and not cleared on a cancellation: it says what the time ran out on.
        self.awaiting_body = not self._received
        message = await self._receive()
        self.awaiting_body = False
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            self._received = not message.get("more_body", False)
            if self._left < 0:
                self.too_large = True
                raise RequestTooLargeError(self._max_body_bytes)
        return message

    async def send(self, message: Message) -> None:
        # A framework may turn our refusal, raised while it read the body, into an answer of its own; ours is the one.
        if self.too_large and not self.answering:
            return
        if message["type"] == "http.response.start":
            self.answering = True
            self.deadline.reschedule(None)
        await self._send(message)


def _announced_length(scope: Scope) -> int:
    """Return the Content-Length, or 0 where there is none; the server has already refused what is not a number."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


async def _refuse(scope: Scope, send: Send, error: ServiceError) -> None:
    """Answer, and close the connection: the rest of the body is not worth reading."""
    await send_problem(send, problem_of(error, STATUSES), scope["path"], _CLOSE)
