"""Runs the thread store: settings in, a served application or one job out."""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
from typing import TYPE_CHECKING

from aeterna.postgres.address import Address
from aeterna.postgres.fitness import prepare_schema
from aeterna.postgres.pool import Limits
from aeterna.postgres.serving_login import let_in
from aeterna.service import lifecycle, telemetry
from aeterna.service.settings import load
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_cleanup import ROLE as JOBS_ROLE
from aeterna.threads.main.application import PROGRAM, application
from aeterna.threads.main.retention import clean_up
from aeterna.threads.settings import CleanupSettings, MigrationSettings, ThreadsSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["application", "main", "migrate", "serve"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve, or with the argument ``migrate`` move the database's schema; a refusal is one line and status 1."""
    parser = argparse.ArgumentParser(prog="python -m aeterna.threads", description="The thread store of Aeterna.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    migration = commands.add_parser("migrate", help="move the database's schema, forward or back")
    migration.add_argument("--to", default="head", metavar="REVISION", help="a revision, head or base (default: head)")
    commands.add_parser("cleanup", help="remove what has expired, once, and print what was done as JSON")
    chosen = parser.parse_args(arguments)
    with lifecycle.one_line_refusals(PROGRAM):
        match chosen.command:
            case "migrate":
                migrate(load(MigrationSettings), chosen.to)
            case "cleanup":
                clean_up(load(CleanupSettings))
            case _:
                serve(load(ThreadsSettings))


def migrate(settings: MigrationSettings, to: str) -> None:
    """Move the schema of the database to a revision and say so in one line."""
    # Imported when asked for: alembic and SQLAlchemy would cost every start of the service half a second.
    adapter = importlib.import_module("aeterna.postgres.migrations")
    owner = Address.of(settings, DATABASE.errors, settings.migrate_dsn, kept=settings.migrate_secret_arn)
    moved = adapter.migrate(owner, DATABASE, to=to, wait=settings.migrate_wait, lock=settings.migrate_lock_timeout)
    sys.stdout.write(f"{PROGRAM}: schema {moved.before or 'none'} -> {moved.after or 'none'}\n")
    login = settings.serving_login
    if login is not None and moved.after == DATABASE.head:
        let_in(owner, DATABASE, login=login, provider=settings.dsn_login, roles=(DATABASE.names.role, JOBS_ROLE))
        sys.stdout.write(f"{PROGRAM}: {login} may serve\n")


def serve(settings: ThreadsSettings) -> None:
    """Serve until told to stop, on a database that is fit for it."""
    telemetry.configure(PROGRAM, settings)
    forward = functools.partial(migrate, settings, "head") if settings.migrate else None
    address = Address.of(settings, DATABASE.errors)
    prepare_schema(address, Limits.of(settings), DATABASE, forward)
    lifecycle.serve(
        application(settings, address),
        host=settings.host,
        port=settings.port,
        drain_timeout=settings.drain_timeout,
        drain_delay=settings.drain_delay,
    )
