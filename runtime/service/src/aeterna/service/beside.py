"""A second listener in the same process and on the same loop, for callers who may not share the first."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

import structlog
import uvicorn

from aeterna.service.http_protocol import PROTOCOL
from aeterna.service.lifecycle import address_of, server_configuration, tcp_socket, unix_socket

if TYPE_CHECKING:
    import socket
    from contextlib import AbstractContextManager
    from pathlib import Path

    from aeterna.service.asgi import App

_GRACE_SECONDS: Final = 2
_KEEP_ALIVE_SECONDS: Final = 5

log = structlog.stdlib.get_logger(__name__)


class Beside:
    """Serves an application beside the process's main one, which keeps the signals; its lifespan is not run."""

    def __init__(
        self,
        app: App,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        uds: Path | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        """Listen at once, so that a process that cannot does not start: `AddressInUseError` or `StartError`.

        With ``listener``, a socket that listens already and that others may serve too, no address is opened.
        """
        self._uds = uds
        self._listener = listener or (unix_socket(uds) if uds is not None else tcp_socket(host, port))
        self.address = address_of(self._listener)
        """Where it listens."""
        self._server = _Server(
            server_configuration(app, PROTOCOL, lifespan="off", keep_alive=_KEEP_ALIVE_SECONDS, grace=_GRACE_SECONDS)
        )

    async def run(self) -> None:
        """Serve until cancelled."""
        log.info("service.listening_beside", address=self.address)
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._listener]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self._server.should_exit = True
            await serving
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()
        if self._uds is not None:
            self._uds.unlink(missing_ok=True)


class _Server(uvicorn.Server):
    """uvicorn's server without a hand in the process's signals."""

    def capture_signals(self) -> AbstractContextManager[None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return nullcontext()
