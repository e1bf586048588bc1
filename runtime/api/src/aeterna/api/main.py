"""The composition root of the graph API: settings in, adapters built here, a served application out."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from opentelemetry import trace

from aeterna.api.adapters.erasure_metrics import erasures_measured
from aeterna.api.adapters.feed_metrics import PrometheusFeedObserver
from aeterna.api.adapters.metrics import PrometheusCommitObserver
from aeterna.api.adapters.replica_health import following, measured
from aeterna.api.adapters.upkeep_metrics import PrometheusUpkeepObserver
from aeterna.api.api.asking import asking
from aeterna.api.api.erasing import erasing
from aeterna.api.api.feeds import FeedLimits, Feeds
from aeterna.api.api.history import history
from aeterna.api.api.internal import internal
from aeterna.api.api.problem import STATUSES
from aeterna.api.api.reading import reading
from aeterna.api.api.upkeep import upkeep
from aeterna.api.api.writing import writing
from aeterna.api.settings import ApiSettings, workload_environment
from aeterna.graph.adapters.telemetry import OpenTelemetryCommitObserver
from aeterna.graph.domain.limits import Limits
from aeterna.graph.domain.upkeep import CollectionPolicy, CompactionPolicy, RetentionPolicy, UpkeepPolicy
from aeterna.graph.errors import StorageError
from aeterna.graph.main import maintenance_of, open_graphs
from aeterna.graph.usecases.schedule import Cadence, Due, Schedule
from aeterna.service.adapters.authzen import AuthZenDecisionPoint
from aeterna.service.adapters.issuers import verifier_of
from aeterna.service.app import service_app
from aeterna.service.errors import StartError
from aeterna.service.lifecycle import one_line_refusals, serve
from aeterna.service.metrics import new_registry
from aeterna.service.settings import load
from aeterna.service.telemetry import configure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta

    from fastapi import FastAPI
    from prometheus_client import CollectorRegistry

    from aeterna.graph.usecases.graphs import Graphs
    from aeterna.service.health import Check
    from aeterna.service.ports import DecisionPoint, TokenVerifier

_NAME: Final = "aeterna-api"


def main() -> None:
    """Serve until told to stop; exit with status 1 and one line when that cannot even begin."""
    with one_line_refusals(_NAME):
        settings = load(ApiSettings)
        configure(_NAME, settings)
        # At "info" it says which class opens files, several times for each commit.
        logging.getLogger("pyiceberg").setLevel(logging.WARNING)
        try:
            app = application(settings)
        except StorageError as failure:
            # To callers the reason is nobody's business; whoever starts the process needs it.
            raise StartError(f"cannot open the catalog: {failure.reason}") from failure
        serve(
            app,
            host=settings.host,
            port=settings.port,
            drain_delay=settings.drain_delay,
            drain_timeout=settings.drain_timeout,
        )


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

    measured(graphs.replica, registry)
    erasures_measured(graphs.erasure_jobs, registry)
    app = service_app(
        name=_NAME,
        version=importlib.metadata.version(_NAME),
        settings=settings,
        verifier=verifier or verifier_of(settings, registry),
        decisions=decisions or AuthZenDecisionPoint.of(settings, registry),
        checks=checks_of(graphs, settings.lag_bound),
        problems=STATUSES,
        lifespan=lifespan_of(graphs, schedule, settings),
        routers=[writing, reading, internal, asking, erasing, history, upkeep],
        registry=registry,
    )
    app.state.graphs = graphs
    app.state.maintenance = maintenance
    app.state.feeds = feeds_of(settings, registry)
    app.state.erasure_jobs = graphs.erasure_jobs
    return app


def checks_of(graphs: Graphs, lag_bound: timedelta) -> dict[str, Check]:
    """Return by name what must hold for this process to get requests."""

    async def catalog() -> None:
        await asyncio.to_thread(graphs.probe)

    async def replica() -> None:
        following(graphs.replica.lag, lag_bound)

    return {"catalog": catalog, "replica": replica}


def lifespan_of(
    graphs: Graphs, schedule: Schedule, settings: ApiSettings
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what runs in the background from the first request to the last, and how it ends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        graphs.replica.start(settings.poll_every)
        graphs.erasure_jobs.start()
        if settings.upkeep:
            schedule.start()
        try:
            yield
        finally:
            await asyncio.to_thread(schedule.stop)
            await asyncio.to_thread(graphs.erasure_jobs.stop)
            # After the last request: what waits is committed before the process ends.
            await asyncio.to_thread(graphs.close)

    return lifespan


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


def upkeep_policy(settings: ApiSettings) -> UpkeepPolicy:
    """Return how the settings want tables to be kept."""
    return UpkeepPolicy(
        compaction=CompactionPolicy(memory_bytes=settings.compaction_memory_bytes, forget_after=settings.history),
        retention=RetentionPolicy(
            keep_least=settings.keep_least, keep_age=settings.keep_age, keep_most=settings.keep_most
        ),
        collection=CollectionPolicy(grace=settings.garbage_grace),
        backup_every=settings.backup_every,
        backup_keep=settings.backup_keep,
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
