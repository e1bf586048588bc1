"""The bounds on a request's size and time, against an application that ignores them."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.service.limits import RequestLimits

if TYPE_CHECKING:
    from aeterna.service.asgi import App, Message, Receive, Scope, Send

pytestmark = pytest.mark.anyio

LIMIT = 10


async def reading_all(_scope: Scope, receive: Receive, send: Send) -> None:
    """Read the whole body and say how long it was; a failure while reading becomes a 400, as frameworks do."""
    size, more = 0, True
    try:
        while more:
            message = await receive()
            size += len(message["body"])
            more = message["more_body"]
    except Exception:  # noqa: BLE001 - it stands for frameworks that do exactly this
        await answer(send, 400, b"could not read")
        return
    await answer(send, 200, b"%d" % size)


async def never_answering(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Read the body and then wait for ever."""
    while (await receive())["more_body"]:
        pass
    await asyncio.Event().wait()


async def answer(send: Send, status: int, body: bytes) -> None:
    """Answer with a short body."""
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def exchange(
    app: App, chunks: list[bytes], *, announced: int | None = None, complete: bool = True, seconds: float = 5
) -> tuple[int, dict[str, Any] | bytes]:
    """Send the chunks to the application within limits and return its status and body."""
    sent: list[Message] = []
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": not complete or number < len(chunks) - 1}
        for number, chunk in enumerate(chunks)
    ]

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [] if announced is None else [(b"content-length", str(announced).encode())]
    scope: Scope = {"type": "http", "method": "POST", "path": "/x", "headers": headers}
    limited = RequestLimits(app, max_body_bytes=LIMIT, timeout=timedelta(seconds=seconds))
    await limited(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    body: bytes = sent[1]["body"]
    return sent[0]["status"], json.loads(body) if body.startswith(b"{") else body


async def test_a_body_of_exactly_the_limit_passes() -> None:
    assert await exchange(reading_all, [b"x" * 6, b"x" * 4]) == (200, b"10")


async def test_an_announced_length_over_the_limit_is_refused_unread() -> None:
    status, problem = await exchange(reading_all, [], announced=LIMIT + 1)

    assert status == 413
    assert isinstance(problem, dict)
    assert problem["code"] == "request.too_large"


async def test_a_stream_over_the_limit_is_refused_although_no_length_was_announced() -> None:
    """The framework's own answer to the broken-off read must not win."""
    status, problem = await exchange(reading_all, [b"x" * 6, b"x" * 6, b"x"])

    assert status == 413
    assert isinstance(problem, dict)
    assert problem["detail"] == f"the body may have at most {LIMIT} bytes"


async def test_a_length_that_was_announced_too_short_does_not_help() -> None:
    status, _ = await exchange(reading_all, [b"x" * 11], announced=1)

    assert status == 413


async def test_a_caller_who_does_not_send_in_time_is_told_so() -> None:
    status, problem = await exchange(reading_all, [b"x"], complete=False, seconds=0.02)

    assert (status, isinstance(problem, dict) and problem["code"]) == (408, "request.timeout")


async def test_a_service_that_does_not_answer_in_time_says_so() -> None:
    status, problem = await exchange(never_answering, [b"x"], seconds=0.02)

    assert (status, isinstance(problem, dict) and problem["code"]) == (503, "service.timeout")


async def test_a_stream_that_has_begun_may_last() -> None:
    """Subscriptions are endless by purpose; the limit is for the first byte."""

    async def streaming(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await asyncio.Event().wait()
        await send({"type": "http.response.body", "body": b"still here"})

    assert await exchange(streaming, [b""], seconds=0.01) == (200, b"still here")
