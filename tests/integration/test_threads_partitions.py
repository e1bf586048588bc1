"""Partitions of the log: made ahead, looked at one at a time, and dropped while everybody goes on writing."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, LiteralString

import psycopg
import pytest
from psycopg import errors, sql

from aeterna.postgres.migrations import migrate
from aeterna.postgres.pool import SESSION, Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE, queries
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.domain.conversation import (
    PAGE_BYTES,
    MessageDraft,
    MessageId,
    Role,
    TextPart,
    ThreadDraft,
    ThreadId,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from fixtures.fix_postgres import Postgres

JOBS: Final = "aeterna_threads_jobs"
ACME, KEPT = TenantId("acme"), ThreadId("kept")
THREAD_OF_A_DAY: Final[LiteralString] = """
WITH opened AS (
    INSERT INTO threads.threads (tenant, thread_id, digest, created_by, born, ttl, expires_at, last_seq)
    VALUES (%(tenant)s, %(thread)s, decode(repeat('00', 32), 'hex'), 'ada', %(born)s, '1 hour', now(), 1)
)
INSERT INTO threads.events
    (tenant, thread_id, seq, born, kind, said, message_id, role, parts, metadata, digest, author, created_at)
VALUES (%(tenant)s, %(thread)s, 1, %(born)s, 'message', true, 'm-1', 'user', '[]', '{}',
        decode(repeat('00', 32), 'hex'), 'ada', now())
"""


def today() -> date:
    """Return the day of the database."""
    return datetime.now(UTC).date()


def as_job(dsn: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Return a connection as the service's jobs have it."""
    connection = psycopg.connect(dsn, autocommit=True)
    connection.execute(SESSION["configure_connection"], Limits().parameters(DATABASE.names, JOBS))
    return connection


def partitions(dsn: str) -> list[str]:
    """Return the names of the log's partitions."""
    with psycopg.connect(dsn) as owner:
        rows = owner.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'threads.events'::regclass ORDER BY 1"
        ).fetchall()
    return [row[0].removeprefix("threads.") for row in rows]


def of_day(day: date) -> str:
    """Return the name of a day's partition."""
    return f"events_{day:%Y%m%d}"


def speak(dsn: str, thread: str, born: date) -> None:
    """Write a thread of a day with one message."""
    with psycopg.connect(dsn) as owner:
        owner.execute(THREAD_OF_A_DAY, {"tenant": "acme", "thread": thread, "born": born})


def make_past(dsn: str, day: date) -> None:
    """Make the partition of a day that is over."""
    with psycopg.connect(dsn) as owner:
        # As the function makes it, but for a day that is over.
        source = owner.execute(
            "SELECT pg_get_functiondef('threads.create_partitions(integer)'::regprocedure)"
        ).fetchone()
        assert source is not None
        earlier = source[0].replace("(clock_timestamp() AT TIME ZONE 'UTC')::date", f"date '{day}'")
        owner.execute(earlier.replace("FUNCTION threads.create_partitions", "FUNCTION threads.earlier").encode())
        owner.execute("SELECT threads.earlier(0)")
        owner.execute("DROP FUNCTION threads.earlier(integer)")


@pytest.fixture
def past(database: str) -> tuple[str, date]:
    """Return a database with a partition of nine days ago, in which there is a thread with a message; and that day."""
    day = today() - timedelta(days=9)
    make_past(database, day)
    speak(database, "old", day)
    return database, day


def forget(dsn: str, thread: str) -> None:
    """Remove the row of a thread, as the cleanup does, and leave its log."""
    with psycopg.connect(dsn) as owner:
        owner.execute("DELETE FROM threads.threads WHERE thread_id = %s", [thread])


def test_partitions_are_made_for_today_and_the_days_after_it(database: str) -> None:
    with as_job(database) as job:
        made = [job.execute("SELECT threads.create_partitions(5)").fetchone() for _ in range(2)]

    days = [of_day(today() + timedelta(days=distance)) for distance in range(6)]
    assert partitions(database) == [*days, "events_kept", "events_other"]
    # The migration made the first of them.
    assert made == [(2,), (0,)]


def test_jobs_that_make_partitions_at_once_make_each_of_them_once(database: str) -> None:
    def make(_: int) -> int:
        with as_job(database) as job:
            while True:
                try:
                    row = job.execute("SELECT threads.create_partitions(9)").fetchone()
                except errors.LockNotAvailable:
                    continue
                assert row is not None
                return int(row[0])

    with ThreadPoolExecutor(4) as pool:
        made = sum(pool.map(make, range(4)))

    assert (made, len(partitions(database))) == (6, 12)


def test_a_row_for_which_no_partition_was_made_is_kept_and_moves_to_its_own(database: str) -> None:
    """Where no job ran for days, nothing is refused."""
    late = today() + timedelta(days=7)
    speak(database, "late", late)

    with as_job(database) as job:
        job.execute("SELECT threads.create_partitions(7)")

    with psycopg.connect(database) as owner:
        row = owner.execute("SELECT tableoid::regclass::text FROM threads.events WHERE thread_id = 'late'").fetchone()
        left = owner.execute("SELECT count(*) FROM threads.events_other").fetchone()
    assert (row, left) == ((f"threads.{of_day(late)}",), (0,))


def test_a_day_of_which_no_thread_is_left_is_dropped_whole(past: tuple[str, date]) -> None:
    dsn, day = past
    forget(dsn, "old")

    with as_job(dsn) as job:
        dropped = [job.execute("SELECT threads.drop_partition()").fetchone() for _ in range(2)]

    assert dropped == [(of_day(day),), (None,)]
    assert of_day(day) not in partitions(dsn)


def test_a_day_stays_while_one_of_its_threads_does(past: tuple[str, date]) -> None:
    """Expired or not: it may be held."""
    dsn, day = past

    with as_job(dsn) as job:
        assert job.execute("SELECT threads.drop_partition()").fetchone() == (None,)

    assert of_day(day) in partitions(dsn)


def test_neither_today_nor_what_never_expires_is_dropped(database: str) -> None:
    before = partitions(database)

    with as_job(database) as job:
        assert job.execute("SELECT threads.drop_partition()").fetchone() == (None,)

    assert partitions(database) == before


def test_a_partition_that_is_being_read_is_left_for_the_next_time(past: tuple[str, date]) -> None:
    dsn, _ = past
    forget(dsn, "old")
    with psycopg.connect(dsn) as reader:
        reader.execute("SELECT count(*) FROM threads.events")

        with as_job(dsn) as job, pytest.raises(errors.LockNotAvailable):
            job.execute("SELECT threads.drop_partition()")

    with as_job(dsn) as job:
        assert job.execute("SELECT threads.drop_partition()").fetchone() != (None,)


def test_an_owner_who_may_not_see_every_thread_drops_nothing(past: tuple[str, date]) -> None:
    """It would find that nobody lives."""
    dsn, day = past
    with psycopg.connect(dsn) as administrator:
        administrator.execute("CREATE ROLE blind NOLOGIN NOSUPERUSER")
        administrator.execute("GRANT USAGE ON SCHEMA threads TO blind")
        administrator.execute("GRANT SELECT ON threads.threads TO blind")
        administrator.execute("ALTER FUNCTION threads.drop_partition() OWNER TO blind")
        administrator.execute("SET ROLE blind")

        with pytest.raises(errors.InsufficientPrivilege, match="may not see every thread"):
            administrator.execute("SELECT threads.drop_partition()")

    assert of_day(day) in partitions(dsn)


@pytest.fixture
def managed(postgres: Postgres) -> Generator[tuple[str, str]]:
    """Return a database whose owner is no superuser, as in a cloud: its DSN for anybody, and for the owner."""
    name, role = postgres.create(), sql.Identifier("landlord")
    postgres.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(role))
    postgres.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), role))
    owner = postgres.dsn(name, "landlord")
    migrate(owner, DATABASE, to="head", wait=timedelta(seconds=30), lock=timedelta(seconds=5))
    yield postgres.dsn(name), owner
    postgres.drop(name)
    postgres.execute(sql.SQL("DROP OWNED BY {}").format(role))
    postgres.execute(sql.SQL("DROP ROLE {}").format(role))


def test_an_owner_who_is_no_superuser_makes_and_drops_partitions_and_goes_back(managed: tuple[str, str]) -> None:
    """Row-level security binds that owner, and an owner who saw nothing would find every day empty."""
    dsn, owner = managed
    day, late = today() - timedelta(days=9), today() + timedelta(days=7)
    make_past(owner, day)
    speak(dsn, "old", day)
    speak(dsn, "late", late)

    with as_job(dsn) as job:
        kept = job.execute("SELECT threads.drop_partition()").fetchone()
        forget(dsn, "old")
        dropped = job.execute("SELECT threads.drop_partition()").fetchone()
        job.execute("SELECT threads.create_partitions(7)")
    with psycopg.connect(dsn) as anybody:
        anybody.execute("UPDATE threads.threads SET expires_at = now() + interval '1 hour'")
    migrate(owner, DATABASE, to="0001", wait=timedelta(seconds=30), lock=timedelta(seconds=5))

    with psycopg.connect(dsn) as anybody:
        left = anybody.execute("SELECT thread_id, seq FROM threads.messages").fetchall()
    assert (kept, dropped, left) == ((None,), (of_day(day),), [("late", 1)])


def scanned(plan: Any) -> list[str]:  # noqa: ANN401 - PostgreSQL's JSON
    """Return the tables that a plan reads."""
    found = [plan["Relation Name"]] if "Relation Name" in plan else []
    return found + [name for part in plan.get("Plans", ()) for name in scanned(part)]


@pytest.mark.parametrize(
    ("thread", "ttl", "partition"), [("kept", None, "events_kept"), ("short", "1 hour", of_day(today()))]
)
def test_a_read_of_one_thread_looks_at_one_partition(
    database: str, thread: str, ttl: str | None, partition: str
) -> None:
    values = {"tenant": "acme", "thread_id": thread, "after_seq": 0, "limit": 10, "page_bytes": PAGE_BYTES}
    opened = values | {"title": None, "metadata": "{}", "digest": bytes(32), "by": "ada", "ttl": ttl}
    statements = queries("threads.sql", "messages.sql")
    with psycopg.connect(database) as connection:
        connection.execute("SELECT set_config('aeterna.tenant', 'acme', true)")
        connection.execute(statements["create_thread"], opened)
        row = connection.execute(b"EXPLAIN (FORMAT JSON) " + statements["read_messages"], values).fetchone()

    assert row is not None
    assert scanned(row[0][0]["Plan"]) == [partition], json.dumps(row[0])


def test_a_read_that_was_prepared_is_planned_for_its_thread_still(database: str) -> None:
    """A plan for any thread would open every partition each time."""
    statement = queries("messages.sql")["read_messages"]
    values = {"tenant": "acme", "thread_id": "kept", "after_seq": 0, "limit": 10, "page_bytes": PAGE_BYTES}
    with psycopg.connect(database, prepare_threshold=0) as connection:
        for _ in range(12):
            connection.execute(statement, values)
        plans = connection.execute(
            "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement LIKE '%threads.events%'",
            prepare=False,
        ).fetchall()

    assert plans == [(12, 0)]


@pytest.fixture
async def store(past: tuple[str, date]) -> AsyncGenerator[PostgresThreadStore]:
    """Return a store on the database with a day that is over."""
    async with connection_pool(past[0], Limits(), DATABASE.names) as pool:
        yield PostgresThreadStore(pool)


@pytest.mark.anyio
async def test_appends_go_on_while_partitions_come_and_go(store: PostgresThreadStore, past: tuple[str, date]) -> None:
    """None of them fails, and a drop that cannot have its lock in a moment is tried again."""
    dsn, day = past
    await store.open(ACME, ThreadDraft(thread_id=KEPT), by="ada")
    over = asyncio.Event()

    async def write(writer: int) -> int:
        number = 0
        while not over.is_set() or number < 20:
            message_id = MessageId(f"w{writer}-{number}")
            draft = MessageDraft(message_id=message_id, role=Role.USER, parts=(TextPart(text="hello"),))
            await store.append(ACME, KEPT, draft, by="ada")
            number += 1
        return number

    def upkeep() -> None:
        forget(dsn, "old")
        with as_job(dsn) as job:
            for call in ("create_partitions(9)", "drop_partition()"):
                while True:
                    try:
                        job.execute(f"SELECT threads.{call}".encode())
                    except errors.LockNotAvailable:
                        continue
                    break

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        writers = [tasks.create_task(write(writer)) for writer in range(4)]
        await asyncio.to_thread(upkeep)
        over.set()

    page = await store.messages(ACME, KEPT, after_seq=0, limit=100_000)
    assert [message.seq for message in page.messages] == list(range(1, sum(one.result() for one in writers) + 1))
    assert of_day(day) not in partitions(dsn)
    assert of_day(today() + timedelta(days=9)) in partitions(dsn)
