"""The composition root of the relay: settings in, adapters built here, a served relay out."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from typing import TYPE_CHECKING

from aeterna.identity.login import TokenLogin
from aeterna.relay.adapters.listener import Listener
from aeterna.relay.adapters.logins import login_of
from aeterna.relay.adapters.tls_upstream import TlsUpstream
from aeterna.relay.api.app import NAME, RelayApp
from aeterna.relay.api.metrics import RelayMetrics
from aeterna.relay.domain.tally import Tally
from aeterna.relay.settings import RelaySettings
from aeterna.relay.usecases.relaying import Relaying
from aeterna.relay.usecases.watching import Watching
from aeterna.service.lifecycle import one_line_refusals, serve, tcp_socket
from aeterna.service.metrics import new_registry
from aeterna.service.settings import load
from aeterna.service.telemetry import configure
from aeterna.service.tls import trusted

if TYPE_CHECKING:
    import socket

    from aeterna.service.lifecycle import Drain


def main() -> None:
    """Relay until told to stop; exit with status 1 and one line when that cannot even begin."""
    with one_line_refusals(NAME):
        settings = load(RelaySettings)
        configure(NAME, settings)
        serve(
            build(settings, tcp_socket(settings.host, settings.port)),
            host=settings.health_host,
            port=settings.health_port,
            drain_delay=settings.drain_delay,
            drain_timeout=settings.drain_timeout,
        )


def build(settings: RelaySettings, listening: socket.socket) -> RelayApp:
    """Return the application, which relays those who come to the socket."""
    generator = random.SystemRandom()
    login, source = login_of(settings)
    upstream = TlsUpstream(
        settings.cache_host,
        settings.cache_port,
        trust=trusted(settings.cache_ca_file) or ssl.create_default_context(),
        login=login,
        tokens=TokenLogin(source, clock=time.time, random=generator.random, event="relay.tokenless"),
        timeout=settings.connect_timeout,
    )
    tally, registry = Tally(), new_registry()
    RelayMetrics(registry, tally)
    relaying = Relaying(upstream, tally, most=settings.max_connections, clock=time.time, random=generator.random)
    watching = Watching(upstream, tally, clock=time.time, random=generator.random)
    listener = Listener(listening, relaying.serve)

    async def relay(drain: Drain) -> None:
        async with listener.accepting():
            await drain.wait()
            await asyncio.sleep(settings.drain_delay.total_seconds())
        relaying.leave()
        await listener.ended(settings.drain_timeout)

    return RelayApp(lambda: watching.trouble, relay=relay, watch=watching.run, registry=registry)
