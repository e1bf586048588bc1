"""Composes the application of the thread store from its parts: adapters are built here and in the parts' modules."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.adapters.authzen import AuthZenDecisionPoint
from aeterna.service.adapters.issuers import verifier_of
from aeterna.service.app import service_app
from aeterna.service.clock import steady_clock
from aeterna.service.metrics import new_registry
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.listen import PostgresWakes
from aeterna.threads.adapters.metrics import Sampled, StoreMetrics
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.api.problem import STATUSES
from aeterna.threads.main.conversations import conversations
from aeterna.threads.main.ground import Ground
from aeterna.threads.main.push import push
from aeterna.threads.main.retention import accounts, retention
from aeterna.threads.main.runs import runs
from aeterna.threads.main.search import search
from aeterna.threads.main.tasks import tasks
from aeterna.threads.main.works import watched
from aeterna.threads.usecases.quotas import QuotaKeeper

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from fastapi import FastAPI

    from aeterna.postgres.address import Address
    from aeterna.postgres.pool import Pool
    from aeterna.threads.main.ground import Part
    from aeterna.threads.settings import ThreadsSettings

PROGRAM: Final = "aeterna-threads"
# The search first: its path would be a thread's id to the routes of conversations.
PARTS: Final[Sequence[Callable[[Ground], Part]]] = (search, conversations, tasks, runs, push, retention)


def application(settings: ThreadsSettings, address: Address) -> FastAPI:
    """Return the application; its connections open when it starts and close when it stops."""
    pool, registry = connection_pool(address, Limits.of(settings), DATABASE.names), new_registry()
    wakes = PostgresWakes(address, pool)
    ground = Ground(
        settings=settings,
        address=address,
        pool=pool,
        wakes=wakes,
        registry=registry,
        metrics=StoreMetrics(registry),
        quotas=QuotaKeeper(accounts(settings, pool), steady_clock),
        pools={"service": [pool]},
    )
    parts = [part(ground) for part in PARTS]
    streams = {name: count for part in parts for name, count in part.streams.items()}
    Sampled(registry, pools=ground.pools, streams=streams, wakes=wakes.counts)
    app = service_app(
        name=PROGRAM,
        version=version("aeterna-threads"),
        settings=settings,
        verifier=verifier_of(settings, registry),
        decisions=AuthZenDecisionPoint.of(settings, registry),
        checks={"database": PostgresThreadStore(pool).check},
        problems=STATUSES,
        lifespan=_lifespan(pool, parts),
        routers=[router for part in parts for router in part.routers],
        registry=registry,
    )
    for part in parts:
        for name, value in part.state.items():
            setattr(app.state, name, value)
    return app


def _lifespan(pool: Pool, parts: Sequence[Part]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what opens the parts' resources and runs their works, from the application's start to its end."""
    stop = partial(signal.raise_signal, signal.SIGTERM)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async def end_streams() -> None:
            await app.state.drain.wait()
            for part in parts:
                for drain in part.drains:
                    drain()

        async with AsyncExitStack() as stack:
            for resource in (pool, *(resource for part in parts for resource in part.resources)):
                await stack.enter_async_context(resource)
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            works = [end_streams, *(work for part in parts for work in part.works)]
            running = [tasks.create_task(watched(work, stop)) for work in works]
            yield
            for task in running:
                task.cancel()

    return lifespan
