"""Runs the graph API: settings in, a served application or one round of a job out."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import TYPE_CHECKING

from aeterna.api.main.application import PROGRAM, application
from aeterna.api.main.knowledge import ledger_of, limits_of
from aeterna.api.main.migration import migrate
from aeterna.api.main.rounds import backup, maintain
from aeterna.api.settings import ApiSettings, MigrationSettings, RoundSettings
from aeterna.graph.errors import StorageError
from aeterna.knowledge.main import prepare_ledger
from aeterna.service import lifecycle, telemetry
from aeterna.service.errors import StartError
from aeterna.service.settings import load

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["application", "main", "serve"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve, or do one round for every tenant; a refusal is one line and status 1."""
    parser = argparse.ArgumentParser(prog="python -m aeterna.api", description="The graph API of Aeterna.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("backup", help="make the backup that is due of every tenant, and print what was done as JSON")
    commands.add_parser("maintain", help="back up, compact, expire and collect every tenant's table, likewise")
    commands.add_parser(
        "migrate", help="make the tables of a catalog in PostgreSQL and of knowledge, and let in the login"
    )
    chosen = parser.parse_args(arguments)
    with lifecycle.one_line_refusals(PROGRAM):
        # At "info" it says which class opens files, several times for each commit.
        logging.getLogger("pyiceberg").setLevel(logging.WARNING)
        # At "info" it says for each message that a session ends which there never was.
        logging.getLogger("mcp").setLevel(logging.WARNING)
        try:
            match chosen.command:
                case "backup":
                    sys.exit(backup(load(RoundSettings)))
                case "maintain":
                    sys.exit(maintain(load(RoundSettings)))
                case "migrate":
                    migrate(load(MigrationSettings))
                case _:
                    serve(load(ApiSettings))
        except StorageError as failure:
            # To callers the reason is nobody's business; whoever starts the process needs it.
            raise StartError(f"cannot {failure.operation}: {failure.reason}") from failure


def serve(settings: ApiSettings) -> None:
    """Serve until told to stop; raise `StorageError` when the catalog cannot be opened.

    Where knowledge is on, raise the `DatabaseUnfitError` that says why its database is not fit.
    """
    telemetry.configure(PROGRAM, settings)
    ledger = ledger_of(settings)
    if ledger is not None:
        prepare_ledger(ledger, limits_of(settings), migrate=settings.knowledge_migrate)
    lifecycle.serve(
        application(settings),
        host=settings.host,
        port=settings.port,
        drain_delay=settings.drain_delay,
        drain_timeout=settings.drain_timeout,
    )
