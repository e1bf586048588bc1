"""Brings notifications to their receivers over HTTP, and to no address that a receiver may not have."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias

import httpcore

from aeterna.threads.adapters.push_signature import SIGNATURE_HEADER
from aeterna.threads.domain.push import Attempt, Verdict
from aeterna.threads.errors import PushUrlRefusedError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable
    from datetime import datetime

    from aeterna.threads.adapters.push_signature import NotificationSigner
    from aeterna.threads.domain.push import Notification
    from aeterna.threads.domain.push_url import PushRules, PushUrl
    from aeterna.threads.ports import Resolver

ID_HEADER: Final = "Aeterna-Notification-Id"
TOKEN_HEADER: Final = "X-A2A-Notification-Token"  # noqa: S105 - the name of a header, which A2A gives
_PATIENCE: Final = frozenset({408, 425, 429})
_MAX_CONNECTIONS: Final = 128
_KEPT_CONNECTIONS: Final = 16
_KEPT_SECONDS: Final = 30.0

SocketOption: TypeAlias = "tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushLimits:
    """How long an attempt may take in all, and how much of an answer's content is read, for how long.

    The status alone counts; the content is read so that the connection can be used again.
    """

    total: timedelta = timedelta(seconds=10)
    connect: timedelta = timedelta(seconds=5)
    content_bytes: int = 64 * 1024
    content: timedelta = timedelta(seconds=1)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections only to addresses that the rules admit for the host.

    The name is resolved here, once, and the connection goes to the very address that was looked at; so a name that
    answers otherwise a moment later changes nothing. TLS and the Host header keep the name.
    """

    def __init__(self, resolver: Resolver, rules: PushRules, network: httpcore.AsyncNetworkBackend) -> None:
        self._resolver = resolver
        self._rules = rules
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers, if all of the host's may be connected to."""
        addresses = await admitted_addresses(self._resolver, self._rules, host, port)
        failure: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109, ARG002 - httpcore's own signature
        socket_options: Iterable[SocketOption] | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no receiver is behind a file."""
        raise httpcore.ConnectError(path)

    async def sleep(self, seconds: float) -> None:
        """Wait, between a connection's attempts."""
        await self._network.sleep(seconds)


async def admitted_addresses(resolver: Resolver, rules: PushRules, host: str, port: int) -> tuple[str, ...]:
    """Return the host's addresses; raise `PushUrlRefusedError` when one of them may not be connected to.

    One is enough: a name that mixes public and private addresses has no honest use.
    """
    bare = host.strip("[]")
    name = f"[{bare}]" if ":" in bare else bare
    addresses = (bare,) if ":" in bare else await resolver.resolve(bare, port)
    if not all(rules.admits(address, name, port) for address in addresses):
        raise PushUrlRefusedError("its address is not public")
    return addresses


class HttpCourier:
    """A `Courier` by HTTP/1.1 POST; it follows no redirect, and uses no proxy of the environment."""

    def __init__(
        self, signer: NotificationSigner, backend: GuardedBackend, tls: ssl.SSLContext, limits: PushLimits
    ) -> None:
        self._signer = signer
        self._limits = limits
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=backend,
        )

    async def deliver(self, notification: Notification, *, at: datetime) -> Attempt:
        """See `Courier.deliver`."""
        seconds = self._limits.total.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await self._post(notification, at)
        except TimeoutError:
            return _silent(f"no answer within {seconds:g} s")
        except PushUrlRefusedError as exc:
            return Attempt(verdict=Verdict.NEVER, reached=True, error=exc.reason)
        except httpcore.TimeoutException as exc:
            return _silent(f"no answer in time ({type(exc).__name__})")
        except httpcore.NetworkError as exc:
            # The kind alone: what the system or TLS says of it may quote the receiver.
            return _silent(f"not reached ({type(exc).__name__})")
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol):
            return Attempt(verdict=Verdict.LATER, reached=True, error="its answer was not HTTP")

    async def aclose(self) -> None:
        """Close the connections that are kept."""
        await self._pool.aclose()

    async def _post(self, notification: Notification, at: datetime) -> Attempt:
        connect = self._limits.connect.total_seconds()
        total = self._limits.total.total_seconds()
        async with self._pool.stream(
            "POST",
            _url(notification.url),
            headers=self._headers(notification, at),
            content=notification.body,
            extensions={"timeout": {"connect": connect, "read": total, "write": total, "pool": total}},
        ) as response:
            attempt = _judged(response, at)
            with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
                async with asyncio.timeout(self._limits.content.total_seconds()):
                    await self._read(response)
            return attempt

    async def _read(self, response: httpcore.Response) -> None:
        size = 0
        async for piece in response.aiter_stream():
            size += len(piece)
            if size > self._limits.content_bytes:
                return

    def _headers(self, notification: Notification, at: datetime) -> list[tuple[str, str]]:
        secrets = notification.secrets
        headers = [
            ("Host", _authority(notification.url)),
            ("Content-Type", "application/a2a+json"),
            ("A2A-Version", "1.0"),
            ("User-Agent", "aeterna-threads"),
            (ID_HEADER, notification.notification_id),
            (SIGNATURE_HEADER, self._signer.sign(notification, at=at)),
        ]
        if secrets.token is not None:
            headers.append((TOKEN_HEADER, secrets.token))
        if notification.scheme is not None and secrets.credentials is not None:
            headers.append(("Authorization", f"{notification.scheme} {secrets.credentials}"))
        return headers


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Return what checks receivers' certificates: by the public authorities, and by those of a file if there is one."""
    context = httpcore.default_ssl_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def _url(url: PushUrl) -> httpcore.URL:
    return httpcore.URL(
        scheme=b"https" if url.secure else b"http",
        host=url.host.strip("[]").encode(),
        port=url.port,
        target=url.target.encode(),
    )


def _authority(url: PushUrl) -> str:
    usual = 443 if url.secure else 80
    return url.host if url.port == usual else url.place


def _silent(error: str) -> Attempt:
    return Attempt(verdict=Verdict.LATER, reached=False, error=error)


def _judged(response: httpcore.Response, at: datetime) -> Attempt:
    status = response.status
    error = f"it answered {status}"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Attempt(verdict=Verdict.DELIVERED, reached=True)
    if status in _PATIENCE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Attempt(verdict=Verdict.LATER, reached=True, error=error, retry_after=_retry_after(response, at))
    if status < HTTPStatus.BAD_REQUEST:
        error += ", and redirects are not followed"
    return Attempt(verdict=Verdict.NEVER, reached=True, error=error)


def _retry_after(response: httpcore.Response, at: datetime) -> timedelta | None:
    """Return what RFC 9110, 10.2.3, lets the receiver ask for: seconds, or a date; nonsense asks for nothing."""
    values = [value for name, value in response.headers if name.lower() == b"retry-after"]
    if len(values) != 1:
        return None
    text = values[0].decode("latin-1").strip()
    try:
        if text.isascii() and text.isdigit():
            return timedelta(seconds=min(int(text[:10]), 10**9))
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - at
