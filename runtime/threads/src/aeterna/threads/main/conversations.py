"""Composes conversations: threads, their messages and the streams of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.threads.adapters.observed_threads import ObservedThreadStore
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.api.routes import router
from aeterna.threads.api.streams import StreamLimits, Streams
from aeterna.threads.domain.lifetimes import Lifetimes
from aeterna.threads.main.ground import Part
from aeterna.threads.main.retention import large_values
from aeterna.threads.usecases.batching import BatchedThreadStore
from aeterna.threads.usecases.large_parts import LargePartsThreadStore
from aeterna.threads.usecases.limited import LimitedThreadStore

if TYPE_CHECKING:
    from aeterna.threads.main.ground import Ground


def conversations(ground: Ground) -> Part:
    """Return the part that people's clients use."""
    settings, wakes = ground.settings, ground.wakes
    lifetimes = Lifetimes(default=settings.ttl, longest=settings.ttl_max)
    kept = PostgresThreadStore(ground.pool, wakes.announce, lifetimes=lifetimes)
    # Observed from outside of the batches, which are in nobody's trace: who writes waits for the others as well.
    observed = ObservedThreadStore(BatchedThreadStore(kept), ground.metrics)
    store = LimitedThreadStore(LargePartsThreadStore(observed, large_values(ground)), ground.quotas)
    limits = StreamLimits(heartbeat=settings.heartbeat, lifetime=settings.stream_lifetime, most=settings.max_streams)
    streams = Streams(store, wakes, limits)
    return Part(
        routers=[router],
        streams={"thread": lambda: streams.count},
        state={"store": store, "streams": streams},
        works=[wakes.listen, wakes.tell],
        drains=[wakes.wake_all],
    )
