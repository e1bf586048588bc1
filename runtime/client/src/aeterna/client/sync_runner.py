"""Carries out exchanges on blocking HTTP."""

from __future__ import annotations

from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import httpx

from aeterna.client.errors import ClientError
from aeterna.client.exchange import Pause, exchange
from aeterna.client.problem import error_of, problem_of
from aeterna.client.wire import reply_of, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from aeterna.client.exchange import Outcome
    from aeterna.client.followed import Followed
    from aeterna.client.operation import Operation
    from aeterna.client.wire import Wire

T = TypeVar("T")


class SyncRunner:
    """Sends what the exchange says and sleeps when it says so."""

    def __init__(self, wire: Wire, transport: httpx.BaseTransport | None, sleep: Callable[[float], None]) -> None:
        self.wire = wire
        self._http = httpx.Client(transport=transport, trust_env=False, verify=wire.settings.trusted())
        self._sleep = sleep

    def run(self, operation: Operation[T]) -> T:
        """Do one call, with its retries."""
        steps = exchange(operation, self.wire.conditions())
        outcome: Outcome = None
        try:
            while True:
                step = steps.send(outcome)
                outcome = self._wait(step.seconds) if isinstance(step, Pause) else self._send(operation)
        except StopIteration as done:
            return done.value

    def follow(self, stream: Followed[T]) -> Generator[T]:
        """Give out what comes, connecting again whenever the connection ends."""
        while True:
            failure: ClientError | None = None
            try:
                with self._lines(stream) as lines:
                    for line in lines:
                        item = stream.feed(line)
                        if item is not None:
                            yield item
            except ClientError as error:
                failure = error
            self._sleep(stream.pause(failure))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _send(self, operation: Operation[T]) -> Outcome:
        request = self.wire.request(operation)
        try:
            with translated(request):
                return reply_of(self._http.send(request))
        except ClientError as failure:
            return failure

    def _wait(self, seconds: float) -> None:
        self._sleep(seconds)

    @contextmanager
    def _lines(self, stream: Followed[object]) -> Generator[Iterator[str]]:
        request = self.wire.stream_request(stream.service, stream.path, stream.headers(), stream.body)
        with translated(request):
            response = self._http.send(request, stream=True)
            try:
                if response.status_code != HTTPStatus.OK:
                    response.read()
                    raise error_of(problem_of(reply_of(response), self.wire.now()))
                yield response.iter_lines()
            finally:
                response.close()
