"""Composes the thread store: settings in, adapters built here and nowhere else, a served application out."""

from __future__ import annotations

import argparse
import asyncio
import functools
import importlib
import sys
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from aeterna.postgres.fitness import prepare_schema
from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service import lifecycle, telemetry
from aeterna.service.adapters.authzen import AuthZenDecisionPoint
from aeterna.service.adapters.jwt import JwksTokenVerifier
from aeterna.service.app import service_app
from aeterna.service.metrics import new_registry
from aeterna.service.settings import load
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.listen import PostgresWakes
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.api.problem import STATUSES
from aeterna.threads.api.routes import router
from aeterna.threads.api.streams import StreamLimits, Streams
from aeterna.threads.settings import MigrationSettings, ThreadsSettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from fastapi import FastAPI

PROGRAM = "aeterna-threads"


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve, or with the argument ``migrate`` move the database's schema; a refusal is one line and status 1."""
    parser = argparse.ArgumentParser(prog="python -m aeterna.threads", description="The thread store of Aeterna.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    migration = commands.add_parser("migrate", help="move the database's schema, forward or back")
    migration.add_argument("--to", default="head", metavar="REVISION", help="a revision, head or base (default: head)")
    chosen = parser.parse_args(arguments)
    with lifecycle.one_line_refusals(PROGRAM):
        if chosen.command == "migrate":
            migrate(load(MigrationSettings), chosen.to)
        else:
            serve(load(ThreadsSettings))


def migrate(settings: MigrationSettings, to: str) -> None:
    """Move the schema of the database to a revision and say so in one line."""
    # Imported when asked for: alembic and SQLAlchemy would cost every start of the service half a second.
    adapter = importlib.import_module("aeterna.postgres.migrations")
    owner = settings.migrate_dsn or settings.dsn
    moved = adapter.migrate(
        owner.get_secret_value(), DATABASE, to=to, wait=settings.migrate_wait, lock=settings.migrate_lock_timeout
    )
    sys.stdout.write(f"{PROGRAM}: schema {moved.before or 'none'} -> {moved.after or 'none'}\n")


def serve(settings: ThreadsSettings) -> None:
    """Serve until told to stop, on a database that is fit for it."""
    telemetry.configure(PROGRAM, settings)
    forward = functools.partial(migrate, settings, "head") if settings.migrate else None
    prepare_schema(settings.dsn.get_secret_value(), Limits.of(settings), DATABASE, forward)
    lifecycle.serve(
        application(settings),
        host=settings.host,
        port=settings.port,
        drain_timeout=settings.drain_timeout,
        drain_delay=settings.drain_delay,
    )


def application(settings: ThreadsSettings) -> FastAPI:
    """Return the application; its connections open when it starts and close when it stops."""
    dsn = settings.dsn.get_secret_value()
    pool = connection_pool(dsn, Limits.of(settings), DATABASE.names)
    wakes, registry = PostgresWakes(dsn, pool), new_registry()
    store = PostgresThreadStore(pool, wakes.announce)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async def end_streams() -> None:
            await app.state.drain.wait()
            wakes.wake_all()

        async with pool, asyncio.TaskGroup() as tasks:
            background = [tasks.create_task(work()) for work in (wakes.listen, wakes.tell, end_streams)]
            yield
            for task in background:
                task.cancel()

    app = service_app(
        name=PROGRAM,
        version=version("aeterna-threads"),
        settings=settings,
        verifier=JwksTokenVerifier(
            settings.jwks,
            issuer=settings.issuer,
            audience=settings.audience,
            tenant_claim=settings.tenant_claim,
            leeway=settings.token_leeway,
        ),
        decisions=AuthZenDecisionPoint.of(settings, registry),
        checks={"database": store.check},
        problems=STATUSES,
        lifespan=lifespan,
        routers=[router],
        registry=registry,
    )
    app.state.store = store
    app.state.streams = Streams(
        store,
        wakes,
        StreamLimits(heartbeat=settings.heartbeat, lifetime=settings.stream_lifetime, most=settings.max_streams),
    )
    return app
