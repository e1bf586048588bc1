"""The relay's HTTP face, which is for its platform alone, and the lifespan within which it relays."""

from __future__ import annotations

import asyncio
import importlib.metadata
from typing import TYPE_CHECKING, Final

from aeterna.service.errors import NotReadyError
from aeterna.service.health import Health
from aeterna.service.lifecycle import Drain
from aeterna.service.problem import problem_of_status, send_problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from prometheus_client import CollectorRegistry

    from aeterna.service.asgi import Receive, Scope, Send

NAME: Final = "aeterna-relay"


class RelayApp:
    """Answers probes, and runs what relays from startup to shutdown."""

    def __init__(
        self,
        trouble: Callable[[], str | None],
        *,
        relay: Callable[[Drain], Awaitable[None]],
        watch: Callable[[], Awaitable[None]],
        registry: CollectorRegistry,
    ) -> None:
        """Take what says why the cache cannot be used, what relays until a drain has ended, and what watches."""
        self._trouble = trouble
        self._relay = relay
        self._watch = watch
        self.drain = Drain()
        self._health = Health(
            _nowhere,
            name=NAME,
            version=importlib.metadata.version(NAME),
            checks={"cache": self._check},
            drain=self.drain,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._health(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        relaying = asyncio.ensure_future(self._relay(self.drain))
        watching = asyncio.ensure_future(self._watch())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        watching.cancel()
        # Where nobody asked for a drain, as in tests, there is still one.
        self.drain.begin()
        await asyncio.gather(relaying, watching, return_exceptions=True)
        await send({"type": "lifespan.shutdown.complete"})

    async def _check(self) -> None:
        trouble = self._trouble()
        if trouble is not None:
            raise NotReadyError({"cache": trouble})


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    await send_problem(send, problem_of_status(404), scope["path"])
