"""Composes tasks: the logs that agents write, and what wakes their readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.threads.adapters.observed import ObservedTaskLog
from aeterna.threads.adapters.postgres_tasks import PostgresTaskLog
from aeterna.threads.api.streams import StreamLimits
from aeterna.threads.api.task_routes import router
from aeterna.threads.api.wake_streams import WakeStreams
from aeterna.threads.domain.lifetimes import Lifetimes
from aeterna.threads.main.ground import Part
from aeterna.threads.main.retention import large_values
from aeterna.threads.usecases.batching import BatchedTaskLog
from aeterna.threads.usecases.large_parts import LargePartsTaskLog
from aeterna.threads.usecases.limited import LimitedTaskLog

if TYPE_CHECKING:
    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import ThreadId
    from aeterna.threads.domain.task import AgentId
    from aeterna.threads.main.ground import Ground


def tasks(ground: Ground) -> Part:
    """Return the part that agents write and read their tasks by."""
    settings, wakes = ground.settings, ground.wakes

    def announce(tenant: TenantId, agent: AgentId, task_id: ThreadId, version: int) -> None:
        wakes.announce_task(tenant, agent, task_id, version)
        for tell in ground.grown:
            tell()

    lifetimes = Lifetimes(default=settings.ttl, longest=settings.ttl_max)
    kept = PostgresTaskLog(ground.pool, announce, lifetimes)
    observed = ObservedTaskLog(BatchedTaskLog(kept), ground.metrics)
    log = LimitedTaskLog(LargePartsTaskLog(observed, large_values(ground)), ground.quotas)
    limits = StreamLimits(heartbeat=settings.heartbeat, lifetime=settings.stream_lifetime, most=settings.max_streams)
    streams = WakeStreams(wakes, limits)
    return Part(
        routers=[router],
        streams={"agent": lambda: streams.count},
        state={"tasks": log, "wake_streams": streams},
    )
