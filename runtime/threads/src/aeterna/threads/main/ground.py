"""What the parts of the thread store are built on, and what each hands to the application."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from aeterna.postgres.address import Address
from aeterna.postgres.pool import Limits, Pool, connection_pool
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.listen import PostgresWakes
from aeterna.threads.adapters.metrics import StoreMetrics
from aeterna.threads.settings import ThreadsSettings
from aeterna.threads.usecases.quotas import QuotaKeeper

Work: TypeAlias = Callable[[], Coroutine[object, object, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all parts share: connections of the service's role, wakes of readers, and where metrics are registered.

    ``pools`` are those to be watched, by what they are for. ``grown`` is what parts want called after rows of a task
    became durable here; it neither waits nor raises.
    """

    settings: ThreadsSettings
    address: Address
    pool: Pool
    wakes: PostgresWakes
    registry: CollectorRegistry
    metrics: StoreMetrics
    quotas: QuotaKeeper
    pools: dict[str, list[Pool]] = field(default_factory=dict[str, list[Pool]])
    grown: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])

    def pool_of(self, role: str, most: int) -> Pool:
        """Return a pool of its own, not yet open, whose at most so many connections act as another role."""
        limits = Limits.of(self.settings, most=most)
        pool = connection_pool(self.address, limits, DATABASE.names, role=role)
        self.pools.setdefault("jobs", []).append(pool)
        return pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the service.

    ``streams`` count what is open, by what it tells of. ``state`` is what its routes find in ``app.state``.
    ``resources`` are opened before and closed after ``works``, which run from the start of the application until it
    stops. ``drains`` are called once, when the process is told to stop and before its requests are waited for.
    """

    routers: Sequence[APIRouter] = ()
    streams: Mapping[str, Callable[[], int]] = field(default_factory=dict[str, Callable[[], int]])
    state: Mapping[str, object] = field(default_factory=dict[str, object])
    # Whatever a resource gives on entering is its part's own affair.
    resources: Sequence[AbstractAsyncContextManager[Any]] = ()
    works: Sequence[Work] = ()
    drains: Sequence[Callable[[], None]] = ()
