"""Starting and stopping a process: one clear line when it cannot start, and a drain before it stops."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import stat
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, cast, runtime_checkable

import structlog
import uvicorn

from aeterna.contracts.errors import AeternaError
from aeterna.service.direct import Direct, DirectHttpProtocol
from aeterna.service.errors import AddressInUseError, StartError
from aeterna.service.http_protocol import PROTOCOL

if TYPE_CHECKING:
    import ssl
    from collections.abc import Generator
    from types import FrameType

    from aeterna.service.asgi import App, Message, Receive, Scope, Send

_BACKLOG: Final = 2048
_IMMEDIATELY: Final = timedelta(0)
_SOCKET_MODE: Final = 0o660
# Longer than any client's own (httpx: 5 s; Go, and with it Kubernetes' API server: 90 s): whoever closes an idle
# connection first should be the one who knows whether it is about to send. uvicorn's default is 5 s as well, and the
# two met in the middle.
_KEEP_ALIVE_SECONDS: Final = 120
_LAST: Final = (b"connection", b"close")

log = structlog.stdlib.get_logger(__name__)


class Drain:
    """Whether the process was asked to stop: readiness turns false, and endless streams end themselves."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def requested(self) -> bool:
        """Whether the process was asked to stop."""
        return self._event.is_set()

    def begin(self) -> None:
        """Say that the process was asked to stop."""
        self._event.set()

    async def wait(self) -> None:
        """Return when the process is asked to stop; for streams that would otherwise hold the process up."""
        await self._event.wait()


@runtime_checkable
class Draining(Protocol):
    """An application that shows its drain to whoever serves it."""

    drain: Drain


class ServingContext(Protocol):
    """What a listener serves TLS with; whoever keeps it has each new connection get what is newest."""

    @property
    def context(self) -> ssl.SSLContext:
        """The context to listen with, the same one as long as the process lives."""
        ...


@runtime_checkable
class Secured(Protocol):
    """An application that shows what it is served with; None is plain HTTP."""

    @property
    def tls(self) -> ServingContext | None:
        """What to serve with."""
        ...


@contextmanager
def one_line_refusals(program: str) -> Generator[None]:
    """Turn an error that we raise on purpose at start into one line on stderr and the exit status 1."""
    try:
        yield
    except AeternaError as exc:
        sys.stderr.write(f"{program}: {exc}\n")
        raise SystemExit(1) from None


def serve(
    app: App,
    *,
    host: str,
    port: int,
    drain_timeout: timedelta,
    uds: str | None = None,
    drain_delay: timedelta = _IMMEDIATELY,
    listener: socket.socket | None = None,
    most_connections: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; raise `AddressInUseError` or `StartError` when it cannot start.

    With ``listener``, a socket that listens already and that others serve too, no address is opened. Of more than
    ``most_connections`` the last to come are hung up on.

    On the signal the application's `Drain` begins, for ``drain_delay`` requests are still taken (a load balancer needs
    that long to look away), then no new ones, and those under way get ``drain_timeout`` to end. A second signal ends
    the process at once. With a certificate, its `Secured`, it serves TLS and nothing else.
    """
    found: object = app
    drain = found.drain if isinstance(found, Draining) else Drain()
    tls = found.tls if isinstance(found, Secured) else None
    opened = listener if listener is not None else listen(host=host, port=port, uds=uds)
    watched = _WatchedStart(app)
    # uvicorn types it as a class and calls it with its arguments, as it may call this.
    protocol: Any = partial(DirectHttpProtocol, found) if isinstance(found, Direct) else PROTOCOL
    bounded: Any = partial(protocol, most_connections=most_connections)
    config = server_configuration(
        watched,
        bounded,
        lifespan="on",
        keep_alive=_KEEP_ALIVE_SECONDS,
        grace=max(1, round(drain_timeout.total_seconds())),
        tls=tls,
    )
    server = _Server(config, drain, drain_delay)
    try:
        log.info("service.listening", address=address_of(opened), tls=tls is not None)
        server.run(sockets=[opened])
    except SystemExit:
        # uvicorn ends the process itself when the application does not start; ours is the reason why.
        raise (watched.refusal or StartError("the service failed to start; see the log")) from None
    finally:
        opened.close()
        if uds is not None and listener is None:
            Path(uds).unlink(missing_ok=True)
    log.info("service.stopped")


def listen(*, host: str, port: int, uds: str | None = None) -> socket.socket:
    """Return a socket that listens on the Unix socket or on the port; raise `AddressInUseError` or `StartError`."""
    return unix_socket(Path(uds)) if uds is not None else tcp_socket(host, port)


def address_of(listener: socket.socket) -> str:
    """Return where a socket listens, as people write it."""
    name: object = listener.getsockname()
    return "{}:{}".format(*cast("tuple[str, int]", name)[:2]) if isinstance(name, tuple) else str(name)


def server_configuration(
    app: App,
    protocol: type[Any],
    *,
    lifespan: Literal["on", "off"],
    keep_alive: int,
    grace: int,
    tls: ServingContext | None = None,
) -> uvicorn.Config:
    """Return how uvicorn serves for us; ``keep_alive`` and ``grace`` (for what is under way at the end) in seconds."""
    return uvicorn.Config(
        app,
        http=protocol,
        loop="aeterna.service.serving_loop:ServingLoop",
        ssl_context_factory=None if tls is None else lambda _config, _default: tls.context,
        # A task begins with the context of whatever woke the connection up; it must not inherit another's trace.
        reset_contextvars=True,
        access_log=False,
        log_config=None,
        server_header=False,
        lifespan=lifespan,
        timeout_keep_alive=keep_alive,
        ws="none",
        # Addresses in X-Forwarded-For are nobody's proof of anything here.
        proxy_headers=False,
        timeout_graceful_shutdown=grace,
        backlog=_BACKLOG,
    )


class _WatchedStart:
    """Passes everything on, and keeps the error that we raised on purpose while the application started."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.refusal: AeternaError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def unless_failed(message: Message) -> None:
            # Starlette reports a failed start with a whole traceback; a refusal is one line, sent below.
            if message["type"] != "lifespan.startup.failed":
                await send(message)

        try:
            await self._app(scope, receive, unless_failed)
        except AeternaError as exc:
            self.refusal = exc
            await send({"type": "lifespan.startup.failed", "message": str(exc)})


class _Server(uvicorn.Server):
    """uvicorn's server with a readiness phase before the stop, and exit status 0 after a stop that was asked for."""

    def __init__(self, config: uvicorn.Config, drain: Drain, delay: timedelta) -> None:
        super().__init__(config)
        self._drain = drain
        self._delay = delay.total_seconds()
        self._stop_at: float | None = None
        self._signal: str | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the drain on the first signal; end at once on the second."""
        del frame
        if self._stop_at is not None:
            self.should_exit = self.force_exit = True
            return
        self._stop_at = time.monotonic() + self._delay
        self._signal = signal.Signals(sig).name
        self._drain.begin()

    async def on_tick(self, counter: int) -> bool:
        """Say whether to stop; uvicorn asks ten times a second."""
        if self._signal is not None:
            # Here and not in the handler: a signal may come in the middle of a log line.
            log.info("service.draining", signal=self._signal)
            self._signal = None
            # Who uses a connection is told with an answer to leave it: a request that is under way while an idle one is
            # closed is lost, and no client may send it again without knowing what became of it.
            self.config.encoded_headers.append(_LAST)
            self.server_state.default_headers = [*self.server_state.default_headers, _LAST]
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)


def tcp_socket(host: str, port: int) -> socket.socket:
    """Listen on a port, or raise `AddressInUseError` or `StartError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Listening here and not later: two processes may bind a port with SO_REUSEADDR, but only one may listen.
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        if exc.errno == errno.EADDRINUSE:
            raise AddressInUseError(f"port {port} on {host}", "stop it or choose another port") from None
        raise StartError(f"cannot listen on port {port} of {host}: {exc.strerror or exc}") from None
    return listener


def unix_socket(path: Path) -> socket.socket:
    """Listen on a Unix socket that the owner and the group may use, replacing one whose process is gone."""
    if path.exists():
        _remove_if_abandoned(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(_SOCKET_MODE)
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        raise StartError(f"cannot listen on {path}: {exc.strerror or exc}") from None
    return listener


def _remove_if_abandoned(path: Path) -> None:
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise StartError(f"{path} exists and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise AddressInUseError(f"socket {path}", "stop it or choose another path")
