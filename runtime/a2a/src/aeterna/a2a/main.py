"""Composes an agent: settings in, adapters built here and nowhere else, a served application out."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from aeterna.a2a.adapters.http import HttpStore
from aeterna.a2a.adapters.token_file import TokenFile
from aeterna.a2a.api.app import PROGRAM, agent_app
from aeterna.a2a.api.surface import Agent, Backing
from aeterna.a2a.settings import AgentSettings
from aeterna.a2a.usecases.conversations import Conversations
from aeterna.a2a.usecases.runner import Pace
from aeterna.service import lifecycle, telemetry
from aeterna.service.adapters.authzen import AuthZenDecisionPoint
from aeterna.service.adapters.issuers import verifier_of
from aeterna.service.metrics import new_registry
from aeterna.service.settings import load
from aeterna.service.tls import trusted

if TYPE_CHECKING:
    from a2a.server.agent_execution import AgentExecutor
    from a2a.types import AgentCard
    from fastapi import FastAPI


def serve(executor: AgentExecutor, card: AgentCard, *, extended_card: AgentCard | None = None) -> None:
    """Serve the agent on A2A's bindings until told to stop, its conversations kept in the thread store.

    Reads ``AETERNA_AGENT_*``; a refusal to start is one line and status 1.
    """
    with lifecycle.one_line_refusals(PROGRAM):
        settings = load(AgentSettings)
        telemetry.configure(PROGRAM, settings)
        lifecycle.serve(
            application(executor, card, settings, extended_card=extended_card),
            host=settings.host,
            port=settings.port,
            drain_timeout=settings.drain_timeout,
            drain_delay=settings.drain_delay,
        )


def application(
    executor: AgentExecutor, card: AgentCard, settings: AgentSettings, *, extended_card: AgentCard | None = None
) -> FastAPI:
    """Return the application, for those who serve it themselves; the agent runs while its lifespan does."""
    token = TokenFile(settings.token_file)
    identity = token.identity(settings.tenant_claim, tenant=settings.tenant)
    store = HttpStore(settings.threads_url, token.read, tls=trusted(settings.threads_ca_file))
    registry = new_registry()
    conversations = Conversations(
        executor,
        agent=identity.agent,
        runner=uuid.uuid4().hex,
        log=store.log,
        leases=store.leases,
        ledger=store.ledger,
        push=store.pushes,
        pace=Pace(ttl=settings.lease_ttl, most_runs=settings.slots, most_attempts=settings.attempts),
        ttl=settings.ttl,
    )
    backing = Backing(
        conversations=conversations,
        pushes=store.pushes,
        verifier=verifier_of(settings, registry),
        decisions=AuthZenDecisionPoint.of(settings, registry),
    )
    return agent_app(
        Agent(card=card, extended=extended_card, tenant=identity.tenant),
        backing,
        settings,
        checks={"threads": store.check},
        registry=registry,
        closing=store.aclose,
    )
