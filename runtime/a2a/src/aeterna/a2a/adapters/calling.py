"""Calls of the thread store that are repeated until they are answered, for as long as may be waited."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlencode

import httpx

from aeterna.a2a.errors import LeaseGoneError, StoreAwayError, StoreRefusedError
from aeterna.enforcement.neighbour import NeighbourError
from aeterna.service.trace import outgoing_traceparent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    # Parsed JSON of the thread store, whose API vouches for its shape.
    from typing import Any

    from aeterna.service.clock import Clock

AWAY: Final = frozenset({"threads.busy", "threads.unavailable", "threads.streams_exhausted", "threads.login_failed"})
"""Codes of refusals that pass: the same call again may be answered."""
_AWAY_STATUSES: Final = frozenset({408, 502, 503, 504})
_REFUSED: Final = 400
_WRONG_SHOWN: Final = 3
_ANSWER_SECONDS: Final = 45
_encoded: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Exchange(Protocol):
    """Exchanges one request for one answer; kept by `aeterna.enforcement.neighbour.Neighbour`."""

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, bytes]:
        """Return status and body of the answer, or raise `NeighbourError`."""
        ...


def json_bytes(value: object) -> bytes:
    """Return a value as it is sent."""
    return _encoded(value).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an answer is waited for in all, and how long until the second and the later attempts."""

    bound: timedelta = timedelta(seconds=10)
    first: timedelta = timedelta(milliseconds=25)
    longest: timedelta = timedelta(seconds=1)


class StoreCalls:
    """One process's calls of the thread store, over connections that are kept; ``streams`` makes those of its streams.

    ``token`` is asked for each call; ``jitter`` draws from [0, 1), so that the processes of an agent do not all come
    back at the same moment after the store was away.
    """

    def __init__(
        self,
        exchange: Exchange,
        streams: httpx.AsyncClient,
        *,
        token: Callable[[], str],
        patience: Patience,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self._exchange = exchange
        self._streams = streams
        self._token = token
        self._patience = patience
        self._clock = clock
        self._jitter = jitter

    async def call(
        self, method: str, path: str, *, body: object = None, query: Mapping[str, str | int] | None = None
    ) -> Any:  # noqa: ANN401 - parsed JSON
        """Return the parsed answer, or None where it is empty.

        Raises `StoreRefusedError`, `LeaseGoneError`, and `StoreAwayError` when the bound is over.
        """
        content = b"" if body is None else json_bytes(body)
        target = path if query is None else f"{path}?{urlencode(query)}"
        return await self.send(method, target, content=content)

    async def send(self, method: str, target: str, *, content: bytes) -> Any:  # noqa: ANN401 - parsed JSON
        """As `call`, with a body that is JSON already."""
        until = self._clock() + self._patience.bound.total_seconds()
        pause = self._patience.first.total_seconds()
        while True:
            try:
                return await self._once(method, target, content)
            except StoreAwayError:
                wait = pause * (0.5 + self._jitter())
                if self._clock() + wait >= until:
                    raise
                await asyncio.sleep(wait)
                pause = min(pause * 2, self._patience.longest.total_seconds())

    async def lines(self, path: str) -> AsyncIterator[str]:
        """Give out the lines of an event stream until it breaks off; raise `StoreAwayError` where it cannot be had."""
        try:
            async with self._streams.stream(
                "GET", path, headers={**self._headers(), "Accept": "text/event-stream"}
            ) as response:
                if response.status_code >= _REFUSED:
                    raise refusal(response.status_code, await response.aread(), path)
                async for line in response.aiter_lines():
                    yield line
        except httpx.TransportError as error:
            raise StoreAwayError(type(error).__name__) from error

    async def _once(self, method: str, target: str, content: bytes) -> Any:  # noqa: ANN401 - parsed JSON
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                status, answer = await self._exchange.exchange(method, target, self._headers(), content)
        except NeighbourError as error:
            raise StoreAwayError(str(error)) from error
        except TimeoutError as error:
            raise StoreAwayError("it does not answer in time") from error
        if status >= _REFUSED:
            raise refusal(status, answer, target)
        return json.loads(answer) if answer else None

    def _headers(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}
        if (traceparent := outgoing_traceparent()) is not None:
            headers["traceparent"] = traceparent
        return headers


def refusal(status: int, answer: bytes, target: str) -> StoreRefusedError | LeaseGoneError | StoreAwayError:
    """Return what a refusal is called here."""
    try:
        body: object = json.loads(answer)
    except ValueError:
        body = None
    problem: dict[str, Any] = body if isinstance(body, dict) else {}  # pyright: ignore[reportUnknownVariableType]
    code = str(problem.get("code", f"http_{status}"))
    if status in _AWAY_STATUSES or code in AWAY:
        return StoreAwayError(f"{status} {code}")
    return error_of(code, told(problem), task_id=target.partition("?")[0])


def told(problem: Mapping[str, Any]) -> str:
    """Return a problem's words, with what is wrong where, if it names that."""
    wrong = [f"{item['pointer']}: {item['problem']}" for item in problem.get("errors", ())]
    return "; ".join(wrong[:_WRONG_SHOWN]) or str(problem.get("detail", ""))


def error_of(code: str, detail: str, *, task_id: str) -> StoreRefusedError | LeaseGoneError | StoreAwayError:
    """Return the kit's error for a code of the store."""
    if code == "threads.lease_lost":
        return LeaseGoneError(task_id)
    if code in AWAY:
        return StoreAwayError(code)
    return StoreRefusedError(code, detail)
