"""Composes retention: expiry, legal holds, erasures and large parts, in the service and as a job of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from aeterna.postgres.address import Address
from aeterna.postgres.fitness import require_schema
from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.telemetry import configure_logs
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.object_store import object_store
from aeterna.threads.adapters.postgres_cleanup import ROLE, PostgresCleanup
from aeterna.threads.adapters.postgres_retention import PostgresRetention
from aeterna.threads.adapters.postgres_usage import PostgresAccounts
from aeterna.threads.api.retention_routes import router
from aeterna.threads.api.usage_routes import router as usage_router
from aeterna.threads.domain.usage import Quotas
from aeterna.threads.main.ground import Part
from aeterna.threads.usecases.cleanup import Cleanup, CleanupLimits
from aeterna.threads.usecases.large_values import LargeValues

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.postgres.pool import Pool
    from aeterna.threads.main.ground import Ground
    from aeterna.threads.ports import ObjectStore
    from aeterna.threads.settings import CleanupSettings, RetentionSettings

# One holds the lock that keeps a second process away, one works.
_CONNECTIONS: Final = 2
# Nobody waits for the job, and a batch on a disk that is busy may take its time.
_JOB_LIMITS: Final = Limits(min_connections=1, max_connections=_CONNECTIONS, statement=timedelta(minutes=1))


def retention(ground: Ground) -> Part:
    """Return the part that keeps, hides and removes."""
    pool = ground.pool_of(ROLE, most=_CONNECTIONS)
    cleanup = Cleanup(
        PostgresCleanup(pool),
        _objects(ground.settings),
        _limits(ground.settings),
        lambda report: ground.metrics.cleaned(report.counts, report.erasures),
    )
    return Part(
        routers=[router, usage_router],
        state={
            "retention": PostgresRetention(ground.pool),
            "cleanup": cleanup,
            "accounts": accounts(ground.settings, ground.pool),
        },
        resources=[pool],
        works=[cleanup.run],
    )


def accounts(settings: RetentionSettings, pool: Pool) -> PostgresAccounts:
    """Return what tenants hold and may hold."""
    defaults = Quotas(
        threads=settings.quota_threads,
        bytes=settings.quota_bytes,
        open_tasks=settings.quota_open_tasks,
        writes_per_second=settings.quota_writes_per_second,
    )
    return PostgresAccounts(pool, defaults)


def large_values(ground: Ground) -> LargeValues:
    """Return what moves the large parts of messages into the object store, if there is one, and back."""
    settings = ground.settings
    return LargeValues(_objects(settings), PostgresRetention(ground.pool), threshold=settings.object_threshold)


def clean_up(settings: CleanupSettings) -> None:
    """Do one round and print what it did as one line of JSON; its progress goes to the standard error."""
    # The standard output is the report's alone.
    configure_logs("aeterna-threads-cleanup", "info")
    address = Address.of(settings, DATABASE.errors)
    require_schema(address, _JOB_LIMITS, DATABASE)
    sys.stdout.write(json.dumps(asyncio.run(_round(settings, address)), sort_keys=True) + "\n")


async def _round(settings: CleanupSettings, address: Address) -> Mapping[str, object]:
    def tell(counts: Mapping[str, int]) -> None:
        sys.stderr.write(json.dumps({"progress": dict(counts)}, sort_keys=True) + "\n")

    async with connection_pool(address, _JOB_LIMITS, DATABASE.names, role=ROLE) as pool:
        report = await Cleanup(PostgresCleanup(pool), _objects(settings), _limits(settings)).round(tell)
    return {"alone": report.alone, "counts": dict(report.counts), "erasures": dict(report.erasures)}


def _objects(settings: RetentionSettings) -> ObjectStore | None:
    return None if settings.objects is None else object_store(settings.objects)


def _limits(settings: RetentionSettings) -> CleanupLimits:
    return CleanupLimits(interval=settings.cleanup_interval, object_grace=settings.object_grace)
