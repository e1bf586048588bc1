"""Composes the graph API: settings in, adapters built here, an application out."""

from __future__ import annotations

import asyncio
import importlib.metadata
import uuid
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from opentelemetry import trace

from aeterna.api.adapters.erasure_metrics import erasures_measured
from aeterna.api.adapters.feed_metrics import PrometheusFeedObserver
from aeterna.api.adapters.metrics import PrometheusCommitObserver
from aeterna.api.adapters.replica_health import following, measured
from aeterna.api.adapters.tool_metrics import PrometheusToolObserver
from aeterna.api.adapters.upkeep_metrics import PrometheusUpkeepObserver
from aeterna.api.api.asking import asking
from aeterna.api.api.erasing import erasing
from aeterna.api.api.feeds import FeedLimits, Feeds
from aeterna.api.api.history import history
from aeterna.api.api.internal import internal
from aeterna.api.api.knowing import knowing
from aeterna.api.api.problem import STATUSES
from aeterna.api.api.reading import reading
from aeterna.api.api.tools.endpoint import ToolServer, messages
from aeterna.api.api.tools.graph_tools import graph_tools
from aeterna.api.api.tools.knowledge_tools import knowledge_tools
from aeterna.api.api.upkeep import upkeep
from aeterna.api.api.writing import writing
from aeterna.api.main.keeping import upkeep_policy
from aeterna.api.main.knowledge import ledger_of, limits_of
from aeterna.api.settings import workload_environment
from aeterna.graph.adapters.telemetry import OpenTelemetryCommitObserver
from aeterna.graph.domain.limits import Limits
from aeterna.graph.main import maintenance_of, open_graphs
from aeterna.graph.usecases.schedule import Cadence, Due, Schedule
from aeterna.knowledge.main import open_knowledge
from aeterna.service.adapters.authzen import AuthZenDecisionPoint
from aeterna.service.adapters.issuers import verifier_of
from aeterna.service.app import service_app
from aeterna.service.metrics import new_registry

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta

    from fastapi import FastAPI
    from prometheus_client import CollectorRegistry

    from aeterna.api.settings import ApiSettings
    from aeterna.graph.usecases.graphs import Graphs
    from aeterna.knowledge.main import OpenKnowledge
    from aeterna.service.health import Check
    from aeterna.service.ports import DecisionPoint, TokenVerifier

PROGRAM: Final = "aeterna-api"


def application(
    settings: ApiSettings, *, verifier: TokenVerifier | None = None, decisions: DecisionPoint | None = None
) -> FastAPI:
    """Return the application; raise `StorageError` when the catalog cannot be opened."""
    registry = new_registry()
    due = Due()
    graphs = graphs_of(settings, registry, due)
    maintenance = maintenance_of(graphs, upkeep_policy(settings), PrometheusUpkeepObserver(registry))
    schedule = Schedule(
        maintenance,
        graphs.engine.world,
        due=due,
        tenants=graphs.opened,
        cadence=Cadence(every=settings.upkeep_every),
    )

    ledger = ledger_of(settings)
    knowledge = None if ledger is None else open_knowledge(graphs, ledger, limits_of(settings))
    version = importlib.metadata.version(PROGRAM)
    tools = ToolServer(
        # Agents are offered what works here.
        (*graph_tools(_session_id), *(() if knowledge is None else knowledge_tools())),
        version=version,
        observer=PrometheusToolObserver(registry),
        timeout=settings.request_timeout,
    )

    measured(graphs.replica, registry)
    erasures_measured(graphs.erasure_jobs, registry)
    app = service_app(
        name=PROGRAM,
        version=version,
        settings=settings,
        verifier=verifier or verifier_of(settings, registry),
        decisions=decisions or AuthZenDecisionPoint.of(settings, registry),
        checks=checks_of(graphs, settings.lag_bound, knowledge),
        problems=STATUSES,
        lifespan=lifespan_of(graphs, schedule, settings, tools, knowledge),
        routers=[writing, reading, internal, asking, erasing, history, upkeep, knowing, messages],
        registry=registry,
    )
    app.state.graphs = graphs
    app.state.knowledge = None if knowledge is None else knowledge.knowledge
    app.state.tools = tools
    app.state.maintenance = maintenance
    app.state.feeds = feeds_of(settings, registry)
    app.state.erasure_jobs = graphs.erasure_jobs
    return app


def checks_of(graphs: Graphs, lag_bound: timedelta, knowledge: OpenKnowledge | None) -> dict[str, Check]:
    """Return by name what must hold for this process to get requests."""

    async def catalog() -> None:
        await asyncio.to_thread(graphs.probe)

    async def replica() -> None:
        following(graphs.replica.lag, lag_bound)

    checks: dict[str, Check] = {"catalog": catalog, "replica": replica}
    if knowledge is not None:
        checks["knowledge"] = knowledge.check
    return checks


def lifespan_of(
    graphs: Graphs, schedule: Schedule, settings: ApiSettings, tools: ToolServer, knowledge: OpenKnowledge | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what runs in the background from the first request to the last, and how it ends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        graphs.replica.start(settings.poll_every)
        graphs.erasure_jobs.start()
        if settings.upkeep:
            schedule.start()
        try:
            async with tools.running(), nullcontext() if knowledge is None else knowledge.running():
                yield
        finally:
            await asyncio.to_thread(schedule.stop)
            await asyncio.to_thread(graphs.erasure_jobs.stop)
            # After the last request: what waits is committed before the process ends.
            await asyncio.to_thread(graphs.close)

    return lifespan


def _session_id() -> str:
    return f"mcp-{uuid.uuid4().hex}"


def feeds_of(settings: ApiSettings, registry: CollectorRegistry) -> Feeds:
    """Return the feeds of this process, as many and as long as the settings allow."""
    return Feeds(
        FeedLimits(
            heartbeat=settings.feed_heartbeat,
            lifetime=settings.feed_lifetime,
            most=settings.most_feeds,
            look_every=settings.refresh_every,
        ),
        PrometheusFeedObserver(registry),
    )


def graphs_of(settings: ApiSettings, registry: CollectorRegistry, due: Due) -> Graphs:
    """Return the graphs that the settings describe, measured in the registry."""
    return open_graphs(
        catalog_uri=settings.catalog_uri,
        warehouse=settings.warehouse,
        power_safe=settings.durability == "power",
        environment=workload_environment(),
        upkeep=due.add if settings.upkeep else None,
        limits=Limits(
            waiting_sessions=settings.waiting_sessions,
            upkeep_every=settings.upkeep_commits,
            open_tenants=settings.open_tenants,
            past_snapshots=settings.past_snapshots,
            refresh_every=settings.refresh_every,
            query_time=settings.query_timeout,
            max_depth=settings.max_depth,
            page_bytes=settings.page_bytes,
        ),
        observer=PrometheusCommitObserver(OpenTelemetryCommitObserver(trace.get_tracer("aeterna.graph")), registry),
    )
