"""What a reader of a large log costs the service is bound by a page, however many rows are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.service.testing import SigningKey
    from fixtures.fix_threads import ServiceProcess

pytestmark = pytest.mark.slow

ROWS, ROW_BYTES = 200, 512 * 1000
MOST = 64 * 1024 * 1024
"""What reading may add: a few times a page, and far less than the log."""


def test_reading_a_log_of_a_hundred_megabytes_takes_no_more_memory_than_a_page(
    start_threads: Callable[..., ServiceProcess], signing_key: SigningKey, database: str
) -> None:
    service = start_threads()
    token = signing_key.token("acme", subject="helper", roles=("runner",), kind="agent")
    headers = {"Authorization": f"Bearer {token}"}
    write: dict[str, object] = {
        "task_id": "t-1",
        "owner": "ada",
        "write_id": "w-1",
        "creation": {"context_id": "c-1"},
        "rows": [{"kind": "status", "streamed": True, "author": "helper", "payload": {"status": {}}}],
    }
    read = "/api/v1/tasks/t-1/rows?owner=ada&limit=1000"
    with httpx.Client(base_url=service.url, headers=headers, timeout=30, trust_env=False) as agent:
        (result,) = agent.post("/api/v1/tasks/writes", json={"writes": [write]}).raise_for_status().json()["results"]
        assert result["version"] == 1
        grow(database)
        before = psutil.Process(service.process.pid).memory_info().rss
        after = pages = 0
        while after < ROWS + 1:
            page = agent.get(f"{read}&after={after}").raise_for_status().json()
            assert [row["seq"] for row in page["rows"]] == list(range(after + 1, after + 1 + len(page["rows"])))
            after, pages = page["rows"][-1]["seq"], pages + 1

    assert pages > ROWS * ROW_BYTES // (5 * 1024 * 1024)
    assert high_water(service.process.pid) - before < MOST


def grow(database: str) -> None:
    """Give the task its rows, without the seconds that writing them through the service would take."""
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE threads.threads SET last_seq = last_seq + %s", [ROWS])
        connection.execute(
            "INSERT INTO threads.events (tenant, thread_id, seq, author, created_at, born, kind, streamed, payload)"
            " SELECT tenant, thread_id, n, 'helper', now(), born, 'artifact', true,"
            " json_build_object('text', repeat('0123456789', %s))"
            " FROM threads.threads, generate_series(2, %s) AS n",
            [ROW_BYTES // 10, ROWS + 1],
        )


def high_water(pid: int) -> int:
    """Return the most memory that the process ever had."""
    with Path(f"/proc/{pid}/status").open(encoding="ascii") as told:
        return next(int(line.split()[1]) * 1024 for line in told if line.startswith("VmHWM"))
