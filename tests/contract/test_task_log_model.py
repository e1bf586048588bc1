"""The log in memory is a model of the one in PostgreSQL: whatever is written in whatever order, both say the same."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_tasks import PostgresTaskLog
from aeterna.threads.domain.conversation import MessageId, Role, ThreadId
from aeterna.threads.domain.task import AgentId, Creation, Kind, Row, RunnerId, State, Write
from aeterna.threads.errors import TaskNotFoundError, ThreadsError
from aeterna.threads.testing import FakeTaskLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.threads.domain.task import Written
    from aeterna.threads.ports import TaskLog

ACME, AGENT = TenantId("acme"), AgentId("billing")
ALIVE, DEAD = RunnerId("alive"), RunnerId("dead")
_examples = itertools.count()


def _message(number: int, text: str) -> Row:
    return Row(
        kind=Kind.MESSAGE,
        streamed=False,
        said=True,
        author="ada",
        message_id=MessageId(f"m-{number}"),
        role=Role.USER,
        parts=({"kind": "text", "text": text},),
        metadata={},
    )


def _status(number: int) -> Row:
    return Row(kind=Kind.STATUS, streamed=True, author="billing", payload={"n": number})


ROWS = st.lists(
    st.one_of(
        st.builds(_message, st.integers(0, 3), st.sampled_from(["x", "x", "y"])), st.builds(_status, st.integers(0, 9))
    ),
    max_size=3,
    unique_by=lambda row: row.message_id or id(row),
).map(tuple)
WRITES = st.builds(
    Write,
    task_id=st.sampled_from([ThreadId("a"), ThreadId("b")]),
    owner=st.sampled_from(["ada", "ada", "ada", "bob"]),
    write_id=st.integers(0, 5).map(str),
    rows=ROWS,
    creation=st.sampled_from([None, Creation(context_id="c")]),
    expected_version=st.sampled_from([None, None, 0, 1, 2, 3]),
    epoch=st.sampled_from([None, None, 0, 1, 2]),
    state=st.sampled_from([None, None, None, State.WORKING, State.COMPLETED]),
    status=st.sampled_from([None, {"n": 1}]),
    waiting=st.booleans(),
    handled_seq=st.sampled_from([None, None, 1, 2]),
    claim=st.sampled_from([None, ALIVE, DEAD]),
).filter(lambda write: write.is_proven)


async def _said_of(log: TaskLog, writes: Sequence[Write]) -> list[object]:
    """Make the writes one after the other; return what each came to, and what both tasks look like after all."""
    said = list[object]()
    for write in writes:
        (result,) = await log.write(ACME, AGENT, [write])
        said.append(_plain(result))
    for task_id in dict.fromkeys(write.task_id for write in writes):
        for owner in ("ada", "bob"):
            try:
                view = await log.task(ACME, AGENT, task_id, owner=owner, history_length=None, artifacts=True)
                page = await log.rows(ACME, AGENT, task_id, owner=owner, after=0, limit=100)
            except TaskNotFoundError:
                said.append(None)
                continue
            task = view.task
            said.append(
                (task.version, task.epoch, task.runner, task.waiting, task.handled_seq, task.attempts, task.state)
            )
            said.append((task.status, [stored.row for stored in view.rows], [stored.row for stored in page.rows]))
    return said


def _plain(result: Written | ThreadsError) -> object:
    return (type(result), getattr(result, "facts", None)) if isinstance(result, ThreadsError) else result


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=st.lists(WRITES, min_size=1, max_size=10))
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_log_in_memory_and_the_one_in_postgresql_say_the_same(database: str, writes: list[Write]) -> None:
    example = next(_examples)
    named = [replace(write, task_id=ThreadId(f"{write.task_id}-{example}")) for write in writes]
    fake = FakeTaskLog()
    fake.runners[ACME, AGENT, ALIVE] = datetime.now(UTC) + timedelta(hours=1)

    async def said_of_both() -> tuple[list[object], list[object]]:
        async with connection_pool(database, Limits(min_connections=1), DATABASE.names) as pool:
            return await _said_of(fake, named), await _said_of(PostgresTaskLog(pool), named)

    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO threads.runners (tenant, agent, runner, expires_at)"
            " VALUES (%s, %s, %s, now() + interval '1 h') ON CONFLICT DO NOTHING",
            [ACME, AGENT, ALIVE],
        )
    modelled, real = asyncio.run(said_of_both())

    assert real == modelled
