"""How fast cleanup and erasures are: ``python tests/bench/retention_speed.py DSN``, on a migrated database.

Fills a tenant of its own and removes it again; prints one line of JSON. The DSN is a superuser's, because filling by
the front door would take longer than what is measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import TYPE_CHECKING

import psycopg

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_cleanup import ROLE, PostgresCleanup
from aeterna.threads.adapters.postgres_retention import PostgresRetention
from aeterna.threads.domain.erasure import target_of
from aeterna.threads.usecases.cleanup import Cleanup, CleanupLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

THREADS, ROWS = 5_000, 20
TENANT = TenantId("bench")
_FILL = """
INSERT INTO threads.threads (tenant, thread_id, digest, created_by, ttl, born, expires_at, last_seq)
SELECT 'bench', 't' || n, sha256('x'), 'owner' || n %% 100, '1 hour', %(born)s, %(expires)s, %(rows)s
FROM generate_series(1, %(threads)s) AS n;
"""
_ROWS = """
INSERT INTO threads.events (
    born, tenant, thread_id, seq, kind, said, message_id, role, parts, metadata, digest, author, created_at)
SELECT %(born)s, 'bench', 't' || n, m, 'message', true, 'm' || m, 'user',
       json_build_array(json_build_object('kind', 'text', 'text', repeat('word ', 40))), '{}', sha256('y'),
       'owner' || (n + m) %% 100, now()
FROM generate_series(1, %(threads)s) AS n, generate_series(1, %(rows)s) AS m;
"""


def fill(dsn: str, *, days: int, expired: bool) -> None:
    """Write threads that were born so many days ago."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(
            "SELECT (now() AT TIME ZONE 'UTC')::date - %s, now() + %s * interval '1 hour'", (days, -1 if expired else 1)
        ).fetchone()
        assert row is not None
        born, expires = row
        name = f"events_{born:%Y%m%d}"
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS threads.{name} PARTITION OF threads.events"
            f" FOR VALUES FROM ('{born}') TO ('{born}'::date + 1)".encode()
        )
        given = {"born": born, "expires": expires, "threads": THREADS, "rows": ROWS}
        # Rows that are written as a load has no gaps to be looked for.
        connection.execute("SET session_replication_role = replica")
        connection.execute(_FILL.encode(), given)
        connection.execute(_ROWS.encode(), given)
        connection.execute("ANALYZE threads.threads, threads.events")


async def timed(cleanup: Cleanup) -> tuple[float, Mapping[str, int]]:
    """Do one round and return the seconds and the counts."""
    start = time.perf_counter()
    report = await cleanup.round()
    return time.perf_counter() - start, report.counts


async def main(dsn: str) -> None:
    """Measure and print."""
    jobs = connection_pool(dsn, Limits(), DATABASE.names, role=ROLE)
    pool = connection_pool(dsn, Limits(), DATABASE.names)
    async with jobs, pool:
        cleanup = Cleanup(PostgresCleanup(jobs), None, CleanupLimits())
        fill(dsn, days=0, expired=True)
        today, counts = await timed(cleanup)
        figures = {"rows_deleted_per_s": round(counts["rows"] / today)}
        fill(dsn, days=5, expired=True)
        whole, counts = await timed(cleanup)
        figures["dead_day_rows_per_s"] = round(counts["threads"] * ROWS / whole)
        fill(dsn, days=0, expired=False)
        retention = PostgresRetention(pool)
        target = target_of(subject="owner7", thread_id=None, tenant=False)
        ordered = await retention.order(TENANT, uuid.uuid4(), target, by="bench")
        seconds, _ = await timed(cleanup)
        certificate = await retention.erasure(TENANT, ordered.erasure_id)
        figures |= {"erasure_s": round(seconds, 2), **{f"erased_{kind}": n for kind, n in certificate.removed.items()}}
        await retention.order(TENANT, uuid.uuid4(), target_of(subject=None, thread_id=None, tenant=True), by="bench")
        seconds, _ = await timed(cleanup)
        figures["tenant_erasure_s"] = round(seconds, 2)
    print(json.dumps({"threads": THREADS, "rows_each": ROWS, **figures}))  # noqa: T201 - a program's output


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
