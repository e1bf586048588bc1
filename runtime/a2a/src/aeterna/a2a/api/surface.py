"""Everything that callers of an agent reach, put together from its conversations: cards and bindings, until a drain."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from a2a.types import AgentCard

from aeterna.a2a.api.card import Addresses, card_routes, served_card
from aeterna.a2a.api.gate import Gate
from aeterna.a2a.api.grpc_server import GrpcListener
from aeterna.a2a.api.handler import Cards, ConversationHandler
from aeterna.a2a.api.http_routes import http_routes
from aeterna.a2a.api.metrics import CallMetrics
from aeterna.a2a.api.streams import StreamLimits, Streams
from aeterna.a2a.ports import PushConfigs
from aeterna.a2a.usecases.conversations import Conversations
from aeterna.service.ports import DecisionPoint, TokenVerifier

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from prometheus_client import CollectorRegistry
    from starlette.routing import BaseRoute

    from aeterna.a2a.settings import AgentSettings
    from aeterna.service.lifecycle import Drain
    from aeterna.service.tls import ServingCertificate

# What is left of the drain for streams and calls to end, once the runs have ended or were handed over.
_LAST_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What an author wrote, and whose it is."""

    card: AgentCard
    extended: AgentCard | None
    tenant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """What a surface stands on: the conversations, and who says who may."""

    conversations: Conversations
    pushes: PushConfigs
    verifier: TokenVerifier
    decisions: DecisionPoint


class Surface:
    """The bindings of one process of an agent."""

    def __init__(self, agent: Agent, backing: Backing, settings: AgentSettings, registry: CollectorRegistry) -> None:
        limits = StreamLimits(
            heartbeat=settings.heartbeat, lifetime=settings.stream_lifetime, most=settings.max_streams
        )
        addresses = addresses_of(settings)
        public = served_card(agent.card, addresses, extended=agent.extended is not None)
        extended = None if agent.extended is None else served_card(agent.extended, addresses, extended=True)
        gate = Gate(backing.verifier, backing.decisions, tenant=agent.tenant)
        self.streams = Streams(limits, registry)
        self._conversations = backing.conversations
        self._drain_timeout = settings.drain_timeout
        handler = ConversationHandler(
            backing.conversations,
            backing.pushes,
            gate=gate,
            cards=Cards(public=public, extended=extended),
            streams=self.streams,
            metrics=CallMetrics(registry),
            send_timeout=settings.send_timeout,
        )
        self.routes: Sequence[BaseRoute] = [
            *card_routes(public, max_age=settings.card_max_age),
            *http_routes(handler, gate, self.streams),
        ]
        self.grpc: GrpcListener | None = None
        if settings.grpc_port is not None:
            address = f"{settings.host}:{settings.grpc_port}"
            self.grpc = GrpcListener(handler, gate, self.streams, address=address, max_bytes=settings.max_body_bytes)

    @asynccontextmanager
    async def running(self, drain: Drain, certificate: ServingCertificate | None = None) -> AsyncGenerator[None]:
        """Run the agent and serve gRPC; when the process drains, hand over what runs, then end the streams."""
        if self.grpc is not None:
            await self.grpc.start(certificate)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self._conversations.run())
            leaving = tasks.create_task(self._leave(drain))
            try:
                yield
            finally:
                # Where nobody asked for a drain, as in tests, there is still one.
                drain.begin()
                await leaving
                running.cancel()

    async def _leave(self, drain: Drain) -> None:
        await drain.wait()
        self.streams.leaving = True
        seconds = self._drain_timeout.total_seconds()
        await self._conversations.drain(seconds * (1 - _LAST_SHARE))
        self.streams.end()
        if self.grpc is not None:
            await self.grpc.stop(timedelta(seconds=seconds * _LAST_SHARE))


def addresses_of(settings: AgentSettings) -> Addresses:
    """Return where callers reach the agent, by default where it listens."""
    grpc = None
    if settings.grpc_port is not None:
        grpc = settings.grpc_public or f"{settings.host}:{settings.grpc_port}"
    scheme = "http" if settings.tls_certificate_file is None else "https"
    return Addresses(http=settings.public_url or f"{scheme}://{settings.host}:{settings.port}", grpc=grpc)
