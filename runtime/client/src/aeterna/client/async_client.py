"""The client for asynchronous code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import anyio

from aeterna.client.async_graph import AsyncGraph
from aeterna.client.async_knowledge import AsyncKnowledge
from aeterna.client.async_policies import AsyncPolicies
from aeterna.client.async_runner import AsyncRunner
from aeterna.client.async_threads import AsyncThreads
from aeterna.client.retry import RetryPolicy
from aeterna.client.settings import Settings
from aeterna.client.token import FixedToken
from aeterna.client.wire import TIMEOUT, Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import httpx

    from aeterna.client.token import TokenSource


class AsyncAeterna:
    """The graph, the knowledge, the conversations and the policies of one tenant; safe to share between tasks.

    Only the services that are used need an address. ``transport`` is the port to the network: `aeterna.client.testing`
    ships a fake of it.
    """

    def __init__(  # noqa: PLR0913 - each is what one user sets, and most set three
        self,
        *,
        token: str | TokenSource,
        graph_url: str | None = None,
        threads_url: str | None = None,
        policies_url: str | None = None,
        ca_file: Path | None = None,
        timeout: timedelta = TIMEOUT,
        retries: RetryPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        source = FixedToken(token) if isinstance(token, str) else token
        settings = Settings(
            graph_url=graph_url, threads_url=threads_url, token=source, policies_url=policies_url, ca_file=ca_file
        )
        wire = Wire(settings=settings, timeout=timeout, policy=retries or RetryPolicy())
        self._runner = AsyncRunner(wire, transport, sleep)
        self.graph = AsyncGraph(self._runner)
        self.knowledge = AsyncKnowledge(self._runner)
        self.threads = AsyncThreads(self._runner)
        self.policies = AsyncPolicies(self._runner)

    @classmethod
    def from_env(cls, *, timeout: timedelta = TIMEOUT, retries: RetryPolicy | None = None) -> Self:
        """Return a client as the environment says; raise `ConfigurationError` naming the variable that is missing."""
        found = Settings.from_env()
        return cls(
            graph_url=found.graph_url,
            threads_url=found.threads_url,
            token=found.token,
            policies_url=found.policies_url,
            ca_file=found.ca_file,
            timeout=timeout,
            retries=retries,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        settings = self._runner.wire.settings
        return f"AsyncAeterna(graph_url={settings.graph_url!r}, threads_url={settings.threads_url!r})"

    async def close(self) -> None:
        """Close the connections."""
        await self._runner.close()
