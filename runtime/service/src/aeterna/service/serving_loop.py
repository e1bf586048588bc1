"""The event loop of a process that serves: uvloop's, with bounds on the beginning and the end of TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import uvloop

if TYPE_CHECKING:
    import asyncio

# As long as a connection may take to send the head of a request. uvloop would wait for 60 s.
HANDSHAKE_SECONDS: Final = 10.0
# Most clients read nothing on an idle connection, so they do not answer a goodbye; uvloop would wait for 30 s, and the
# drain with it. TLS asks nobody to wait (RFC 8446, 6.1).
GOODBYE_SECONDS: Final = 0.5


class ServingLoop(uvloop.Loop):
    """Listens with bounds that uvicorn does not pass on."""

    async def create_server(  # pyright: ignore[reportIncompatibleMethodOverride] - its overloads, passed on
        self,
        *args: Any,  # noqa: ANN401 - as above
        **kwargs: Any,  # noqa: ANN401 - as above
    ) -> asyncio.AbstractServer:
        """Listen, as the loop does."""
        if kwargs.get("ssl") is not None:
            kwargs.setdefault("ssl_handshake_timeout", HANDSHAKE_SECONDS)
            kwargs.setdefault("ssl_shutdown_timeout", GOODBYE_SECONDS)
        return await super().create_server(*args, **kwargs)
