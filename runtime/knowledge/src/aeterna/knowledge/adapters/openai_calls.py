"""Calls to an OpenAI-compatible endpoint: bounded in time and size, and tried again where that may help."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx
import orjson

from aeterna.contracts.hosts import is_loopback
from aeterna.contracts.json_value import is_object
from aeterna.knowledge.errors import ModelAnswerError, ModelRejectedError, ModelUnavailableError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

_RETRIED: Final = frozenset({408, 409, 425, 429})
_SERVER_TROUBLE: Final = 500
_CONNECTIONS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """How long one try may take in all, how often and after what pauses it is tried, and how large an answer may be.

    The pause before try n is drawn evenly from 0 to ``first_pause * 2**(n-1)``, at most ``longest_pause``; an endpoint
    that asks for a longer one gets it up to ``longest_asked``, and is given up if it asks for more.
    """

    total: timedelta = timedelta(seconds=120)
    connect: timedelta = timedelta(seconds=5)
    tries: int = 4
    first_pause: timedelta = timedelta(seconds=0.5)
    longest_pause: timedelta = timedelta(seconds=20)
    longest_asked: timedelta = timedelta(seconds=60)
    answer_bytes: int = 16 * 1024 * 1024


class _FailedError(Exception):
    """One try that did not come to an answer."""

    def __init__(self, reason: str, *, lost: bool, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lost = lost
        self.wait = wait


class EndpointCalls:
    """Posts JSON below one address, without redirects, cookies, and the environment's proxies."""

    def __init__(
        self,
        address: str,
        *,
        key: Path | None = None,
        trust: ssl.SSLContext | None = None,
        limits: CallLimits | None = None,
        jitter: Callable[[], float] = random.random,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take a file with the key, which is read for each call so that it may be replaced, and whom to believe by TLS.

        Raise `ModelRejectedError` for an address that would show the key or the documents to the network.
        """
        self._address = checked_address(address)
        self._key = key
        self._limits = limits or CallLimits()
        self._jitter = jitter
        self._pause = pause
        self._now = now
        connect = self._limits.connect.total_seconds()
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(self._limits.total.total_seconds(), connect=connect),
            limits=httpx.Limits(max_connections=_CONNECTIONS),
            trust_env=False,
            verify=trust or True,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def post(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        """Return the object that is answered; raise `ModelUnavailableError` or `ModelAnswerError`."""
        content = orjson.dumps(body)
        lost, number = 0, 0
        while True:
            number += 1
            try:
                async with asyncio.timeout(self._limits.total.total_seconds()):
                    return _object(await self._tried(path, content, lost))
            except TimeoutError:
                failed = _FailedError("does not answer in time", lost=True)
            except _FailedError as exc:
                failed = exc
            lost += failed.lost
            wait = self._wait(number, failed.wait)
            if number >= self._limits.tries or wait is None:
                raise ModelUnavailableError(failed.reason, lost=lost)
            await self._pause(wait)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _tried(self, path: str, content: bytes, lost: int) -> bytes:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"} | self._authorization()
        try:
            async with self._client.stream(
                "POST", f"{self._address}/{path}", content=content, headers=headers
            ) as answer:
                status = answer.status_code
                if status == HTTPStatus.OK:
                    return await self._body(answer)
                if status in _RETRIED or status >= _SERVER_TROUBLE:
                    raise _FailedError(f"answers {status}", lost=False, wait=self._asked(answer))
                # What it says may quote the request, and is not looked at.
                raise ModelRejectedError(f"refuses the request ({status})", lost=lost)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
            raise _FailedError(f"is not reached ({type(exc).__name__})", lost=False) from None
        except httpx.InvalidURL:
            raise ModelRejectedError("has no address that can be asked") from None
        except httpx.HTTPError as exc:
            raise _FailedError(f"breaks off ({type(exc).__name__})", lost=True) from None

    async def _body(self, answer: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > self._limits.answer_bytes:
                raise ModelAnswerError(f"answers more than {self._limits.answer_bytes} bytes")
        return bytes(body)

    def _authorization(self) -> dict[str, str]:
        if self._key is None:
            return {}
        try:
            key = self._key.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise ModelRejectedError(f"cannot be asked: its key is not readable ({type(exc).__name__})") from None
        if not key or not key.isprintable() or " " in key:
            raise ModelRejectedError("cannot be asked: its key file holds no key")
        return {"Authorization": f"Bearer {key}"}

    def _asked(self, answer: httpx.Response) -> float | None:
        """Return the seconds that ``Retry-After`` asks for (RFC 9110, 10.2.3), or None."""
        said = answer.headers.get("Retry-After", "").strip()
        if said.isascii() and said.isdigit():
            return float(said[:9])
        try:
            moment = parsedate_to_datetime(said)
        except ValueError:
            return None
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - self._now()).total_seconds())

    def _wait(self, number: int, asked: float | None) -> float | None:
        if asked is not None and asked > self._limits.longest_asked.total_seconds():
            return None
        longest = min(self._limits.first_pause * 2 ** (number - 1), self._limits.longest_pause)
        drawn = longest.total_seconds() * self._jitter()
        # Those that were sent away together shall not all come back at the same moment.
        return drawn if asked is None else asked + drawn


def checked_address(address: str) -> str:
    """Return the address without a slash at its end, if it is https, or http on this machine's loopback."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ModelRejectedError("has an address with more in it than a host and a path")
    if not host or not (
        parts.scheme == "https" or (parts.scheme == "http" and (host == "localhost" or is_loopback(host)))
    ):
        raise ModelRejectedError("has an address that is neither https nor http on this machine's loopback")
    return address.rstrip("/")


def _object(body: bytes) -> dict[str, object]:
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ModelAnswerError("answers something that is not JSON") from None
    if not is_object(document):
        raise ModelAnswerError("answers something that is no JSON object")
    return document
