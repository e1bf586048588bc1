"""Turns operations into HTTP requests and httpx's exceptions into ours; both runners stand on it."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx

from aeterna.client.errors import NoAnswerError, UnreachableError
from aeterna.client.exchange import Conditions
from aeterna.client.operation import Reply
from aeterna.client.retry import RetryBudget, RetryPolicy
from aeterna.client.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from aeterna.client.json_value import JsonObject
    from aeterna.client.operation import Operation, Service

TIMEOUT = timedelta(seconds=35)
"""Patience with one attempt: a little more than the services' own limit of 30 s, so that theirs speaks first."""
# A server that says nothing for so long on an event stream is taken for gone; connecting again resumes where it was.
SILENCE = timedelta(seconds=60)
CONNECT = timedelta(seconds=5)

# What httpx raises before the service has seen a byte of the request.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


def utc_now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


def jitter() -> float:
    """Return a number drawn evenly from 0 to 1."""
    return random.random()  # noqa: S311 - spreads retries out; it keeps no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """How the services are reached; made once per client."""

    settings: Settings
    timeout: timedelta
    policy: RetryPolicy
    budget: RetryBudget = field(default_factory=RetryBudget)
    random: Callable[[], float] = jitter
    now: Callable[[], datetime] = utc_now

    def conditions(self) -> Conditions:
        """Return what an exchange needs."""
        return Conditions(policy=self.policy, budget=self.budget, random=self.random, now=self.now)

    def request(self, operation: Operation[object]) -> httpx.Request:
        """Return the request of an operation, with the token of this moment."""
        return httpx.Request(
            operation.method,
            self._url(operation.service, operation.path),
            params=httpx.QueryParams(list(operation.query)),
            headers={"Accept": "application/json", **operation.headers, **self._authorization()},
            json=operation.body,
            content=operation.content,
            extensions={"timeout": self._timeout(self.timeout).as_dict()},
        )

    def stream_request(
        self, service: Service, path: str, headers: Mapping[str, str], body: JsonObject | None = None
    ) -> httpx.Request:
        """Return the request that opens an event stream, by asking for something when there is a body."""
        return httpx.Request(
            "GET" if body is None else "POST",
            self._url(service, path),
            headers={**headers, **self._authorization()},
            json=body,
            extensions={"timeout": self._timeout(SILENCE).as_dict()},
        )

    def _url(self, service: Service, path: str) -> httpx.URL:
        return httpx.URL(self.settings.url(service).rstrip("/") + path)

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.settings.token.token()}"}

    @staticmethod
    def _timeout(patience: timedelta) -> httpx.Timeout:
        return httpx.Timeout(patience.total_seconds(), connect=min(patience, CONNECT).total_seconds())


def reply_of(response: httpx.Response) -> Reply:
    """Return a response whose body has been read, without httpx."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(status=response.status_code, headers=headers, body=response.content)


@contextmanager
def translated(request: httpx.Request) -> Generator[None]:
    """Raise our error for any failure of the transport below; the only place that knows httpx's exceptions."""
    url = str(request.url.copy_with(query=None))
    try:
        yield
    except UNSENT as unsent:
        raise UnreachableError(url, _reason(unsent)) from unsent
    except (httpx.TransportError, httpx.DecodingError, httpx.TooManyRedirects) as broken:
        raise NoAnswerError(url, _reason(broken)) from broken


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
