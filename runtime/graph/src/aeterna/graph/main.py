"""The one place where a graph is put together from its adapters."""

from __future__ import annotations

import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from opentelemetry import trace

from aeterna.graph.adapters.lens.arrow_lens import ArrowLens
from aeterna.graph.adapters.iceberg.catalog import IcebergGraphStores
from aeterna.graph.adapters.leases.optimistic import OptimisticWriterLeases
from aeterna.graph.adapters.leases.sql import SqlWriterLeases
from aeterna.graph.adapters.telemetry import OpenTelemetryCommitObserver
from aeterna.graph.domain.limits import Limits
from aeterna.graph.usecases.engine import Engine, World
from aeterna.graph.usecases.graphs import Graphs
from aeterna.graph.usecases.past import PastLenses

if TYPE_CHECKING:
    from sqlalchemy import Engine as Database

    from aeterna.graph.ports import CommitObserver, WriterLeases


def open_graphs(
    *,
    catalog_uri: str,
    warehouse: str,
    power_safe: bool = True,
    limits: Limits | None = None,
    observer: CommitObserver | None = None,
) -> Graphs:
    """Open the graphs of all tenants on Iceberg; raise `StorageError` when the catalog cannot be opened.

    ``power_safe`` decides whether an acknowledged session survives the machine or only the process.
    """
    limits = limits or Limits()
    world = World(
        clock=lambda: datetime.now(UTC),
        stopwatch=time.monotonic,
        pause=time.sleep,
        chance=random.SystemRandom().random,
    )
    stores = IcebergGraphStores(catalog_uri=catalog_uri, warehouse=warehouse, power_safe=power_safe)
    return Graphs(
        Engine(
            stores=stores,
            leases=writer_leases(stores.engine, world),
            new_lens=lambda: ArrowLens(stopwatch=time.monotonic),
            observer=observer or OpenTelemetryCommitObserver(trace.get_tracer("aeterna.graph")),
            executor=ThreadPoolExecutor(limits.commit_threads, thread_name_prefix="graph-commit"),
            past=PastLenses(limits.past_snapshots),
            limits=limits,
            world=world,
        )
    )


def writer_leases(database: Database | None, world: World) -> WriterLeases:
    """Return leases in the catalog's own database; without one, writers only notice that another was first."""
    if database is None or not SqlWriterLeases.possible(database):
        return OptimisticWriterLeases()
    return SqlWriterLeases(database, holder=str(uuid.uuid4()), world=world)
