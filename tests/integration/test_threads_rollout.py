"""Two releases write through every move of the schema, and nothing of what was said is lost or said twice."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, LiteralString

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from aeterna.postgres.migrations import migrate
from aeterna.postgres.pool import SESSION, Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.domain.conversation import MessageDraft, MessageId, Role, TextPart, ThreadDraft, ThreadId
from aeterna.threads.errors import StoreBusyError, StoreDefectError
from fixtures import threads_release_before as before

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

pytestmark = pytest.mark.anyio

WAIT, LOCK = timedelta(seconds=30), timedelta(seconds=10)
ACME, KEPT = TenantId("acme"), ThreadId("kept")
SHAPE: Final[LiteralString] = """
SELECT 'column', table_name::text, column_name::text, data_type || is_nullable || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'threads'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname::text,
                 replace(pg_get_constraintdef(oid), ' NOT VALID', '')
FROM pg_constraint WHERE connamespace = 'threads'::regnamespace
UNION ALL SELECT 'index', tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'threads'
UNION ALL SELECT 'policy', tablename::text, policyname::text, qual || with_check
FROM pg_policies WHERE schemaname = 'threads'
UNION ALL SELECT 'table', relname::text, relkind::text, (relrowsecurity AND relforcerowsecurity)::text
FROM pg_class WHERE relnamespace = 'threads'::regnamespace
UNION ALL SELECT 'privilege', table_name::text, grantee::text, privilege_type
FROM information_schema.role_table_grants WHERE table_schema = 'threads'
UNION ALL SELECT 'function', proname::text, '', prosrc FROM pg_proc WHERE pronamespace = 'threads'::regnamespace
ORDER BY 1, 2, 3, 4
"""


def moved(dsn: str, to: str, lock: timedelta = LOCK) -> None:
    """Move the schema."""
    migrate(dsn, DATABASE, to=to, wait=WAIT, lock=lock)


def shape(dsn: str) -> list[tuple[object, ...]]:
    """Return all that makes the schema."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(SHAPE).fetchall()


@asynccontextmanager
async def as_service(dsn: str) -> AsyncGenerator[AsyncConnection[DictRow]]:
    """Return a connection as the service has it, with its limits."""
    connection = await AsyncConnection[DictRow].connect(dsn, autocommit=True, row_factory=dict_row)
    async with connection:
        await connection.execute(SESSION["configure_connection"], Limits().parameters(DATABASE.names))
        yield connection


class Writers:
    """Writers who append to one thread, each until it is told to stop, and repeat what failed until it is written."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, int] = {}
        self.blocked: list[str] = []
        self._stopped = False
        self._news = asyncio.Condition()

    async def write(self, name: str, append: Callable[[str], Awaitable[int]]) -> None:
        """Write message after message."""
        number = 0
        while not self._stopped:
            message_id = f"{name}-{number}"
            try:
                seq = await append(message_id)
            except (psycopg.Error, StoreBusyError, StoreDefectError) as exc:
                # A release finds its tables missing while the schema is another one's, and comes back.
                if isinstance(exc, StoreBusyError) or (isinstance(exc, psycopg.Error) and before.blocked(exc)):
                    self.blocked.append(message_id)
                # The rest of this test is on the same processor.
                await asyncio.sleep(0.01)
                continue
            number += 1
            async with self._news:
                self.acknowledged[message_id] = seq
                self._news.notify_all()

    async def more(self, name: str, count: int = 20) -> None:
        """Return when a writer had so many more of its messages acknowledged."""

        def of_the_writer() -> int:
            return sum(message_id.startswith(name) for message_id in self.acknowledged)

        async with self._news:
            goal = of_the_writer() + count
            await self._news.wait_for(lambda: of_the_writer() >= goal)

    def stop(self) -> None:
        """Let every writer end with the message that it is at."""
        self._stopped = True


@pytest.fixture
def at_first(empty_database: str) -> str:
    """Return the DSN of a database as the release before has it."""
    moved(empty_database, "0001")
    return empty_database


@pytest.mark.slow
async def test_two_releases_write_through_every_move_of_the_schema(at_first: str) -> None:
    """Neither of them waits for a lock longer than it may, and the conversation is whole."""
    writers = Writers()
    async with (
        as_service(at_first) as old,
        as_service(at_first) as reader,
        connection_pool(at_first, Limits(), DATABASE.names) as pool,
        asyncio.timeout(120),
    ):
        store = PostgresThreadStore(pool)
        await before.open_thread(old, ACME, KEPT)

        async def append_new(message_id: str) -> int:
            draft = MessageDraft(message_id=MessageId(message_id), role=Role.USER, parts=(TextPart(text="hello"),))
            return (await store.append(ACME, KEPT, draft, by="ada")).seq

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(writers.write("old", lambda message_id: before.append(old, ACME, KEPT, message_id)))
            tasks.create_task(writers.write("new", append_new))
            await writers.more("old")
            for to, working in (("head", ["old", "new"]), ("0001", ["old"]), ("head", ["old", "new"])):
                await asyncio.to_thread(moved, at_first, to)
                for name in working:
                    await writers.more(name)
            writers.stop()
        seen = await before.read(reader, ACME, KEPT)
        page = await store.messages(ACME, KEPT, after_seq=0, limit=100_000)

    said = sorted((seq, message_id) for message_id, seq in writers.acknowledged.items())
    assert [(message.seq, str(message.message_id)) for message in page.messages] == seen == said
    assert [seq for seq, _ in said] == list(range(1, len(said) + 1))
    assert writers.blocked == []


@pytest.mark.parametrize(
    "hold",
    ["SELECT count(*) FROM threads.messages", "SELECT count(*) FROM pg_class"],
    ids=["a reader of the table", "an old snapshot"],
)
async def test_a_blocked_migration_fails_and_holds_nobody_up_and_may_be_repeated(
    at_first: str, hold: LiteralString
) -> None:
    async with as_service(at_first) as old:
        await before.open_thread(old, ACME, KEPT)
        with psycopg.connect(at_first) as blocker:
            blocker.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            blocker.execute(hold)
            with pytest.raises(StoreBusyError):
                await asyncio.to_thread(moved, at_first, "head", timedelta(milliseconds=300))
            meanwhile = await before.append(old, ACME, KEPT, "m-1")

        await asyncio.to_thread(moved, at_first, "head")

        assert (meanwhile, await before.read(old, ACME, KEPT)) == (1, [(1, "m-1")])
    expected = shape(at_first)
    await asyncio.to_thread(moved, at_first, "0001")
    await asyncio.to_thread(moved, at_first, "head")
    assert shape(at_first) == expected


async def test_the_way_back_is_the_schema_that_was(at_first: str) -> None:
    expected = shape(at_first)

    moved(at_first, "head")
    moved(at_first, "0001")

    assert shape(at_first) == expected


TASK: Final[LiteralString] = """
WITH made AS (
    INSERT INTO threads.threads
        (tenant, thread_id, digest, created_by, born, ttl, expires_at, agent, context_id, state, last_seq)
    VALUES ('acme', 'task', decode(repeat('00', 32), 'hex'), 'ada', current_date, '1 hour', now() + interval '1 hour',
            'planner', 'c-1', 'TASK_STATE_WORKING', 1)
    RETURNING born
)
INSERT INTO threads.events (tenant, thread_id, seq, born, kind, said, message_id, role, parts, author, created_at)
SELECT 'acme', 'task', 1, born, 'message', true, 'm-1', 'user', '[]', 'ada', now() FROM made
"""


async def test_the_way_back_keeps_every_plain_conversation_and_no_other(database: str) -> None:
    """What expires goes to the table that does not know of it, unless it has expired."""
    async with connection_pool(database, Limits(), DATABASE.names) as pool:
        store = PostgresThreadStore(pool)
        for thread_id, ttl in (("kept", None), ("lives", timedelta(hours=1)), ("expired", timedelta(hours=1))):
            await store.open(ACME, ThreadDraft(thread_id=ThreadId(thread_id), ttl=ttl), by="ada")
            for number in range(2):
                draft = MessageDraft(
                    message_id=MessageId(f"m-{number}"), role=Role.USER, parts=(TextPart(text=thread_id),)
                )
                await store.append(ACME, ThreadId(thread_id), draft, by="ada")
    with psycopg.connect(database) as owner:
        owner.execute("UPDATE threads.threads SET expires_at = now() WHERE thread_id = 'expired'")
        owner.execute(TASK)

    moved(database, "0001")

    with psycopg.connect(database) as owner:
        threads = owner.execute("SELECT thread_id, last_seq FROM threads.threads ORDER BY 1").fetchall()
        messages = owner.execute(
            "SELECT thread_id, seq, message_id, parts FROM threads.messages ORDER BY 1, 2"
        ).fetchall()
    assert threads == [("kept", 2), ("lives", 2)]
    assert messages == [
        (thread_id, number + 1, f"m-{number}", [{"kind": "text", "text": thread_id}])
        for thread_id in ("kept", "lives")
        for number in range(2)
    ]
