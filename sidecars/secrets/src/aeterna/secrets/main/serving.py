"""What the process serves: the API, while the sidecar lives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aeterna.secrets.usecases.living import Life
    from aeterna.service.asgi import App, Receive, Scope, Send
    from aeterna.service.beside import Beside
    from aeterna.service.lifecycle import Drain


class Sidecar:
    """The API of the secrets; its life begins when the server starts and ends when the server has stopped.

    Probes are answered until the last lease is given back.
    """

    def __init__(self, app: App, life: Life, *, health: Beside, drain: Drain) -> None:
        self._app = app
        self._life = life
        self.health = health
        self.drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the whole life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        probes = asyncio.ensure_future(self.health.run())
        self._life.begin()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._life.end()
        probes.cancel()
        await asyncio.gather(probes, return_exceptions=True)
        await send({"type": "lifespan.shutdown.complete"})
