"""Carries out exchanges on asynchronous HTTP, under asyncio or trio."""

from __future__ import annotations

from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import httpx

from aeterna.client.errors import ClientError
from aeterna.client.exchange import Pause, exchange
from aeterna.client.problem import error_of, problem_of
from aeterna.client.wire import reply_of, translated

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from aeterna.client.exchange import Outcome
    from aeterna.client.followed import Followed
    from aeterna.client.operation import Operation
    from aeterna.client.wire import Wire

T = TypeVar("T")


class AsyncRunner:
    """Sends what the exchange says and sleeps when it says so."""

    def __init__(
        self, wire: Wire, transport: httpx.AsyncBaseTransport | None, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self.wire = wire
        self._http = httpx.AsyncClient(transport=transport, trust_env=False, verify=wire.settings.trusted())
        self._sleep = sleep

    async def run(self, operation: Operation[T]) -> T:
        """Do one call, with its retries."""
        steps = exchange(operation, self.wire.conditions())
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                return done.value
            outcome = await (self._wait(step.seconds) if isinstance(step, Pause) else self._send(operation))

    async def follow(self, stream: Followed[T]) -> AsyncGenerator[T]:
        """Give out what comes, connecting again whenever the connection ends."""
        while True:
            failure: ClientError | None = None
            try:
                async with self._lines(stream) as lines:
                    async for line in lines:
                        item = stream.feed(line)
                        if item is not None:
                            yield item
            except ClientError as error:
                failure = error
            await self._sleep(stream.pause(failure))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _send(self, operation: Operation[T]) -> Outcome:
        request = self.wire.request(operation)
        try:
            with translated(request):
                return reply_of(await self._http.send(request))
        except ClientError as failure:
            return failure

    async def _wait(self, seconds: float) -> Outcome:
        await self._sleep(seconds)
        return None

    @asynccontextmanager
    async def _lines(self, stream: Followed[object]) -> AsyncGenerator[AsyncIterator[str]]:
        request = self.wire.stream_request(stream.service, stream.path, stream.headers(), stream.body)
        with translated(request):
            response = await self._http.send(request, stream=True)
            try:
                if response.status_code != HTTPStatus.OK:
                    await response.aread()
                    raise error_of(problem_of(reply_of(response), self.wire.now()))
                yield response.aiter_lines()
            finally:
                await response.aclose()
