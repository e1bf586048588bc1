"""The surface on the chassis: problems, health, metrics, limits and traces, as every service has them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from aeterna.a2a.api.problem import STATUSES
from aeterna.a2a.api.surface import Surface
from aeterna.service.app import service_app
from aeterna.service.metrics import new_registry

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from fastapi import FastAPI
    from prometheus_client import CollectorRegistry

    from aeterna.a2a.api.surface import Agent, Backing
    from aeterna.a2a.settings import AgentSettings
    from aeterna.service.health import Check

PROGRAM: Final = "aeterna-agent"


def agent_app(
    agent: Agent,
    backing: Backing,
    settings: AgentSettings,
    *,
    checks: Mapping[str, Check],
    registry: CollectorRegistry | None = None,
    closing: Callable[[], Awaitable[None]] | None = None,
) -> FastAPI:
    """Return the application; while its lifespan runs, so does the agent, and ``closing`` is called after it.

    Its ``state.surface`` is the `Surface`, which knows the gRPC port that was given where any was asked for.
    """
    registry = registry or new_registry()
    surface = Surface(agent, backing, settings, registry)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        try:
            async with surface.running(app.state.drain, app.state.tls):
                yield
        finally:
            if closing is not None:
                await closing()

    app = service_app(
        name=PROGRAM,
        version=version("aeterna-a2a"),
        settings=settings,
        verifier=backing.verifier,
        decisions=backing.decisions,
        checks=checks,
        problems=STATUSES,
        lifespan=lifespan,
        routers=[],
        registry=registry,
    )
    app.router.routes.extend(surface.routes)
    app.state.surface = surface
    return app
